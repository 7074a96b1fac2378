package main

import (
	"strings"
	"testing"
)

// TestRoomTraffic: what a line asks for is done, or it is said why not.
func TestRoomTraffic(t *testing.T) {
	s := newRoomServer(2, nil)
	for line, want := range map[string]string{
		"crowds 2 3": "", "say 0": "", "tell 0": "", "settle 5": "",
		"crowds 2": "EOF", "say x": "expected integer", "bytes load-0": "load-0 is not signed in", "shout 1": "not known", "": "EOF",
	} {
		if got := s.traffic(t.Context(), line).Error; (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("traffic %q: got error %q, want %q in it", line, got, want)
		}
	}
	if c := s.room(crowdRoom(1)); c == nil || len(c.list) != 3 {
		t.Errorf("got the room %v, want one with 3 occupants", c)
	}
}

// TestOccupantPresence: what the rooms here say of an occupant is about as long as what Prosody says.
func TestOccupantPresence(t *testing.T) {
	o := newCrowd(hall, 1).list[0]
	size := len(strings.Join(o.presence(hall, "load-1@"+roomsDomain+"/perch", ""), ""))
	if size < 342 || size > 480 {
		t.Errorf("got %d bytes, want 342 to 480", size)
	}
}
