package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// unread waits until so many messages of the room are unread, and no other number stays.
func (r *roomWorld) unread(want int) {
	r.t.Helper()
	testkit.Eventually(r.t, 20*time.Second, func() error {
		c := r.api.Get(r.t, "/v1/conversations?type=room").Find("items", "jid", r.room)
		if c == nil || c.At("unread") != float64(want) || !c.Bool("unread_exact") {
			return fmt.Errorf("got %v, want %d unread, exactly", c, want)
		}
		return nil
	})
}

// TestRoomReadPositions: how far a room was read is the same on all devices of the account (XEP-0490), by
// the ids that the room gives.
func TestRoomReadPositions(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		t := r.t
		r.unread(0)
		first := r.bobSays("b1", "one")
		second := r.bobSays("b2", "two")
		r.bobSays("b3", "three")
		r.unread(3)

		r.api.Call(t, http.StatusOK, http.MethodPut, "/v1/conversations/"+testkit.Escape(r.room)+"/read", map[string]string{"ref": first.Str("ref")})
		r.unread(2)
		phone := r.server.NbxmppFor(t, r.alice)
		testkit.Eventually(t, 20*time.Second, func() error {
			if ids := phone.Items(t, "urn:xmpp:mds:displayed:0"); !slices.Contains(ids, r.room) {
				return fmt.Errorf("got positions of %q, want one of %s", ids, r.room)
			}
			return nil
		})

		moveMarker(t, phone, r.room, r.room, second.Str("room_stanza_id"))
		r.stream.Expect(t, "read elsewhere", func(f testkit.Frame) bool {
			return f.Type == "conversation.read" && f.Data.Str("jid") == r.room && f.Data.At("unread") == float64(1)
		})
		r.unread(1)
		moveMarker(t, phone, r.room, r.room, first.Str("room_stanza_id")) // a marker goes forward only
		r.bobSays("b4", "four")
		r.unread(2)
	})
}
