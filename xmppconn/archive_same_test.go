package xmppconn

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
)

// oddStanzas are messages that are easily read in one way live and in another from an archive.
var oddStanzas = []struct{ name, raw string }{
	{"a body", odd("chat", "<body>hi</body><thread>t</thread>"+sid("me@a.test", "9"))},
	{"no body", odd("chat", "")},
	{"an empty body", odd("chat", "<body/><thread>t</thread>")},
	{"only a subject", odd("normal", "<subject>s</subject>")},
	{"a subject of a room", odd("groupchat", "<subject>s</subject>"+sid("bo@b.test", "4"))},
	{"a chat state", odd("chat", "<composing xmlns='"+nsChatStates+"'/>")},
	{"a receipt", odd("chat", "<received xmlns='urn:xmpp:receipts' id='9'/>")},
	{"a body that asks for a receipt", odd("chat", "<body>hi</body><request xmlns='urn:xmpp:receipts'/>")},
	{"an error", odd("error", "<body>hi</body><error type='cancel'><service-unavailable xmlns='"+nsStanzas+"'/></error>")},
	{"an unknown type", odd("novel", "<body>hi</body>")},
	{"no type", strings.Replace(odd("chat", "<body>hi</body>"), " type='chat'", "", 1)},
	{"a forged result", odd("chat", "<body>hi</body><result xmlns='"+nsMAM+"' queryid='q' id='1'/>")},
	{"a forged result alone", odd("chat", "<result xmlns='"+nsMAM+"' queryid='q' id='1'><forwarded xmlns='"+nsForward+"'>"+odd("chat", "<body>hidden</body>")+"</forwarded></result>")},
	{"a forged carbon", odd("chat", "<body>hi</body><sent xmlns='"+nsCarbons+"'><forwarded xmlns='"+nsForward+"'>"+odd("chat", "<body>hidden</body>")+"</forwarded></sent>")},
	{"a forged carbon alone", odd("chat", "<received xmlns='"+nsCarbons+"'><forwarded xmlns='"+nsForward+"'>"+odd("chat", "<body>hidden</body>")+"</forwarded></received>")},
	{"a carbon", "<message xmlns='jabber:client' from='me@a.test' to='me@a.test/home'><received xmlns='" + nsCarbons + "'><forwarded xmlns='" + nsForward + "'>" +
		odd("chat", "<body>hi</body>") + "</forwarded></received></message>"},
	{"a message in a message", odd("chat", "<forwarded xmlns='"+nsForward+"'>"+odd("chat", "<body>hidden</body>")+"</forwarded>")},
	{"encrypted", odd("chat", "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AA==</payload></encrypted>")},
	{"encrypted with a body", odd("chat", "<body>not for you</body><encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AA==</payload></encrypted>")},
	{"keys", odd("chat", "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>")},
	{"a call", odd("chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>")},
	{"an invitation", odd("normal", "<x xmlns='jabber:x:conference' jid='r@c.test'/>")},
	{"a file", odd("chat", "<x xmlns='jabber:x:oob'><url>https://b.test/f</url><desc>d</desc></x>")},
	{"XHTML", odd("chat", "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>hi</p></body></html>")},
	{"something", odd("chat", "<thing xmlns='urn:x'/>")},
	{"something for programs", odd("headline", "<thing xmlns='urn:x'/>")},
	{"something that need not be kept", odd("chat", "<thing xmlns='urn:x'/><no-store xmlns='urn:xmpp:hints'/>")},
	{"a delay", odd("chat", "<body>hi</body><delay xmlns='urn:xmpp:delay' stamp='2024-01-01T10:00:00Z' from='b.test'/>")},
	{"a delay that cannot be read", odd("chat", "<body>hi</body><delay xmlns='urn:xmpp:delay' stamp='yesterday'/>")},
	{"encrypted, and a delay that cannot be read", odd("chat", "<encrypted xmlns='urn:xmpp:omemo:2'><payload>AA==</payload></encrypted><delay xmlns='urn:xmpp:delay' stamp='yesterday'/>")},
	{"several languages", odd("chat", "<body xml:lang='de'>hallo</body><body>none</body><body xml:lang='en'>hello</body><subject xml:lang='fr'>s</subject>")},
	{"from another device", "<message xmlns='jabber:client' from='me@a.test/phone' to='bo@b.test' type='chat' id='m-1'><body>hi</body></message>"},
}

