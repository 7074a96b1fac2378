package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

// enters lets one more account of the gateway join the room.
func (r *roomWorld) enters(name string, join map[string]any) (*testkit.Gateway, testkit.User) {
	r.t.Helper()
	u := r.server.NewUserAt(r.t, name, r.server.Domain)
	g := r.login.signIn(r.t, r.app, r.server, u)
	join["nick"], join["autojoin"] = name, nil
	g.Call(r.t, http.StatusCreated, http.MethodPut, r.path+"?wait=joined", join)
	return g, u
}

// TestRoomOccupantsOfTwo: two sessions of one node share the list of a room, each with its own rights, and
// nothing is left of it when both have left.
func TestRoomOccupantsOfTwo(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		carol, user := r.enters("carol", map[string]any{})
		r.peer.Expect(t, "carol", r.occupant("carol", "available"))
		sees := func(g *testkit.Gateway) map[string]string {
			page := g.Get(t, r.path+"/occupants")
			if n, _ := page.At("count").(float64); n != 3 || !page.Bool("complete") {
				t.Errorf("got %v, want three occupants and the whole list", page)
			}
			all := map[string]string{}
			for _, o := range page.List("items") {
				all[o.Str("nick")] = o.Str("jid")
			}
			return all
		}
		r.stream.Expect(t, "carol", func(f testkit.Frame) bool {
			return f.Type == "room.occupant" && f.Data.Str("change") == "joined" && f.Data.Str("occupant.nick") == "carol"
		})
		if got := sees(r.api); got["Alice"] != r.alice.JID || got["Bob"] != r.bob.JID || got["carol"] != user.JID {
			t.Errorf("the owner: got %v, want the address of each", got)
		}
		got := sees(carol)
		if _, there := got["Bob"]; !there || got["Alice"] != "" || got["Bob"] != "" || got["carol"] != user.JID {
			t.Errorf("a participant: got %v, want its own address alone", got)
		}
		a := carol.Call(t, http.StatusOK, http.MethodGet, r.path+"/occupants", nil)
		for _, jid := range []string{r.alice.JID, r.bob.JID} {
			if strings.Contains(string(a.Body), jid) {
				t.Errorf("a participant: got %s, want nothing of %s", a.Body, jid)
			}
		}
		carol.Call(t, http.StatusNoContent, http.MethodDelete, r.path, nil)
		r.peer.Expect(t, "carol gone", r.occupant("carol", "unavailable"))
		r.gauges("perch_rooms 1", "perch_room_occupants 2")
		r.api.Call(t, http.StatusNoContent, http.MethodDelete, r.path, nil)
		r.becomes(r.room, "left")
		r.gauges("perch_rooms 0", "perch_room_occupants 0", "perch_room_occupants_bytes 0")
	})
}

// gauges waits for lines of /metrics.
func (r *roomWorld) gauges(lines ...string) {
	r.t.Helper()
	testkit.Eventually(r.t, 20*time.Second, func() error {
		page := "\n" + scrape(r.t, r.app)
		for _, line := range lines {
			if !strings.Contains(page, "\n"+line+"\n") {
				return fmt.Errorf("/metrics has no line %q", line)
			}
		}
		return nil
	})
}

