package stanza_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// fromRoomArchive is a message out of the archive of a room, as it sends it; delay and message in
// either order.
func fromRoomArchive(inner string, delayFirst bool) string {
	delay := "<delay xmlns='urn:xmpp:delay' stamp='" + archivedStamp + "' from='muc.test'/>"
	if delayFirst {
		inner = delay + inner
	} else {
		inner += delay
	}
	return "<message from='r@muc.test' to='me@a.test/home'><result xmlns='" + nsMAM + "' queryid='q' id='s1'><forwarded xmlns='" + nsForward + "'>" + inner + "</forwarded></result></message>"
}

// keptInRoom is a message as the archive has it: without a to, and with who the room says that it is by.
func keptInRoom(from, inner string) string {
	return "<message xmlns='jabber:client' from='" + from + "' type='groupchat' id='m-1'>" + inner + "</message>"
}

// TestRoomArchiveAndLiveAreTheSame decodes what occupants send as the room sends it to all, and out of
// its archive: the same message comes of it, the same drop, or nothing.
func TestRoomArchiveAndLiveAreTheSame(t *testing.T) {
	for name, inner := range map[string]string{
		"a body":              "<body>hi</body><thread>t</thread><origin-id xmlns='urn:xmpp:sid:0' id='u1'/>" + occupant,
		"an empty body":       "<body/>",
		"a subject":           "<subject>s</subject>",
		"no subject":          "<subject/>",
		"a chat state":        "<composing xmlns='" + nsChatStates + "'/>",
		"a marker":            "<displayed xmlns='urn:xmpp:chat-markers:0' id='9'/>",
		"a receipt asked":     "<body>hi</body><request xmlns='urn:xmpp:receipts'/>",
		"an edit":             "<body>hi</body><replace xmlns='urn:xmpp:message-correct:0' id='m-0'/>" + occupant,
		"a retraction":        "<body>gone</body><retract xmlns='urn:xmpp:message-retract:1' id='s0'/>",
		"a tombstone":         "<retracted xmlns='urn:xmpp:message-retract:1' stamp='2024-01-01T10:00:00Z'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/></retracted>",
		"a forged moderation": "<retract xmlns='urn:xmpp:message-retract:1' id='s0'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>",
		"reactions":           "<reactions xmlns='urn:xmpp:reactions:0' id='s0'><reaction>👍</reaction></reactions><store xmlns='urn:xmpp:hints'/>",
		"a reply":             "<body>&gt; o\nn</body><reply xmlns='urn:xmpp:reply:0' to='r@muc.test/Al' id='s0'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>",
		"a file":              "<x xmlns='jabber:x:oob'><url>https://b.test/f</url></x>",
		"encrypted":           "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AA==</payload></encrypted>",
		"something":           "<thing xmlns='urn:x'/>",
		"an invitation":       "<x xmlns='" + nsMUCUser + "'><invite from='bo@b.test'/></x>",
		"a real address":      "<body>hi</body><x xmlns='" + nsMUCUser + "'><item jid='bo@b.test/x' affiliation='owner'/></x>",
		"a forged result":     "<body>hi</body><result xmlns='" + nsMAM + "' queryid='q' id='1'/>",
	} {
		t.Run(name, func(t *testing.T) { compareRoomWithLive(t, roomBo, inner) })
	}
	compareRoomWithLive(t, "r@muc.test", "<retract xmlns='urn:xmpp:message-retract:1' id='s0'><moderated xmlns='urn:xmpp:message-moderate:1' by='r@muc.test/Mod'/></retract>")
}

func compareRoomWithLive(t *testing.T, from, inner string) {
	t.Helper()
	live := decodeText(t, inRoom(from, inner+roomID), testNow)
	var want *perch.ArchiveItem
	for _, in := range live.In {
		if subject, ok := in.(*perch.RoomSubjectIn); ok {
			in = subject.Plain
		}
		switch in := in.(type) {
		case *perch.MessageIn:
			want = &perch.ArchiveItem{MessageIn: *in}
		case *perch.DroppedIn:
			want = &perch.ArchiveItem{MessageIn: perch.MessageIn{Message: in.Of}, Dropped: in.Reason}
		}
	}
	if want != nil {
		want.Source, want.Time = perch.SourceArchive, stanza.ParseTime(archivedStamp)
		want.Delay = &perch.Delay{Stamp: want.Time, From: "muc.test"}
	}
	for _, first := range []bool{true, false} {
		d := decodeText(t, fromRoomArchive(keptInRoom(from, inner), first), testNow)
		if d.Archived == nil || d.Archived.QueryID != "q" || d.Archived.From != "r@muc.test" || d.Archived.Broken || len(d.In) != 0 {
			t.Fatalf("%s: got %+v, and %+v beside it; want a result of the room alone", inner, d.Archived, d.In)
		}
		if diff := cmp.Diff(want, d.Archived.Item); diff != "" {
			t.Errorf("%s from the archive, -want (as live) +got:\n%s", inner, diff)
		}
	}
}

// TestRoomArchiveOfOthers: a room has only what was said in it.
func TestRoomArchiveOfOthers(t *testing.T) {
	sound := keptInRoom(roomBo, "<body>hi</body>")
	for name, raw := range map[string]string{
		"of another room": fromRoomArchive(strings.Replace(sound, roomBo, "s@muc.test/Bo", 1), true),
		"of a contact":    fromRoomArchive(strings.Replace(sound, roomBo, "bo@b.test/x", 1), true),
		"of nobody":       fromRoomArchive(strings.Replace(sound, "from='"+roomBo+"'", "", 1), true),
		"private":         fromRoomArchive(strings.Replace(sound, "groupchat", "chat", 1), true),
		"nothing":         fromRoomArchive("", true),
	} {
		if d := decodeText(t, raw, testNow); d.Archived == nil || !d.Archived.Broken || d.Archived.Item != nil || len(d.In) != 0 {
			t.Errorf("%s: got %+v and %+v, want a broken result", name, d.Archived, d.In)
		}
	}
	for name, from := range map[string]string{"an occupant": roomBo, "a service": "muc.test", "a contact": "bo@b.test/x"} {
		raw := strings.Replace(fromRoomArchive(sound, true), "from='r@muc.test'", "from='"+from+"'", 1)
		if d := decodeText(t, raw, testNow); d.Archived != nil || d.Forged != "archive result" || len(d.In) != 0 {
			t.Errorf("by %s: got %+v, %q, %+v; want it forged", name, d.Archived, d.Forged, d.In)
		}
	}
}

// FuzzRoomArchived decodes anything that an occupant can send as it comes live, and out of the archive
// of the room: it gives the same.
func FuzzRoomArchived(f *testing.F) {
	f.Add("<body>hi</body>" + occupant)
	f.Add("<subject>s</subject><x xmlns='" + nsMUCUser + "'><item jid='a@b'/><status code='104'/></x>")
	f.Add("<retract xmlns='urn:xmpp:message-retract:1' id='s0'/><thing xmlns='urn:x'/>")
	f.Fuzz(func(t *testing.T, inner string) {
		whole := inRoom(roomBo, inner+roomID)
		fr, _, ok := firstFrame([]byte(whole))
		if !ok || string(fr.Raw) != whole || strings.Contains(inner, "delay") || strings.Contains(inner, "stanza-id") || len(whole) > 1<<10 || strings.Count(whole, "<") > 20 || strings.Count(whole, "=") > 30 {
			return
		}
		if d, err := stanza.Decode(&fr, testSelf, testNow); err != nil || d.Archived != nil {
			return
		}
		compareRoomWithLive(t, roomBo, inner)
	})
}
