package cache

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestRoomRowHasEveryFeature: each feature of a room has a bit of its own, a new one too.
func TestRoomRowHasEveryFeature(t *testing.T) {
	for i := range reflect.TypeFor[perch.RoomFeatures]().NumField() {
		room := &sessions.StoredRoom{JID: "r@muc.x"}
		reflect.ValueOf(&room.Features).Elem().Field(i).SetBool(true)
		text, err := encode(newRoomRow(room))
		if err != nil {
			t.Fatalf("encode: got error %v, want none", err)
		}
		got, err := decodeRooms([]any{"r@muc.x", text})
		if err != nil {
			t.Fatalf("decodeRooms(%s): got error %v, want none", text, err)
		}
		if d := cmp.Diff([]*sessions.StoredRoom{room}, got); d != "" {
			t.Errorf("feature %d (-want +got):\n%s", i, d)
		}
	}
}

// TestRoomRowsRefused: what a later version has written, or nobody, fails the opening.
func TestRoomRowsRefused(t *testing.T) {
	for name, row := range map[string]string{
		"a later version": `{"v":2,"jid":"r@muc.x","state":"joined"}`,
		"no version":      `{"jid":"r@muc.x","state":"joined"}`,
		"no room":         `{"v":1}`,
		"another room":    `{"v":1,"jid":"s@muc.x","state":"joined"}`,
		"half of JSON":    `{"v":1,"jid":"r@muc.x"`,
		"a text":          `joined`,
	} {
		if got, err := decodeRooms([]any{"r@muc.x", row}); perch.KindOf(err) != perch.KindInternal {
			t.Errorf("%s: got %v, error %v, want the kind %v", name, got, err, perch.KindInternal)
		}
	}
	if got, err := decodeRooms([]any{"r@muc.x", `{"v":1,"jid":"R@muc.x","state":"joined","later":{}}`}); err != nil || len(got) != 1 {
		t.Errorf("a field that is not known: got %v, error %v, want one room", got, err)
	}
}
