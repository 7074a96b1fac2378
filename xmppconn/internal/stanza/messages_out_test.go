package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// outAndIn sends a message and reads it as the other side does.
func outAndIn(t testing.TB, m perch.MessageOut) (raw string, s said) {
	t.Helper()
	m.To = testSelf
	b, err := stanza.AppendOutbound(nil, &m)
	if err != nil {
		t.Fatalf("AppendOutbound(%+v): got error %v, want none", m, err)
	}
	return string(b), saidIn(t, decodeText(t, strings.Replace(string(b), "<message ", "<message from='bo@b.test/x' ", 1), testNow))
}

// TestDetailsOut writes what a message has beside its text so that it is read as it was meant.
func TestDetailsOut(t *testing.T) {
	all := perch.MessageDetails{
		ReplyTo:     &perch.Reply{ID: "o1", From: "me@a.test", Excerpt: "old\n🐦"},
		Attachments: []perch.Attachment{{URL: "https://b.test/f", Name: "f.png", Type: "image/png", Size: 70, Width: 2, Height: 3, Description: "a bird"}, {URL: "https://b.test/g"}},
		Mentions:    []perch.Mention{{JID: "al@a.test", Begin: 0, End: 2}, {JID: "bö@a.test/🐦 ?#%"}},
		Markable:    true, Unstyled: true, Spoiler: &perch.Spoiler{Hint: "the end"}, Payloads: []string{"<a xmlns='urn:a'/>"},
	}
	raw, got := outAndIn(t, perch.MessageOut{ID: "1", Body: "Al!", Details: &all})
	if diff := cmp.Diff(said{Body: "Al!", Details: &all}, got); diff != "" {
		t.Errorf("%s, -want +got:\n%s", raw, diff)
	}
	if !strings.Contains(raw, "<body>&gt; old\n&gt; 🐦\nAl!</body>") || !strings.Contains(raw, "<body start='0' end='10'/>") || !strings.Contains(raw, "begin='10' end='12'") || strings.Contains(raw, "hints") {
		t.Errorf("got %s, want the quote before the body, its range and that of the mention, and no hint", raw)
	}
	edit := &perch.Relation{Kind: perch.RelationEdit, Target: "m0"}
	raw, got = outAndIn(t, perch.MessageOut{ID: "1", Body: "Al!", Details: &all, Relation: edit})
	if diff := cmp.Diff(said{Body: "Al!", Details: &all, Relation: edit}, got); diff != "" {
		t.Errorf("an edit %s, -want +got:\n%s", raw, diff)
	}
}