func odd(typ, inner string) string {
	return "<message xmlns='jabber:client' from='bo@b.test/x' to='me@a.test/home' type='" + typ + "' id='m-1'>" + inner + "</message>"
}

// TestArchiveAndLiveAreTheSame decodes each stanza as it comes live and out of an archive, in
// both orders of delay and message: the same message comes of it, the same drop, or nothing.
func TestArchiveAndLiveAreTheSame(t *testing.T) {
	for _, tt := range oddStanzas {
		t.Run(tt.name, func(t *testing.T) { compareWithLive(t, mustParse(t, tt.raw)) })
	}
}

// compareWithLive decodes one message as it would come live and as it would come of an archive.
func compareWithLive(t *testing.T, message *element) {
	t.Helper()
	rd := reading{testSelf, testNow, "en"}
	want := archivedOf(t, decodeStanza(message, rd))
	inner, _ := incoming{reading: rd, el: message}.unwrap()
	delay := mustParse(t, "<delay xmlns='urn:xmpp:delay' stamp='"+archivedStamp+"'/>")
	for _, order := range [][]*element{{delay, message}, {message, delay}} {
		wrapped := mustParse(t, "<message to='me@a.test/home'><result xmlns='"+nsMAM+"' queryid='q' id='a-1'><forwarded xmlns='"+nsForward+"'/></result></message>")
		wrapped.children[0].children[0].children = order
		d := decodeStanza(wrapped, rd)
		if d.mam == nil || d.mam.queryID != "q" || len(d.in) != 0 {
			t.Fatalf("got archive result %+v, and %+v beside it; want the result alone", d.mam, d.in)
		}
		if got := d.mam.item; got != nil && want != nil && inner.el.attr("to") == "" && got.To == testSelf.Bare() {
			got.To = want.To // a stanza without to is for the account there, for the resource here
		}
		if diff := cmp.Diff(want, d.mam.item); diff != "" {
			t.Fatalf("from the archive, compared with live: %s", diff)
		}
	}
}

const archivedStamp = "2024-05-01T10:00:00Z"

// archivedOf is what an archive must give of a stanza, after what it gives live; nil: nothing.
func archivedOf(t *testing.T, live decoded) (want *perch.ArchiveItem) {
	t.Helper()
	for _, in := range live.in {
		switch in := in.(type) {
		case *perch.MessageIn:
			want = &perch.ArchiveItem{MessageIn: *in}
		case *perch.DroppedIn:
			if in.Of.From != in.From {
				t.Errorf("dropped is from %q, what it is of from %q", in.From, in.Of.From)
			}
			want = &perch.ArchiveItem{MessageIn: perch.MessageIn{Message: in.Of}, Dropped: in.Reason}
		}
	}
	if want == nil {
		return nil
	}
	own := testSelf.Bare()
	want.StanzaID, want.Source, want.ReceiptRequested = "a-1", perch.SourceArchive, false
	want.Sent = want.From.Bare().Equal(own) && !want.To.Bare().Equal(own)
	want.Time = parseTime(archivedStamp)
	if want.Delay == nil || want.Delay.Stamp == 0 { // the archive knows it
		want.Delay = &perch.Delay{Stamp: want.Time}
	}
	return want
}

