package occupants

import (
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// FuzzTexts: what is packed comes out as it was, and nothing is read of what follows.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{
		"", "x", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "P3XrqQl0VbQ1Yc4JtcNOiQzGJ9ZqfPnIhDpQ5nE4mXY=",
		"P3XrqQl0VbQ1Yc4JtcNOiQ==", "P3XrqQl0VbQ1Yc4JtcNOiR==", "P3XrqQ\nVbQ1Y", "abcd", "deadbeef", strings.Repeat("a", 124), strings.Repeat("a", 126),
		strings.Repeat("z", 62), strings.Repeat("z", 63), strings.Repeat("z", 64), strings.Repeat("ü", 200),
	} {
		f.Add("nick", s, s, "a@x/r")
		f.Add("U\u0308nni", s, "", "")
	}
	f.Fuzz(func(t *testing.T, nick, id, photo, jid string) {
		if nick == "" {
			return
		}
		o := perch.Occupant{Nick: nick, OccupantID: id, PhotoHash: photo, JID: perch.JID(jid), Affiliation: perch.AffiliationOwner, Role: perch.RoleVisitor, Status: id}
		key := perch.ResourceKey(nick)
		var r row
		r.set(&o, key, digest(&o), jid)
		if got := r.occupant(); got != o {
			t.Errorf("got %+v, want %+v", got, o)
		}
		if got := r.key(); got != key {
			t.Errorf("got the key %q, want %q", got, key)
		}
		if got := r.address(); got != jid {
			t.Errorf("got the address %q, want %q", got, jid)
		}
		if !r.says(&o, digest(&o)) {
			t.Errorf("a row does not say what it was set to: %+v, want that it does", o)
		}
		if o.Status += "x"; r.says(&o, digest(&o)) {
			t.Errorf("a row says another status: %+v, want that it does not", o)
		}
	})
}

// TestHashesAreRaw: an occupant id of a server takes its 32 bytes, a photo hash its 20.
func TestHashesAreRaw(t *testing.T) {
	for text, want := range map[string]int{
		"P3XrqQl0VbQ1Yc4JtcNOiQzGJ9ZqfPnIhDpQ5nE4mXY=": 33, "da39a3ee5e6b4b0d3255bfef95601890afd80709": 21, "": 1, "abc": 4,
	} {
		if got := len(appendHash(nil, text)); got != want {
			t.Errorf("%s: got %d bytes, want %d", text, got, want)
		}
	}
}

// TestRowsAreFound: the index and the order agree, whatever is added and removed, and memory comes back.
func TestRowsAreFound(t *testing.T) {
	var rs rows
	there := map[string]bool{}
	nick := func(i int) string {
		return strings.Repeat("x", i%5) + string(rune('a'+i%23)) + string(rune('0'+i/23%10)) + string(rune('A'+i/230))
	}
	for i := range 30_000 {
		key := nick(i * 7919 % 3000)
		switch {
		case there[key] && (i/6000)%2 == 1:
			rs.remove(key)
			delete(there, key)
			rs.compact()
		case !there[key] && (i/6000)%2 == 0:
			o := perch.Occupant{Nick: key}
			var r row
			r.set(&o, key, digest(&o), "")
			rs.add(key, r)
			there[key] = true
		}
		if i%500 != 0 {
			continue
		}
		last := ""
		for _, place := range rs.order {
			k := rs.list[place].key()
			if k <= last || !there[k] || rs.find(k) != &rs.list[place] {
				t.Fatalf("step %d: got %q after %q, found %v; want the rows that are there, in order", i, k, last, rs.find(k) != nil)
			}
			last = k
		}
		if rs.len() != len(there) || rs.find("nobody") != nil {
			t.Fatalf("step %d: got %d rows, want %d", i, rs.len(), len(there))
		}
	}
	for key := range there {
		rs.remove(key)
		rs.compact()
	}
	if rs.len() != 0 || cap(rs.list) > 64 || len(rs.index) > 256 {
		t.Errorf("all are gone: got %d rows in the place of %d, an index of %d; want little", rs.len(), cap(rs.list), len(rs.index))
	}
}
