package stanza_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// what says in one line what came of a stanza.
func what(d stanza.Decoded) string {
	s := ""
	for _, in := range d.In {
		switch in := in.(type) {
		case *perch.MessageIn:
			s += whatOf(in)
		case *perch.RoomInvitedIn:
			s += "invited to " + string(in.JID)
		case *perch.RoomSubjectIn:
			s += "subject " + in.Text
		case *perch.RoomDeclinedIn:
			s += "declined " + string(in.Room)
		case *perch.RoomNoticeIn:
			s += "notice of " + string(in.From)
		case *perch.RoomChatStateIn:
			s += "state in a room " + string(in.State)
		case *perch.ReadIn:
			s += "read " + string(in.Conversation)
		case *perch.DroppedIn:
			s += "dropped " + in.Reason
		case *perch.ChatStateIn:
			s += "state " + string(in.State)
		case *perch.ReceiptIn:
			s += "receipt " + in.ID
		}
		s += ";"
	}
	if d.Silent {
		s += "silent"
	}
	return s
}

// whatOf is what of a message or control message.
func whatOf(in *perch.MessageIn) string {
	if in.Relation != nil {
		return string(in.Relation.Kind) + " to " + in.Relation.Target
	}
	s := "message " + in.Body
	if in.Subject != "" {
		s += " [" + in.Subject + "]"
	}
	if d := in.MessageDetails; d != nil && d.Encryption != nil {
		s += " (encrypted)"
	} else if d != nil && d.Payloads != nil {
		s += fmt.Sprintf(" (%d payloads)", len(d.Payloads))
	}
	return s
}