// TestRoomPresence: rooms get the presence of the account. One that is unavailable is in none, and is in
// them again once it is available; a room that was left gets nothing more, where a presence would join it.
func TestRoomPresence(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		own := func(body map[string]any) { r.api.Call(t, http.StatusOK, http.MethodPut, "/v1/presence/me", body) }
		shown := func(show string) func(testkit.PeerEvent) bool {
			return func(e testkit.PeerEvent) bool { return r.occupant("Alice", "available")(e) && e.Show == show }
		}
		own(map[string]any{"show": "away", "status": "lunch"})
		if e := r.peer.Expect(t, "away", shown("away")); e.Status != "lunch" {
			t.Errorf("got the status %q, want lunch", e.Status)
		}
		own(map[string]any{"available": false})
		r.peer.Expect(t, "unavailable", r.occupant("Alice", "unavailable"))
		if v := r.becomes(r.room, "left"); v.Str("reason") != "unavailable" {
			t.Errorf("got %v, want it left because the account is unavailable", v)
		}
		r.bobSends("m1", "<body>meanwhile</body>")
		r.reaches("his own message", "<body>meanwhile</body>")
		own(map[string]any{"available": true, "show": "dnd"})
		r.becomes(r.room, "joined")
		r.peer.Expect(t, "back", shown("dnd"))
		r.stream.Expect(t, "meanwhile", message("message.received", "meanwhile"))

		r.api.Call(t, http.StatusNoContent, http.MethodDelete, r.path, nil)
		r.becomes(r.room, "left")
		r.peer.Expect(t, "left", r.occupant("Alice", "unavailable"))
		r.peer.Discard()
		own(map[string]any{"show": "away"})
		own(map[string]any{"show": "xa"})
		for range 2 { // through the account's server, and then through the room
			r.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"to": r.bob.JID, "body": "done"})
			r.peer.ExpectMessage(t, r.alice.JID, "done")
			r.bobSends("m2", "<body>after</body>")
			r.reaches("after", "<body>after</body>")
		}
		for _, e := range r.peer.Events() {
			if e.From == r.room+"/Alice" {
				t.Errorf("after it was left: got %+v of the account in the room, want nothing", e)
			}
		}
		if v := r.api.Get(t, r.path); v.Str("state") != "left" {
			t.Errorf("got %v, want it left", v)
		}
	})
}

// TestLoudRoom: at a hundred messages a second one who wants mentions gets these alone, and knows that there
// were others; one who wants all is bounded by the operator's limit, and told so; the log of a session that
// is not in the room has nothing of it.
func TestLoudRoom(t *testing.T) {
	const messages, every, limit = 300, 25, 40
	inRooms(t, func(r *roomWorld) {
		mentioned, _ := r.enters("dora", map[string]any{"delivery": "mentions"})
		other := r.login.signIn(t, r.app, r.server, r.server.NewUserAt(t, "erin", r.server.Domain))
		mentioned.Get(t, "/v1/conversations") // it has a list, which counts
		quiet, some := live(t, other, ""), live(t, mentioned, "")
		quiet.Discard()
		r.stream.Discard()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := range messages {
			<-tick.C
			body := fmt.Sprintf("loud %d", i)
			if i%every == 0 {
				body += ", dora"
			}
			r.bobSends(fmt.Sprint("l", i), "<body>"+body+"</body>")
		}
		r.reaches("the last one", fmt.Sprintf("<body>loud %d", messages-1))
		r.bobSends("end", "<body>this is the end, Alice and dora</body>")
		r.stream.Expect(t, "the limit", func(f testkit.Frame) bool { return f.Type == "room.changed" && f.Data.Bool("limited") })
		r.stream.Expect(t, "the end", message("message.received", "this is the end, Alice and dora"))
		some.Expect(t, "the end", message("message.received", "this is the end, Alice and dora"))
		if n := loud(r.stream); n != limit {
			t.Errorf("one who wants all: got %d of %d messages, want the limit, %d", n, messages, limit)
		}
		if n := loud(some); n != messages/every {
			t.Errorf("one who wants mentions: got %d messages, want the %d that name it", n, messages/every)
		}
		if c := mentioned.Get(t, "/v1/conversations?type=room").Find("items", "jid", r.room); c == nil || c.At("unread") != float64(messages+1) || c.At("mentions") != float64(messages/every+1) {
			t.Errorf("its list: got %v, want %d unread and %d mentions", c, messages+1, messages/every+1)
		}
		for _, f := range quiet.Frames() {
			if f.ID != "" {
				t.Errorf("a session that is not in the room: got %s, want nothing in its log", f.Raw)
			}
		}
	}, func(o *app.Options) { o.RoomDeliveryLimit = limit })
}

// loud counts the messages of the loud one that are on a stream.
func loud(s *testkit.Stream) (n int) {
	for _, f := range s.Frames() {
		if f.Type == "message.received" && strings.HasPrefix(f.Data.Str("body"), "loud ") {
			n++
		}
	}
	return n
}
