package today_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// TestPrivateMessageIsCopied to the other devices of who says it, once the room has taken it, and as the one of
// a room (XEP-0280, 6.1).
func TestPrivateMessageIsCopied(t *testing.T) {
	s, ann, _, _ := three(t)
	tab := online(t, s, "ann", "tab")
	tab.IQ("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>")
	for _, tt := range []struct {
		what, to, kind, refused string
		copied                  bool
	}{
		{"to nobody", tea + "/Nobody", "chat", "item-not-found", false},
		{"to the room", tea, "chat", "bad-request", false},
		{"to ben", tea + "/Ben", "chat", "", true},
		{"to ben without a type", tea + "/Ben", "normal", "", true},
	} {
		ann.Send("<message type='%s' id='p' to='%s'><body>x</body></message>", tt.kind, tt.to)
		equal(t, tt.what, bounced(ann.Sync()), tt.refused)
		got := xmpptest.Only(tab.Sync(), "message")
		if len(got) != map[bool]int{true: 1}[tt.copied] {
			t.Errorf("%s: got the copies %v, want one: %v", tt.what, got, tt.copied)
			continue
		}
		if !tt.copied {
			continue
		}
		m := got[0].At("sent", "forwarded", "message")
		id := kid(m, "urn:xmpp:sid:0")
		if m.Get("to") != tt.to || user(m).XMLName.Local != "x" || id.Get("by") != at("ann") || id.Get("id") == "" {
			t.Errorf("%s: got the copy %v, want it of a room and with its id in the archive", tt.what, m)
		}
	}
}

// TestInvitationMeetsBlocking: of the inviter, of the room, and of what the inviter has blocked itself; then it
// makes no member either (XEP-0191).
func TestInvitationMeetsBlocking(t *testing.T) {
	s, ann, ben, _ := three(t, "membersonly=0")
	dan := online(t, s, "cat", "other")
	invite := func() string {
		ann.Send("<message to='%s' id='i'><x xmlns='%s#user'><invite to='%s'/></x></message>", tea, muc, at("cat"))
		return bounced(ann.Sync())
	}
	for _, tt := range []struct {
		what    string
		who     *xmpptest.Client
		blocked string
		want    string
	}{
		{"who invites", dan, at("ann"), "service-unavailable"},
		{"the room", dan, tea, "service-unavailable"},
		{"the host of the rooms", dan, "rooms." + s.Domain(), "service-unavailable"},
		{"the occupant", dan, tea + "/Ann", "service-unavailable"},
		{"who is invited", ann, at("cat"), "not-acceptable"},
		{"somebody else", dan, at("ben"), ""},
	} {
		tt.who.IQ("set", "", blockItem("block", tt.blocked))
		dan.Sync()
		equal(t, tt.what, invite(), tt.want)
		if got := len(xmpptest.Only(dan.Sync(), "message")); got != map[bool]int{true: 1}[tt.want == ""] {
			t.Errorf("%s: got %d invitations, want none of who is blocked", tt.what, got)
		}
		tt.who.IQ("set", "", blockItem("unblock", tt.blocked))
	}
	ben.Sync()
}

// TestFullOfflineStore: what the archive has is not refused, and what nothing has is; an invitation, too.
func TestFullOfflineStore(t *testing.T) {
	o := world()
	o.OfflineMax = 1
	s := start(t, o)
	setUp := signIn(t, s, "cat", "x")
	ann := online(t, s, "ann", "a")
	opens(ann, "Ann")
	setUp.Send("</stream:stream>")
	setUp.Ended()
	write := func(id string) string {
		ann.Send("%s", chat(at("cat"), id, "x"))
		return bounced(ann.Sync())
	}
	for i := range 3 {
		equal(t, fmt.Sprintf("message %d", i), write(fmt.Sprint(i)), "")
	}
	late := signIn(t, s, "cat", "y")
	late.IQ("set", "", "<prefs xmlns='urn:xmpp:mam:2' default='never'><always/><never/></prefs>")
	late.Send("</stream:stream>")
	late.Ended()
	equal(t, "a message that no archive takes", write("3"), "service-unavailable")
	ann.Send("<message to='%s' id='i'><x xmlns='%s#user'><invite to='%s'/></x></message>", tea, muc, at("cat"))
	equal(t, "an invitation that no archive takes", bounced(ann.Sync()), "service-unavailable")
}