// TestMessageForms are the shortest forms of what a message can be.
func TestMessageForms(t *testing.T) {
	const begin, store = "<message to='me@a.test/home' id='1' type='chat'>", "<store xmlns='urn:xmpp:hints'/></message>"
	const origin = "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>"
	files := []perch.Attachment{{URL: "https://b.test/f"}}
	omemo := "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AA==</payload></encrypted>"
	for _, tt := range []struct {
		name string
		out  perch.MessageOut
		want string
		body string // as it is read
	}{
		{"edit", perch.MessageOut{Body: "new", Receipt: true, Relation: &perch.Relation{Kind: perch.RelationEdit, Target: "m1"}},
			"<body>new</body>" + origin + "<request xmlns='urn:xmpp:receipts'/><replace xmlns='urn:xmpp:message-correct:0' id='m1'/></message>", "new"},
		{"retraction", perch.MessageOut{Body: "ignored", Relation: &perch.Relation{Kind: perch.RelationRetraction, Target: "m1", Reason: "a < b"}},
			"<body>/me retracted a previous message, but it's unsupported by your client.</body>" + origin + "<retract xmlns='urn:xmpp:message-retract:1' id='m1'><reason>a &lt; b</reason></retract>" +
				"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>" + store, ""},
		{"reactions", perch.MessageOut{Body: "ignored", Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m1", Emojis: []string{"👍", "❤"}}},
			origin + "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction><reaction>❤</reaction></reactions>" + store, ""},
		{"no reactions", perch.MessageOut{Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m1"}}, origin + "<reactions xmlns='urn:xmpp:reactions:0' id='m1'></reactions>" + store, ""},
		{"reply without a quote", perch.MessageOut{Body: "b", Details: &perch.MessageDetails{ReplyTo: &perch.Reply{ID: "m1"}}}, "<body>b</body>" + origin + "<reply xmlns='urn:xmpp:reply:0' id='m1'/></message>", "b"},
		{"file", perch.MessageOut{Details: &perch.MessageDetails{Attachments: files}}, "<body>https://b.test/f</body>" + origin + "<x xmlns='jabber:x:oob'><url>https://b.test/f</url></x></message>", "https://b.test/f"},
		{"file with words", perch.MessageOut{Body: "look", Details: &perch.MessageDetails{Attachments: files}}, "<body>look</body>" + origin + "<x xmlns='jabber:x:oob'><url>https://b.test/f</url></x></message>", "look"},
		{"encrypted", perch.MessageOut{Details: &perch.MessageDetails{Fallback: "no key", Encryption: &perch.Encryption{Method: "eu.siacs.conversations.axolotl", Name: "OMEMO"}, Payloads: []string{omemo}}},
			"<body>no key</body>" + origin + omemo + "<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl' name='OMEMO'/>" + store, ""},
		{"a payload alone", perch.MessageOut{Details: &perch.MessageDetails{Payloads: []string{"<a xmlns='urn:a'/>"}}}, origin + "<a xmlns='urn:a'/>" + store, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.out.ID = "1"
			raw, got := outAndIn(t, tt.out)
			if want := begin + tt.want; raw != want {
				t.Errorf("got %s\nwant %s", raw, want)
			}
			if got.Body != tt.body || tt.out.Relation != nil && cmp.Diff(tt.out.Relation, got.Relation) != "" {
				t.Errorf("read as %+v, want the body %q and %+v", got, tt.body, tt.out.Relation)
			}
		})
	}
	b, err := stanza.AppendOutbound(nil, &perch.DisplayedOut{To: "bo@b.test", ID: "m1"})
	if want := "<message to='bo@b.test' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>" + store; err != nil || string(b) != want {
		t.Errorf("a marker: got %s, %v; want %s", b, err, want)
	}
}

// TestDetailsOutRefuses names the field of what cannot be sent.
func TestDetailsOutRefuses(t *testing.T) {
	relation := func(r perch.Relation) perch.Outbound { return &perch.MessageOut{To: "b@b.test", Relation: &r} }
	details := func(d perch.MessageDetails) perch.Outbound {
		return &perch.MessageOut{To: "b@b.test", Body: "b", Details: &d}
	}
	many := make([]string, perch.MaxReactions+1)
	for _, tt := range []struct {
		name, field string
		out         perch.Outbound
	}{
		{"relation", "/kind", relation(perch.Relation{Kind: "x", Target: "1"})},
		{"edit of nothing", "/target", relation(perch.Relation{Kind: perch.RelationEdit})},
		{"retraction of nothing", "/target", relation(perch.Relation{Kind: perch.RelationRetraction})},
		{"reason", "/reason", relation(perch.Relation{Kind: perch.RelationRetraction, Target: "1", Reason: "\x00"})},
		{"reactions to nothing", "/target", relation(perch.Relation{Kind: perch.RelationReactions})},
		{"empty reaction", "/emojis/1", relation(perch.Relation{Kind: perch.RelationReactions, Target: "1", Emojis: []string{"x", ""}})},
		{"long reaction", "/emojis/0", relation(perch.Relation{Kind: perch.RelationReactions, Target: "1", Emojis: []string{strings.Repeat("x", perch.MaxReactionBytes+1)}})},
		{"many reactions", "/emojis", relation(perch.Relation{Kind: perch.RelationReactions, Target: "1", Emojis: many})},
		{"reply", "/reply_to/id", details(perch.MessageDetails{ReplyTo: &perch.Reply{}})},
		{"author", "/reply_to/from", details(perch.MessageDetails{ReplyTo: &perch.Reply{ID: "1", From: "\x01"}})},
		{"excerpt", "/reply_to/excerpt", details(perch.MessageDetails{ReplyTo: &perch.Reply{ID: "1", Excerpt: strings.Repeat("x", perch.MaxExcerptBytes+1)}})},
		{"file", "/attachments/1/url", details(perch.MessageDetails{Attachments: []perch.Attachment{{URL: "u"}, {URL: " "}}})},
		{"name", "/attachments/0/name", details(perch.MessageDetails{Attachments: []perch.Attachment{{URL: "u", Name: "\x00"}}})},
		{"files", "/attachments", details(perch.MessageDetails{Attachments: make([]perch.Attachment, perch.MaxAttachments+1)})},
		{"mention", "/mentions/0/jid", details(perch.MessageDetails{Mentions: []perch.Mention{{}}})},
		{"mention in broken UTF-8", "/mentions/0/jid", details(perch.MessageDetails{Mentions: []perch.Mention{{JID: "\xff@b.test"}}})},
		{"range", "/mentions/0/end", details(perch.MessageDetails{Mentions: []perch.Mention{{JID: "b@b.test", Begin: 0, End: 2}}})},
		{"range the wrong way", "/mentions/0/end", details(perch.MessageDetails{Mentions: []perch.Mention{{JID: "b@b.test", Begin: 1, End: 1}}})},
		{"mentions", "/mentions", details(perch.MessageDetails{Mentions: make([]perch.Mention, perch.MaxMentions+1)})},
		{"spoiler", "/spoiler/hint", details(perch.MessageDetails{Spoiler: &perch.Spoiler{Hint: "\x00"}})},
		{"method", "/encryption/method", &perch.MessageOut{To: "b@b.test", Details: &perch.MessageDetails{Encryption: &perch.Encryption{}}}},
		{"plain text beside encryption", "/body", details(perch.MessageDetails{Encryption: &perch.Encryption{Method: "urn:x"}})},
		{"fallback", "/body", &perch.MessageOut{To: "b@b.test", Details: &perch.MessageDetails{Fallback: "\x00", Encryption: &perch.Encryption{Method: "urn:x"}}}},
		{"marker", "/id", &perch.DisplayedOut{To: "b@b.test"}},
		{"marker to nobody", "/to", &perch.DisplayedOut{ID: "1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if b, err := stanza.AppendOutbound([]byte("before"), tt.out); fieldOf(err) != tt.field || string(b) != "before" {
				t.Errorf("got %s, %v; want before, an error of %s", b, err, tt.field)
			}
		})
	}
}

// FuzzDetails sends details made of any texts: they are refused, or read as they were meant.
func FuzzDetails(f *testing.F) {
	f.Add("body", "id", "excerpt\n> x", "al@a.test", "https://b.test/f", "name", 1, 3)
	f.Add("🐦'<&>\r", "'\"", " ", "ü ?#%@x", " u ", "\t", 0, 0)
	f.Fuzz(func(t *testing.T, body, id, excerpt, jid, url, name string, begin, end int) {
		d := &perch.MessageDetails{
			ReplyTo: &perch.Reply{ID: id, From: perch.JID(jid), Excerpt: excerpt}, Mentions: []perch.Mention{{JID: perch.JID(jid), Begin: begin, End: end}},
			Attachments: []perch.Attachment{{URL: url, Name: name, Size: 1}}, Spoiler: &perch.Spoiler{Hint: name},
		}
		b, err := stanza.AppendOutbound(nil, &perch.MessageOut{To: testSelf, Body: body, Details: d})
		if err != nil {
			if perch.KindOf(err) != perch.KindValidation || len(b) != 0 {
				t.Fatalf("got %q, %v; want nothing, %s", b, err, perch.KindValidation)
			}
			return
		}
		got := saidIn(t, decodeText(t, strings.Replace(string(b), "<message ", "<message from='bo@b.test/x' ", 1), testNow))
		want := body
		if want == "" {
			want = url
		}
		if got.Body != want || got.Details == nil || got.Details.ReplyTo == nil || got.Details.ReplyTo.ID != id || len(got.Details.Attachments) != 1 {
			t.Fatalf("%q was read as %+v (%+v), want the body %q, a reply to %q and a file", b, got, got.Details, want, id)
		}
		if m := got.Details.Mentions; len(m) == 1 && end > 0 && (m[0].Begin != begin || m[0].End != end) {
			t.Fatalf("%q was read with the mention %+v, want %d to %d", b, m[0], begin, end)
		}
	})
}
