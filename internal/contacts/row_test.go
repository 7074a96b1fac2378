package contacts_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// TestRows: what is written is read again, exactly.
func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := odd(r)
		got, err := contacts.ParseRow(c.Key(), string(contacts.AppendRow(nil, c)))
		if err != nil {
			t.Fatalf("ParseRow: got error %v, want none", err)
		}
		c.Nick = "" // which is not in a row
		same(t, "row", got, c)
	}
}

// TestRowsAreSmall: a usual contact has room in the compact hashes of Redis, which end with the
// first value of more than 64 bytes.
func TestRowsAreSmall(t *testing.T) {
	if n := len(contacts.AppendRow(nil, usual(12))); n > 64 {
		t.Errorf("a usual row: got %d bytes, want at most 64", n)
	}
}

// TestRowFormat: rows that are stored are read by every later version, so what they look like
// does not change without a version of its own.
func TestRowFormat(t *testing.T) {
	full := item("Bob@example.net")
	b := &full.Buddy
	b.Name, b.Ask, b.Approved, b.Mutual, b.Groups = "B", perch.AskSubscribe, true, true, []string{"a", "b", "c"}
	full.CardName, full.Photo = "Bo", "00ff"
	full.Presence = &perch.Presence{JID: b.JID, Available: true, Stale: true, Show: perch.ShowDND, Priority: -1, Status: "s", UpdatedAt: 7, Resources: []perch.Resource{
		{Resource: "x", Show: perch.ShowAway, Priority: 5, Status: "u", UpdatedAt: 300}, {Resource: "y", UpdatedAt: 1},
	}}
	gone := item("bob@example.net")
	gone.Presence = contacts.Aggregate("bob@example.net", nil, "bye", 5)
	for name, tt := range map[string]struct {
		c   *contacts.Contact
		row string
	}{
		"an item":     {item("bob@example.net"), "\x84\x10\x00\x07Friends"},
		"one device":  {usual(1), "\x84\x50\x0eBuddy Number 1\x07Friends\x2d\x01\x0cphone.4f3a2b\x0cIn meeting 1\x80\xd0\x95\xff\xbc\x31"},
		"without any": {gone, "\x84\x50\x00\x07Friends\x04\x03bye\x05"},
		"everything": {full, "\xbc\x77\x0fBob@example.net\x01B\x03\x01a\x01b\x01c\x02Bo\x02\x00\xff\x33\x02" +
			"\x09\x01x\x05\x01u\xac\x02\x00\x01y\x00\x01\x03\xff\x01s\x07"},
	} {
		if got := string(contacts.AppendRow(nil, tt.c)); got != tt.row {
			t.Errorf("%s: got the row %q, want %q", name, got, tt.row)
		}
		if got, err := contacts.ParseRow(tt.c.Key(), tt.row); err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
		} else {
			same(t, name, got, tt.c)
		}
	}
}

// TestUnknownRows: what is no row, or one of a later version, is an error.
func TestUnknownRows(t *testing.T) {
	row := string(contacts.AppendRow(nil, usual(1)))
	for name, s := range map[string]string{
		"nothing": "", "JSON": `{"jid":"a@b"}`, "a later version": string(row[0]|0xc0) + row[1:], "cut off": row[:len(row)-1],
		"longer": row + "x", "an unknown flag": row[:1] + string([]byte{row[1] | 0x80}) + row[2:],
		"an unknown subscription": string([]byte{0x87}) + row[1:],
		"many groups":             "\x80\x30\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"a number without end":    "\x80\x00" + strings.Repeat("\xff", 20),
	} {
		if c, err := contacts.ParseRow("a@b", s); err == nil {
			t.Errorf("%s: got %+v, want an error", name, c)
		}
	}
	if contacts.IsRow(`{"jid"`) || contacts.IsRow("") || !contacts.IsRow(row) {
		t.Error("IsRow: got JSON or nothing for a row, or a row for none, want the row alone")
	}
}

// TestWrongValuesAreLeftOut: values that no stanza has are not written, so that a row can always
// be read.
func TestWrongValuesAreLeftOut(t *testing.T) {
	c := item("a@b")
	c.Buddy.Subscription, c.Buddy.Ask = 99, 99
	c.Presence = &perch.Presence{JID: "a@b", Show: 99, Resources: []perch.Resource{{Show: 99}}}
	want := item("a@b")
	want.Buddy.Subscription = 0
	want.Presence = &perch.Presence{JID: "a@b", Resources: []perch.Resource{{}}}
	got, err := contacts.ParseRow("a@b", string(contacts.AppendRow(nil, c)))
	if err != nil {
		t.Fatalf("ParseRow: got error %v, want none", err)
	}
	same(t, "row", got, want)
}

// FuzzParseRow: any bytes are a contact or an error, and a contact is the same after it was
// written again.
func FuzzParseRow(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		c := odd(r)
		f.Add(string(c.Key()), string(contacts.AppendRow(nil, c)))
	}
	f.Add("a@b", `{"jid":"a@b"}`)
	f.Fuzz(func(t *testing.T, key, row string) {
		c, err := contacts.ParseRow(perch.JID(key), row)
		if err != nil {
			return
		}
		if n := len(c.Buddy.Groups); n > len(row) {
			t.Errorf("got %d groups from %d bytes, want no more than bytes", n, len(row))
		}
		again, err := contacts.ParseRow(c.Key(), string(contacts.AppendRow(nil, c)))
		if err != nil {
			t.Fatalf("ParseRow of a row that was written again: got error %v, want none", err)
		}
		if d := cmp.Diff(c, again); d != "" {
			t.Errorf("a row that was written again: got what differs (-want +got):\n%s", d)
		}
		// In a table it is the same as well.
		if got := contacts.Of([]*contacts.Contact{c}).Get(c.Buddy.JID); cmp.Diff(c, got) != "" {
			t.Errorf("in a table: got %+v, want %+v", got, c)
		}
	})
}