// TestMessageWithoutBody distinguishes what cannot be shown from what need not be: the
// first is an event, the second is counted.
func TestMessageWithoutBody(t *testing.T) {
	const omemo, header = "<encrypted xmlns='eu.siacs.conversations.axolotl'>", "<header sid='1'><key rid='2'>AA==</key></header>"
	const hint, eme = "<no-store xmlns='urn:xmpp:hints'/>", "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:x'/>"
	const html = "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
	for _, tt := range []struct{ name, typ, inner, want string }{
		{"OMEMO", "chat", omemo + header + "<payload>AAAA</payload></encrypted><store xmlns='urn:xmpp:hints'/>", "message  (encrypted);"},
		{"OMEMO of another version", "chat", "<encrypted xmlns='urn:xmpp:omemo:2'>" + header + "<payload>AAAA</payload></encrypted>", "message  (encrypted);"},
		{"OMEMO that asks not to be stored", "chat", omemo + header + "<payload>AAAA</payload></encrypted>" + hint, "message  (encrypted);"},
		{"OMEMO in a room", "groupchat", omemo + header + "<payload>AAAA</payload></encrypted>", "message  (encrypted);"},
		{"OMEMO with a body beside it", "chat", "<body>I sent you an encrypted message</body>" + omemo + header + "<payload>AAAA</payload></encrypted>", "message  (encrypted);"},
		{"OMEMO keys", "chat", omemo + header + "</encrypted><store xmlns='urn:xmpp:hints'/>", "silent"},
		{"OMEMO keys, empty payload", "chat", omemo + header + "<payload/></encrypted>", "silent"},
		{"OMEMO keys and what they are for", "chat", "<encrypted xmlns='urn:xmpp:omemo:2'>" + header + "</encrypted>" + eme, "silent"},
		{"OpenPGP", "chat", "<openpgp xmlns='urn:xmpp:openpgp:0'>AA==</openpgp>", "message  (encrypted);"},
		{"OpenPGP of before", "chat", "<x xmlns='jabber:x:encrypted'>AA==</x>", "message  (encrypted);"},
		{"an unknown encryption", "chat", "<secret xmlns='urn:x'>AA==</secret>" + eme + hint, "message  (encrypted);"},
		{"a file", "chat", "<x xmlns='jabber:x:oob'><url> https://b.test/f.png </url></x>", "message https://b.test/f.png;"},
		{"a file with a description", "normal", "<x xmlns='jabber:x:oob'><url>https://b.test/f</url><desc>holidays</desc></x>", "message https://b.test/f [holidays];"},
		{"a file with a body", "chat", "<body>look</body><x xmlns='jabber:x:oob'><url>https://b.test/f</url><desc>d</desc></x>", "message look;"},
		{"a file without an address", "chat", "<x xmlns='jabber:x:oob'><url/></x>", "silent"},
		{"XHTML", "chat", html + "<p>hello</p><p>you</p></body></html>", "message hello\nyou;"},
		{"XHTML of an order that is not known", "chat", html + "<p>hello <b>you</b></p></body></html>", "dropped unsupported;"},
		{"XHTML beside a body", "chat", "<body>plain</body>" + html + "rich</body></html>", "message plain (1 payloads);"},
		{"an invitation to a room", "normal", "<x xmlns='jabber:x:conference' jid='r@c.test' reason='come'/>", "invited to r@c.test;"},
		{"an invitation by a room", "normal", "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='bo@b.test'/></x><x xmlns='jabber:x:conference' jid='r@c.test'/>", "invited to r@c.test;"},
		{"an invitation to a room with words", "normal", "<body>come</body><x xmlns='jabber:x:conference' jid='r@c.test'/>", "invited to r@c.test;"},
		{"a change of a room", "groupchat", "<x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x>", "silent"},
		{"a subject", "normal", "<subject>s</subject>", "message  [s];"},
		{"a subject of a headline", "headline", "<subject>s</subject>", "message  [s];"},
		{"a subject of a room that was taken away", "groupchat", "<subject/>", "subject ;"},
		{"a call", "chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/><store xmlns='urn:xmpp:hints'/>", "dropped call;"},
		{"a call with words", "chat", "<body>call me</body><propose xmlns='urn:xmpp:jingle-message:0' id='1'/><store xmlns='urn:xmpp:hints'/>", "dropped call;"},
		{"the end of a call", "chat", "<retract xmlns='urn:xmpp:jingle-message:0' id='1'/>", "silent"},
		{"a notification", "headline", "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event>", "silent"},
		{"hints", "chat", hint, "silent"},
		{"nothing", "chat", "", "silent"},
		{"an empty body", "chat", "<body/><thread>t</thread>", "silent"},
		{"a chat state", "chat", "<active xmlns='" + nsChatStates + "'/>" + hint, "state active;"},
		{"a receipt", "normal", "<received xmlns='urn:xmpp:receipts' id='9'/>", "receipt 9;"},
		{"a marker", "chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='9'/><store xmlns='urn:xmpp:hints'/>", "receipt 9;"},
		{"typing of before", "chat", "<x xmlns='jabber:x:event'><composing/></x>", "silent"},
		{"a reaction", "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='9'><reaction>x</reaction></reactions>", "reactions to 9;"},
		{"a form", "normal", "<captcha xmlns='urn:xmpp:captcha'><x xmlns='jabber:x:data' type='form'/></captcha>", "dropped unsupported;"},
		{"something", "chat", "<thing xmlns='urn:x'/><active xmlns='" + nsChatStates + "'/>", "dropped unsupported;state active;"},
		{"something to be stored", "chat", "<thing xmlns='urn:x'/><store xmlns='urn:xmpp:hints'/>", "message  (1 payloads);"},
		{"something that need not be kept", "chat", "<thing xmlns='urn:x'/>" + hint, "silent"},
		{"something for programs", "headline", "<thing xmlns='urn:x'/>", "silent"},
		{"a message in a message", "chat", "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>hi</body></message></forwarded>", "dropped unsupported;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			message := func(from, to string) string {
				return "<message xmlns='jabber:client' from='" + from + "' to='" + to + "' type='" + tt.typ + "'>" + tt.inner + "</message>"
			}
			if got := what(decodeText(t, message("bo@b.test/x", "me@a.test/home"), testNow)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			carbon := "<message from='me@a.test'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>" +
				message("bo@b.test/x", "me@a.test/phone") + "</forwarded></received></message>"
			want := tt.want
			if tt.typ == "groupchat" {
				want = "silent" // it comes to each device that is in the room
			}
			if got := what(decodeText(t, carbon, testNow)); got != want {
				t.Errorf("in a carbon: got %q, want %q", got, want)
			}
		})
	}
	d := decodeText(t, "<message from='bo@b.test/x'><thing xmlns='urn:x'/>"+sid("me@a.test", "7")+"</message>", testNow)
	of := perch.Message{From: "bo@b.test/x", To: testSelf, StanzaID: "7", Kind: perch.NormalMessage, Source: perch.SourceLive}
	if diff := cmp.Diff([]perch.Inbound{&perch.DroppedIn{Dropped: perch.Dropped{Reason: "unsupported", From: "bo@b.test/x", StanzaID: "7"}, Of: of}}, d.In); diff != "" {
		t.Errorf("Decode(), -want +got:\n%s", diff)
	}
}