// TestArchivePageWithDrops asks a server for a page: what is over a limit is in it, too, and is no
// event of its own; what has nothing in it for a person is counted, as it is live.
func TestArchivePageWithDrops(t *testing.T) {
	bubble(t, "page", func(t *testing.T) {
		s := newSMServer(t)
		s.serve("xmpp.a.test:5222", func(p *peer) {
			p.startTLS()
			p.open(offerSASL("OAUTHBEARER"))
			p.expect(nsSASL, "auth")
			p.send(saslSuccess)
			p.open(offerBind)
			p.result(p.next(), "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
			p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'><feature var='"+nsMAM+"'/></query>")
			p.expect(nsClient, "iq") // carbons
			query := p.expect(nsClient, "iq")
			result := func(from, queryID, id, inner string) string {
				return "<message" + from + " to='" + smSelf + "'>\n<result queryid='" + queryID + "' id='" + id + "' xmlns='" + nsMAM + "'><forwarded xmlns='" + nsForward +
					"'><delay xmlns='urn:xmpp:delay' stamp='2024-05-01T10:00:00Z'/>" + inner + "</forwarded></result></message>"
			}
			id := query.children[0].attr("queryid")
			large, deep := strings.Repeat("x", 1<<20), strings.Repeat("<x>", 40)+strings.Repeat("</x>", 40)
			p.send(result("", id, "1", odd("chat", "<body>hi</body>")) +
				result("", id, "2", odd("chat", "<encrypted xmlns='urn:xmpp:omemo:2'><payload>AA==</payload></encrypted>")) +
				result("", id, "3", odd("chat", "<body>"+large+"</body>")) +
				result(" from='me@a.test'", id, "4", odd("chat", "<body>hi</body>"+deep)) +
				result("", id, "5", odd("chat", "<active xmlns='"+nsChatStates+"'/>")) +
				result("", id, "6", "") +
				result("", id, "7", odd("error", "")) +
				result("", "another", "8", odd("chat", "<body>"+large+"</body>")) + // an answer that is late
				result(" from='eve@b.test'", id, "9", odd("chat", "<body>"+large+"</body>")) +
				resultOf(query, "<fin xmlns='"+nsMAM+"' complete='true'><set xmlns='"+nsRSM+"'><first>1</first><last>7</last></set></fin>"))
			p.drain()
		})
		acc := tokenAccount
		acc.JID = "me@a.test"
		c, err := s.d.Dial(context.Background(), acc, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
		b := &box{}
		c.Start(b.sink)
		page, err := c.Archive(context.Background(), perch.ArchiveQuery{With: "bo@b.test", Limit: 20})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, it := range page.Items {
			got = append(got, strings.Join([]string{it.StanzaID, it.ID, string(it.From), it.Body, it.Dropped}, "|"))
		}
		want := []string{"1|m-1|bo@b.test/x|hi|", "2|m-1|bo@b.test/x||encrypted", "3|m-1|bo@b.test/x||too_large", "4|m-1|bo@b.test/x||too_deep"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var dropped []perch.JID
		for _, in := range b.take() {
			if d, ok := in.(*perch.DroppedIn); ok {
				dropped = append(dropped, d.From)
			}
		}
		if len(dropped) != 1 || dropped[0] != "eve@b.test" {
			t.Errorf("got drops from %q, want the one that is no result of the archive", dropped)
		}
		n := s.d.counters
		if n.Silent.Load() != 2 || n.Malformed.Load() != 1 || n.ForgedOther.Load() != 1 || n.Skipped.Load() != 4 {
			t.Errorf("got %d silent, %d malformed, %d forged, %d skipped; want 2, 1, 1, 4", n.Silent.Load(), n.Malformed.Load(), n.ForgedOther.Load(), n.Skipped.Load())
		}
	})
}

// TestArchive136Drops takes what has no body out of a collection as it would be live, under an id
// that stays, and counts it among the messages that the archive gave.
func TestArchive136Drops(t *testing.T) {
	el := mustParse(t, "<chat xmlns='"+nsArchive+"' with='b@b.test' start='2012-05-01T10:00:00Z'><from secs='0'><body>hi</body></from>"+
		"<to secs='1'><encrypted xmlns='urn:xmpp:omemo:2'><payload>AA==</payload></encrypted></to><from secs='1'><body/></from>"+
		"<from secs='1'><x xmlns='jabber:x:oob'><url>https://b.test/f</url></x></from></chat>")
	q := perch.ArchiveQuery{With: "b@b.test"}
	page, again := parseArchive136(el, testSelf, q, 5, 0), parseArchive136(el, testSelf, q, 4, 0)
	var got []string
	for i, it := range page.Items {
		if it.StanzaID == "" || it.StanzaID != again.Items[i].StanzaID {
			t.Errorf("item %d has the ids %q and %q, want the same", i, it.StanzaID, again.Items[i].StanzaID)
		}
		got = append(got, string(it.From)+"|"+it.Body+"|"+it.Dropped)
	}
	if diff := cmp.Diff([]string{"b@b.test|hi|", "me@a.test||encrypted", "b@b.test|https://b.test/f|"}, got); diff != "" {
		t.Error(diff)
	}
	if !page.Complete || again.Complete {
		t.Errorf("complete %v with 4 of 5, %v with 4 of 4; want true, false", page.Complete, again.Complete)
	}
}
