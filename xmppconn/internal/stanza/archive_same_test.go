package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
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
	{"an edit", odd("chat", "<body>hi</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>")},
	{"a retraction", odd("chat", "<body>gone</body><retract xmlns='urn:xmpp:message-retract:1' id='1'/>")},
	{"a forged moderation", odd("groupchat", "<retract xmlns='urn:xmpp:message-retract:1' id='1'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>")},
	{"a tombstone", odd("chat", "<retracted xmlns='urn:xmpp:message-retract:1' stamp='2024-01-01T10:00:00Z'/>")},
	{"a reply", odd("chat", "<body>&gt; o\nn</body><reply xmlns='urn:xmpp:reply:0' to='me@a.test' id='1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>")},
	{"payloads", odd("chat", "<body>hi</body><a xmlns='urn:a'>x<b/>y</a>")},
	{"a marker", odd("chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>")},
	{"from another device", "<message xmlns='jabber:client' from='me@a.test/phone' to='bo@b.test' type='chat' id='m-1'><body>hi</body></message>"},
}

func odd(typ, inner string) string {
	return "<message xmlns='jabber:client' from='bo@b.test/x' to='me@a.test/home' type='" + typ + "' id='m-1'>" + inner + "</message>"
}

// TestArchiveAndLiveAreTheSame decodes each stanza as it comes live and out of an archive, in
// both orders of delay and message: the same message comes of it, the same drop, or nothing.
func TestArchiveAndLiveAreTheSame(t *testing.T) {
	for _, tt := range oddStanzas {
		t.Run(tt.name, func(t *testing.T) { compareWithLive(t, tt.raw) })
	}
}

// compareWithLive decodes one message as it would come live and as it would come of an archive.
func compareWithLive(t *testing.T, message string) {
	t.Helper()
	live := decodeText(t, message, testNow)
	want := archivedOf(t, live)
	to := innermost(streamtest.Parse(t, message), live).Attr("to")
	if want != nil && want.Kind == perch.GroupchatMessage { // the own archive knows no rooms
		want.Room, want.To, want.History = nil, orJID(perch.JID(to), testSelf), false
	}
	delay := "<delay xmlns='urn:xmpp:delay' stamp='" + archivedStamp + "'/>"
	for _, order := range []string{delay + message, message + delay} {
		// The prefixes leave the namespace of the message what it is live.
		d := decodeText(t, "<message to='me@a.test/home'><m:result xmlns:m='"+nsMAM+"' queryid='q' id='a-1'><f:forwarded xmlns:f='"+nsForward+"'>"+
			order+"</f:forwarded></m:result></message>", testNow)
		if d.Archived == nil || d.Archived.QueryID != "q" || len(d.In) != 0 {
			t.Fatalf("got archive result %+v, and %+v beside it; want the result alone", d.Archived, d.In)
		}
		if got := d.Archived.Item; got != nil && want != nil && to == "" && got.To == testSelf.Bare() {
			got.To = want.To // a stanza without to is for the account there, for the resource here
		}
		if diff := cmp.Diff(want, d.Archived.Item); diff != "" {
			t.Fatalf("from the archive, -want (as live) +got:\n%s", diff)
		}
	}
}

// innermost is the message in a carbon that was taken, or the message itself.
func innermost(el *xmlstream.Element, d stanza.Decoded) *xmlstream.Element {
	for _, name := range []string{"received", "sent"} {
		carbon := el.Child(nsCarbons, name)
		if inner := carbon.Child(nsForward, "forwarded").Child(nsClient, "message"); inner != nil && d.Forged != "carbon" {
			return inner
		}
	}
	return el
}

func orJID(a, b perch.JID) perch.JID {
	if a != "" {
		return a
	}
	return b
}

const archivedStamp = "2024-05-01T10:00:00Z"

// archivedOf is what an archive must give of a stanza, after what it gives live; nil: nothing.
func archivedOf(t *testing.T, live stanza.Decoded) (want *perch.ArchiveItem) {
	t.Helper()
	for _, in := range live.In {
		switch room := in.(type) { // the own archive has them as those get them who are not in the room
		case *perch.RoomSubjectIn:
			in = room.Plain
		case *perch.RoomDeclinedIn:
			in = room.Plain
		}
		switch in := in.(type) {
		case *perch.MessageIn:
			want = &perch.ArchiveItem{MessageIn: *in}
		case *perch.RoomInvitedIn:
			want = &perch.ArchiveItem{MessageIn: perch.MessageIn{Message: in.Of}, Dropped: perch.DroppedInvitation, Invited: &in.RoomInvitation}
		case *perch.DroppedIn:
			if in.Of.From != in.From {
				t.Errorf("dropped is from %q, what it is of from %q; want From %v", in.From, in.Of.From, in.From)
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
	want.Time = stanza.ParseTime(archivedStamp)
	if want.Delay == nil || want.Delay.Stamp == 0 { // the archive knows it
		want.Delay = &perch.Delay{Stamp: want.Time}
	}
	return want
}

// TestArchive136Drops takes what has no body out of a collection as it would be live, under an id
// that stays, and counts it among the messages that the archive gave.
func TestArchive136Drops(t *testing.T) {
	el := streamtest.Parse(t, "<chat xmlns='"+nsArchive+"' with='b@b.test' start='2012-05-01T10:00:00Z'><from secs='0'><body>hi</body></from>"+
		"<to secs='1'><propose xmlns='urn:xmpp:jingle-message:0' id='1'/></to><from secs='1'><body/></from>"+
		"<from secs='1'><x xmlns='jabber:x:oob'><url>https://b.test/f</url></x></from></chat>")
	q := perch.ArchiveQuery{With: "b@b.test"}
	page, again := stanza.ParseArchive136(el, testSelf, q, 5, 0), stanza.ParseArchive136(el, testSelf, q, 4, 0)
	var got []string
	for i, it := range page.Items {
		if it.StanzaID == "" || it.StanzaID != again.Items[i].StanzaID {
			t.Errorf("item %d has the ids %q and %q, want the same", i, it.StanzaID, again.Items[i].StanzaID)
		}
		got = append(got, string(it.From)+"|"+it.Body+"|"+it.Dropped)
	}
	if diff := cmp.Diff([]string{"b@b.test|hi|", "me@a.test||call", "b@b.test|https://b.test/f|"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if d := page.Items[2].MessageDetails; d == nil || len(d.Attachments) != 1 {
		t.Errorf("got the details %+v, want those that it has live", d)
	}
	if !page.Complete || again.Complete {
		t.Errorf("complete %v with 4 of 5, %v with 4 of 4; want true, false", page.Complete, again.Complete)
	}
}