// TestForgedWrapper shows what stands beside a wrapper that its sender may not send.
func TestForgedWrapper(t *testing.T) {
	const hidden = "<message xmlns='jabber:client' from='me@a.test/phone' to='me@a.test'><body>forged</body></message>"
	const forwarded = "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2024-01-01T10:00:00Z'/>" + hidden + "</forwarded>"
	for _, tt := range []struct{ name, from, inner, want, forged string }{
		{"archive result", "bo@b.test/x", "<body>hi</body><result xmlns='urn:xmpp:mam:2' id='1'/>", "message hi;", "archive result"},
		{"archive result that comes first", "bo@b.test/x", "<result xmlns='urn:xmpp:mam:2' id='1'>" + forwarded + "</result><body>hi</body>", "message hi;", "archive result"},
		{"archive result of an old version", "bo@b.test/x", "<result xmlns='urn:xmpp:mam:1' id='1'>" + forwarded + "</result><body>hi</body>", "message hi;", "archive result"},
		{"archive result by another device", "me@a.test/phone", "<result xmlns='urn:xmpp:mam:2' id='1'/><body>hi</body>", "message hi;", "archive result"},
		{"archive result alone", "bo@b.test/x", "<result xmlns='urn:xmpp:mam:2' id='1'>" + forwarded + "</result>", "", "archive result"},
		{"archive result beside a state", "bo@b.test/x", "<composing xmlns='" + nsChatStates + "'/><result xmlns='urn:xmpp:mam:2' id='1'/>", "state composing;", "archive result"},
		{"carbon", "bo@b.test/x", "<sent xmlns='urn:xmpp:carbons:2'>" + forwarded + "</sent><body>hi</body>", "message hi;", "carbon"},
		{"carbon of an old version", "me@a.test", "<sent xmlns='urn:xmpp:carbons:1'>" + forwarded + "</sent><body>hi</body>", "message hi;", "carbon"},
		{"both", "bo@b.test/x", "<result xmlns='urn:xmpp:mam:2'/><sent xmlns='urn:xmpp:carbons:2'>" + forwarded + "</sent><body>hi</body>", "message hi;", "carbon"},
		{"in a true carbon", "me@a.test", "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='eve@b.test' to='me@a.test'>" +
			"<body>hi</body><result xmlns='urn:xmpp:mam:2'/></message></forwarded></received>", "message hi;", "archive result"},
		{"a message in a message", "bo@b.test/x", "<body>hi</body>" + forwarded, "message hi (1 payloads);", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeText(t, "<message from='"+tt.from+"' to='me@a.test/home' type='chat'>"+tt.inner+"</message>", testNow)
			if got := what(d); got != tt.want || d.Forged != tt.forged || d.Archived != nil {
				t.Errorf("got %q, forged %q, archive result %+v; want %q, forged %q", got, d.Forged, d.Archived, tt.want, tt.forged)
			}
		})
	}
	d := decodeText(t, "<message to='me@a.test/home'><body>hi</body><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'/></message>", testNow)
	if d.Archived == nil || what(d) != "message hi;" {
		t.Errorf("the own archive: got %q, archive result %+v; want the message and a result", what(d), d.Archived)
	}
	bounce := decodeText(t, "<message from='bo@b.test' id='9' type='error'><result xmlns='urn:xmpp:mam:2'/><error type='cancel'/></message>", testNow)
	if len(bounce.In) != 1 || bounce.Forged != "" {
		t.Errorf("an error with what it answers to: got %+v, forged %q; want the error alone", bounce.In, bounce.Forged)
	}
}

