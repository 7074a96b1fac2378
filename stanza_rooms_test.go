package perch_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// TestRoomPasswordsAreNotShown prints what carries the password of a room in every way that a program
// prints by accident.
func TestRoomPasswordsAreNotShown(t *testing.T) {
	join := perch.RoomJoinOut{Room: "r@muc.test", Nick: "Al", Password: "geheim"}
	invite := perch.RoomInviteOut{Room: "r@muc.test", To: "bo@b.test", Password: "geheim"}
	mark := perch.RoomBookmark{JID: "r@muc.test", Password: "geheim"}
	for _, v := range []any{join, &join, invite, &invite, mark, &mark, []perch.RoomBookmark{mark}, &perch.BookmarksIn{Put: []perch.RoomBookmark{mark}}, map[string]any{"x": join}} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		for _, s := range []string{fmt.Sprint(v), fmt.Sprintf("%v %+v %#v %s", v, v, v, v), log.String()} {
			if strings.Contains(s, "geheim") || !strings.Contains(s, "r@muc.test") && !strings.Contains(s, "0x") {
				t.Errorf("%T: got %s, want the room and not its password", v, s)
			}
		}
	}
	if s := fmt.Sprint(perch.RoomJoinOut{Room: "r@muc.test"}); strings.Contains(s, "secret") {
		t.Errorf("got %s without a password, want none", s)
	}
}

// TestRoomCodes: a code is one bit of its own, and has a number of XEP-0045.
func TestRoomCodes(t *testing.T) {
	var all perch.RoomCodes
	n := 0
	for code := range 1000 {
		bit := perch.ParseRoomCode(code)
		if bit == 0 {
			continue
		}
		if n++; all.Has(bit) || bit&(bit-1) != 0 {
			t.Errorf("code %d: got %b, want a bit that no other code has", code, bit)
		}
		all |= bit
	}
	if n != 16 || !all.Has(perch.CodeSelf|perch.CodeServiceError) || perch.RoomCodes(0).Has(all) {
		t.Errorf("got %d codes %b, want 16", n, all)
	}
}
