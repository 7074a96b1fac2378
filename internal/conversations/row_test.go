package conversations_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// TestRows: what is written is read again, exactly.
func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := odd(r)
		got, err := conversations.ParseRow(s.Key(), string(conversations.AppendRow(nil, &s)))
		if err != nil || got != s {
			t.Fatalf("ParseRow: got %+v, error %v; want %+v, none", got, err, s)
		}
	}
}

// TestRowsAreSmall: a usual state has room in the compact hashes of Redis, which end with the first
// value of more than 64 bytes.
func TestRowsAreSmall(t *testing.T) {
	s := usual(12)
	if n := len(conversations.AppendRow(nil, &s)); n > 64 {
		t.Errorf("a usual row: got %d bytes, want at most 64", n)
	}
}

// TestRowFormat: rows that are stored are read by every later version, so what they look like does
// not change without a version of its own.
func TestRowFormat(t *testing.T) {
	for name, tt := range map[string]struct {
		s   conversations.State
		row string
	}{
		"a new one": {conversations.State{JID: "bob@example.net", Kind: perch.ChatConversation, Notify: perch.NotifyAll, At: 300}, "\x01\x00\x00\xac\x02"},
		"all of it": {conversations.State{
			JID: "Bob@example.net", Kind: perch.PrivateConversation, Notify: perch.NotifyNone, Pinned: true, Archived: true, Open: true, Unpublished: true,
			At: 300, Last: 0x01020304, Unread: 300, Mentions: 2, Read: 0x05060708, ReadID: 0x090a0b0c, ReadAt: 299, PeerRead: 0x0d0e0f10, PeerReadAt: 301,
		}, "\x01\xfa\x7f\x0fBob@example.net\xac\x02\x01\x02\x03\x04\xac\x02\x02\x05\x06\x07\x08\x02\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x01"},
	} {
		if got := string(conversations.AppendRow(nil, &tt.s)); got != tt.row {
			t.Errorf("%s: got the row %q, want %q", name, got, tt.row)
		}
		if got, err := conversations.ParseRow(tt.s.Key(), tt.row); err != nil || got != tt.s {
			t.Errorf("%s: got %+v, error %v; want %+v, none", name, got, err, tt.s)
		}
	}
}

// TestUnknownRows: what is no row, or one of a later version, is an error.
func TestUnknownRows(t *testing.T) {
	s := usual(1)
	row := string(conversations.AppendRow(nil, &s))
	for name, text := range map[string]string{
		"nothing": "", "JSON": `{"jid":"a@b"}`, "a later version": "\x02" + row[1:], "cut off": row[:len(row)-1], "longer": row + "x",
		"an unknown flag": row[:2] + "\xff" + row[3:], "an unknown kind": "\x01\x03\x00\x00", "an unknown setting": "\x01\x0c\x00\x00",
		"an id of no position": "\x01\x00\x20\x00\x01\x02\x03\x04", "a counter of nothing": "\x01\x00\x04\x00\x00",
		"a counter too large": "\x01\x00\x04\x00\xff\xff\x7f", "a hash of nothing": "\x01\x00\x02\x00\x00\x00\x00\x00",
		"a number without end": "\x01\x00\x00" + strings.Repeat("\xff", 20),
	} {
		if s, err := conversations.ParseRow("a@b", text); err == nil {
			t.Errorf("%s: got %+v, want an error", name, s)
		}
	}
}

// TestHash: only of nothing it is 0.
func TestHash(t *testing.T) {
	if got := conversations.Hash(""); got != 0 {
		t.Errorf("Hash of nothing: got %d, want 0", got)
	}
	if a, b := conversations.Hash("ia"), conversations.Hash("ib"); a == 0 || a == b {
		t.Errorf("Hash: got %d and %d, want two numbers", a, b)
	}
}

// FuzzParseRow: any bytes are a state or an error, and a state is the same after it was written again.
func FuzzParseRow(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		s := odd(r)
		f.Add(string(s.Key()), string(conversations.AppendRow(nil, &s)))
	}
	f.Add("a@b", `{"jid":"a@b"}`)
	f.Fuzz(func(t *testing.T, key, row string) {
		s, err := conversations.ParseRow(perch.JID(key), row)
		if err != nil {
			return
		}
		again, err := conversations.ParseRow(s.Key(), string(conversations.AppendRow(nil, &s)))
		if s.JID == perch.JID(key) && s.JID.Key() != s.JID {
			return // a key that is none: the spelling is written the next time
		}
		if err != nil || again != s {
			t.Fatalf("a row that was written again: got %+v, error %v; want %+v, none", again, err, s)
		}
		if got, ok := conversations.Of([]conversations.State{s}).Get(s.JID); !ok || got != s {
			t.Errorf("in a table: got %+v, %v; want %+v, true", got, ok, s)
		}
	})
}