// TestLanguages chooses among texts of several languages.
func TestLanguages(t *testing.T) {
	const de, en, us, fr, none = "<body xml:lang='de'>de</body>", "<body xml:lang='en'>en</body>", "<body xml:lang='en-US'>us</body>", "<body xml:lang='fr'>fr</body>", "<body>none</body>"
	for _, tt := range []struct{ name, stream, stanza, bodies, want string }{
		{"of the stanza", "en", "de", en + fr + de, "de"},
		{"of the stanza, any case", "en", "DE", en + fr + de, "de"},
		{"of the stream", "fr", "", de + en + fr, "fr"},
		{"of the stream, before none", "fr", "", none + fr, "fr"},
		{"none", "es", "", de + none + en, "none"},
		{"inherited", "en", "de", en + none, "none"},
		{"the first", "es", "pt", de + en + fr, "de"},
		{"a region of it", "en", "", de + us, "us"},
		{"the plain one before a region", "en", "", us + en, "en"},
		{"of which it is a region", "en-GB", "", de + none + en, "en"},
		{"empty ones do not count", "en", "", "<body xml:lang='en'/>" + de, "de"},
		{"no language is stated", "", "", de + none, "none"},
		{"no language is known", "", "", de + en, "de"},
		{"without one on purpose", "en", "", de + "<body xml:lang=''>none</body>", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header, lang := strings.Replace(streamtest.Header, " xml:lang='en'", "", 1), ""
			if tt.stream != "" {
				header = strings.Replace(streamtest.Header, "'en'", "'"+tt.stream+"'", 1)
			}
			if tt.stanza != "" {
				lang = " xml:lang='" + tt.stanza + "'"
			}
			for local, stanza := range map[string]string{"body": "message", "subject": "message", "status": "presence"} {
				texts := strings.ReplaceAll(strings.ReplaceAll(tt.bodies, "<body", "<"+local), "</body", "</"+local)
				in := decodeIn(t, header, "<"+stanza+" from='bo@b.test'"+lang+">"+texts+"</"+stanza+">", testSelf, testNow).In
				if len(in) != 1 {
					t.Fatalf("%s: got %+v, want one stanza", local, in)
				}
				got := ""
				switch in := in[0].(type) {
				case *perch.MessageIn:
					got = in.Body + in.Subject
				case *perch.PresenceIn:
					got = in.Status
				}
				if got != tt.want {
					t.Errorf("%s: got %q, want %q", local, got, tt.want)
				}
			}
		})
	}
}

// TestLanguageOfTheStream reads it from the stream header.
func TestLanguageOfTheStream(t *testing.T) {
	for _, tt := range []struct{ attr, want string }{{" xml:lang='de'", "Hallo"}, {" xml:lang='en'", "Hello"}, {"", "Bonjour"}} {
		header := "<stream:stream from='a.test' version='1.0'" + tt.attr + " xmlns='jabber:client' xmlns:stream='" + xmlstream.NSStream + "'>"
		raw := "<message from='bo@b.test'><body xml:lang='en'>Hello</body><body xml:lang='de'>Hallo</body><body>Bonjour</body></message>"
		d := decodeIn(t, header, raw, testSelf, testNow)
		if got := what(d); got != "message "+tt.want+";" {
			t.Errorf("%q: got %q, want %q", tt.attr, got, tt.want)
		}
	}
}
