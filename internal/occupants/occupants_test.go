package occupants_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/occupants"
)

const theRoom perch.JID = "r@muc.x"

// occupant is one with a bit of everything, made of the nick.
func occupant(nick string) perch.Occupant {
	return perch.Occupant{
		Nick: nick, OccupantID: "P3XrqQl0VbQ1Yc4JtcNOiQzGJ9ZqfPnIhDpQ5nE4mXY=", Affiliation: perch.AffiliationMember, Role: perch.RoleParticipant,
		Show: perch.ShowAway, Status: "out", PhotoHash: "da39a3ee5e6b4b0d3255bfef95601890afd80709", JID: perch.JID(perch.ResourceKey(nick) + "@x/r"),
	}
}

func own(nick string) perch.Occupant {
	o := occupant(nick)
	o.Own = true
	return o
}

// hidden is as the room tells those who may not see addresses.
func hidden(o perch.Occupant) perch.Occupant {
	o.JID = ""
	return o
}

// joined is a session that is in the room, and was told of these besides itself.
func joined(ts *occupants.Tables, name string, others ...perch.Occupant) *occupants.Handle {
	h := ts.Join("up", theRoom, name)
	h.Begin()
	for _, o := range others {
		h.Put(o)
	}
	h.Put(own(name))
	h.Listed()
	return h
}

func nicks(h *occupants.Handle) string {
	list, _ := pages(h, 3)
	var all []string
	for _, o := range list {
		all = append(all, o.Nick)
	}
	return strings.Join(all, " ")
}

func wantNicks(t *testing.T, what string, h *occupants.Handle, want string, complete bool) {
	t.Helper()
	n, whole := h.Count()
	if got := nicks(h); got != want || whole != complete || n != len(strings.Fields(want)) {
		t.Errorf("%s: got %q, the count %d, complete %v; want %q, complete %v", what, got, n, whole, want, complete)
	}
}

// TestWhoIsNotInSeesNobody: neither before the room has let a session in, nor without a stream, nor after.
func TestWhoIsNotInSeesNobody(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	a := joined(ts, "a", occupant("ann"))
	b := ts.Join("up", "R@MUC.x", "b")
	wantNicks(t, "before the join", b, "", false)
	b.Begin()
	b.Put(occupant("ann"))
	b.Put(occupant("a"))
	wantNicks(t, "before the own presence", b, "", false)
	if _, ok := b.Find("ann"); ok {
		t.Error("Find before the own presence: got an occupant, want none")
	}
	b.Put(own("b"))
	wantNicks(t, "in the room", b, "a ann b", true)
	b.Suspend()
	wantNicks(t, "without a stream", b, "", false)
	b.Resume("b")
	b.Begin()
	wantNicks(t, "at a new join", b, "", false)
	b.Put(own("b"))
	b.Leave()
	b.Leave()
	wantNicks(t, "after it has left", b, "", false)
	wantNicks(t, "the other one", a, "a ann", true)
	other := ts.Join("other", theRoom, "c")
	other.Begin()
	other.Put(own("c"))
	other.Listed()
	wantNicks(t, "the same room of another upstream", other, "c", true)
}

// TestAddresses: who may see real addresses sees those that any session was told, and nobody else sees
// any but the own one.
func TestAddresses(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	moderator := joined(ts, "mod", occupant("ann"))
	moderator.SeeAddresses(true)
	plain := joined(ts, "plain", hidden(occupant("ann")), hidden(occupant("mod")))
	for _, c := range []struct {
		name, nick string
		h          *occupants.Handle
		want       perch.JID
	}{
		{"moderator", "ann", moderator, "ann@x/r"},
		{"moderator", "mod", moderator, "mod@x/r"},
		{"plain", "ann", plain, ""},
		{"plain", "mod", plain, ""},
		{"plain", "plain", plain, "plain@x/r"},
	} {
		o, ok := c.h.Find(c.nick)
		if !ok || o.JID != c.want {
			t.Errorf("%s looks at %s: got %v %q, want %q", c.name, c.nick, ok, o.JID, c.want)
		}
	}
	before := moderator.Version()
	moderator.SeeAddresses(false)
	if o, _ := moderator.Find("ann"); o.JID != "" || moderator.Version() == before {
		t.Errorf("a moderator no more: got %q, the version changed %v; want no address, another version", o.JID, moderator.Version() != before)
	}
}

// TestOwnPresenceThatTheRoomTellsNobody: a room may broadcast the presence of some roles alone. Its
// sessions on one node do not tell each other the rest.
func TestOwnPresenceThatTheRoomTellsNobody(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	a, b := joined(ts, "a", occupant("mod")), joined(ts, "b", occupant("mod"))
	wantNicks(t, "a", a, "a mod", true)
	wantNicks(t, "b", b, "b mod", true)
	if _, ok := b.Find("a"); ok {
		t.Error("b looks at a: got an occupant, want none")
	}
	b.Put(hidden(occupant("a")))
	wantNicks(t, "b, when the room has told of a", b, "a b mod", true)
	b.Begin()
	b.Put(own("b"))
	b.Listed()
	wantNicks(t, "b, after a list without a", b, "b", true)
	wantNicks(t, "a, whom the list of b does not have", a, "a", true)
	a.Leave()
	if st := ts.Stats(); st.Occupants != 1 {
		t.Errorf("a has left: got %d rows, want that of b", st.Occupants)
	}
}

// TestTwoSessionsOfOneNick: an account may be in a room with two sessions.
func TestTwoSessionsOfOneNick(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	first, second := joined(ts, "me"), joined(ts, "me")
	first.Leave()
	wantNicks(t, "the second", second, "me", true)
	if o, _ := second.Find("me"); !o.Own {
		t.Error("the own row: got one that is not, want it marked")
	}
}

// TestPutTellsWhoCame, to each session once, whichever was the first to say so; a change, a rename and
// the lists tell of nobody.
func TestPutTellsWhoCame(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	a, b := joined(ts, "a", occupant("ann")), joined(ts, "b", occupant("a"), occupant("ann"))
	changed := occupant("ann")
	changed.Status = "back"
	renamed := occupant("cat")
	type step struct {
		name string
		put  perch.Occupant
		want bool
	}
	for _, s := range []step{{"b came", occupant("b"), true}, {"ann changes", changed, false}, {"bo came", occupant("bo"), true}, {"bo again", occupant("bo"), false}} {
		for name, h := range map[string]*occupants.Handle{"a": a, "b": b} {
			if name == "b" && s.put.Nick == "b" {
				continue // its own
			}
			if got := h.Put(s.put); got != s.want {
				t.Errorf("%s, told to %s: got %v, want %v", s.name, name, got, s.want)
			}
		}
	}
	for name, h := range map[string]*occupants.Handle{"a": a, "b": b} {
		h.Rename("bo", "cat")
		if got := h.Put(renamed); got {
			t.Errorf("bo is cat now, told to %s: got one who came, want none", name)
		}
		h.Remove("ann")
	}
	for name, h := range map[string]*occupants.Handle{"a": a, "b": b} {
		if got := h.Put(occupant("ann")); !got {
			t.Errorf("ann came again, told to %s: got nobody, want her", name)
		}
	}
	wantNicks(t, "in the end", a, "a ann b cat", true)
}

// TestTwoSpellingsAreOneNick: nicks are compared by the key of a resource, and are shown as the room has
// them.
func TestTwoSpellingsAreOneNick(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	h := joined(ts, "zz", occupant("M\u00fcller"))
	h.Put(occupant("mu\u0308ller"))
	h.Put(occupant("Mu\u0308ller"))
	wantNicks(t, "case counts, and the form does not", h, "Mu\u0308ller mu\u0308ller zz", true)
	if o, ok := h.Find("M\u00fcller"); !ok || o.Nick != "Mu\u0308ller" {
		t.Errorf("Find: got %q, %v; want the later spelling", o.Nick, ok)
	}
	h.Remove("m\u00fcller")
	wantNicks(t, "one is gone", h, "Mu\u0308ller zz", true)
}

// TestPages by text, role, limit and place.
func TestPages(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	var all []perch.Occupant
	for i := range 700 {
		o := occupant(fmt.Sprintf("Nick %03d", i))
		if i%7 == 0 {
			o.Role = perch.RoleModerator
		}
		all = append(all, o)
	}
	h := joined(ts, "zz", all...)
	for _, c := range []struct {
		q           occupants.Query
		n           int
		first, next string
	}{
		{occupants.Query{Limit: 100}, 100, "Nick 000", "Nick 099"},
		{occupants.Query{Limit: 100, After: "Nick 099"}, 100, "Nick 100", "Nick 199"},
		{occupants.Query{Limit: 1000}, 701, "Nick 000", ""},
		{occupants.Query{Limit: 701}, 701, "Nick 000", ""},
		{occupants.Query{Limit: 700}, 700, "Nick 000", "Nick 699"},
		{occupants.Query{Limit: 1000, Role: perch.RoleModerator}, 100, "Nick 000", ""},
		{occupants.Query{Limit: 10, Text: "CK 69"}, 10, "Nick 690", ""},
		{occupants.Query{Limit: 5, Text: "nick 69"}, 5, "Nick 690", "Nick 694"},
		{occupants.Query{Limit: 5, Text: "nobody"}, 0, "", ""},
		{occupants.Query{Limit: 5, After: "zzz"}, 0, "", ""},
		{occupants.Query{After: "Nick 0985"}, 1, "Nick 099", "Nick 099"},
	} {
		p := h.Page(c.q)
		first := ""
		if len(p.Items) > 0 {
			first = p.Items[0].Nick
		}
		if len(p.Items) != c.n || first != c.first || p.Next != c.next || p.Count != 701 || !p.Complete || p.AsOf == 0 || p.Version != h.Version() {
			t.Errorf("%+v: got %d from %q, next %q, of %d, complete %v; want %d from %q, next %q", c.q, len(p.Items), first, p.Next, p.Count, p.Complete, c.n, c.first, c.next)
		}
	}
	before := h.Version()
	h.Put(all[5])
	if got := h.Version(); got != before {
		t.Errorf("nothing new: got the version %s, want %s", got, before)
	}
	h.Remove("Nick 005")
	if got := h.Version(); got == before {
		t.Errorf("one is gone: got the version %s, want another one", got)
	}
}

// TestWhatIsTooLong is cut, or left out and counted.
func TestWhatIsTooLong(t *testing.T) {
	ts := occupants.New(occupants.Options{})
	long := occupant("long")
	long.Status, long.OccupantID, long.PhotoHash = strings.Repeat("ü", 200), strings.Repeat("x", 129), strings.Repeat("0", 130)
	long.JID, long.Show, long.Role, long.Affiliation = perch.JID(strings.Repeat("j", 3072)), 77, "king", "kin"
	h := joined(ts, "a", long)
	got, _ := h.Find("long")
	if d := cmp.Diff(perch.Occupant{Nick: "long", Status: strings.Repeat("ü", 128)}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	h.Put(perch.Occupant{Nick: strings.Repeat("n", 1024)})
	if _, complete := h.Count(); complete || ts.Stats().LeftOut != 1 {
		t.Errorf("a nick of 1,024 bytes: got complete %v and %+v, want it left out and counted", complete, ts.Stats())
	}
	h.Put(perch.Occupant{Nick: strings.Repeat("n", 1023), Affiliation: perch.AffiliationNone})
	if _, ok := h.Find(strings.Repeat("n", 1023)); !ok {
		t.Error("a nick of 1,023 bytes: got none, want it")
	}
}

// TestBytes: what a room is said to take is no less than what it takes, whatever is in it.
func TestBytes(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, status := range []int{0, 20, 256} {
		ts := occupants.New(occupants.Options{})
		before := heap()
		h := joined(ts, "me")
		for i := range 10_000 {
			o := occupant(fmt.Sprintf("n%05d", i))
			o.Status = (o.Nick + strings.Repeat("x", status))[:status]
			h.Put(o)
		}
		took, said := heap()-before, ts.Stats().Bytes
		if n, _ := h.Count(); n != 10_001 || took > said+said/5 {
			t.Errorf("%d occupants with different statuses of %d bytes: got %d bytes said and %d taken, want 10001 and about the same", n, status, said, took)
		}
		h.Leave()
	}
}

// TestMany: of a room, and of the node, so many are kept. Complete says so until a list has fitted.
func TestMany(t *testing.T) {
	for name, o := range map[string]occupants.Options{"a room": {MaxRoom: 10}, "bytes of a room": {MaxRoomBytes: 2000}, "the node": {MaxBytes: 2000}} {
		ts := occupants.New(o)
		var many []perch.Occupant
		for i := range 20 {
			many = append(many, occupant(fmt.Sprintf("n%02d", i)))
		}
		h := joined(ts, "me", many...)
		n, complete := h.Count()
		if st := ts.Stats(); n < 5 || n > 13 || complete || st.LeftOut == 0 || st.Bytes > 2000 && o.MaxRoom == 0 {
			t.Errorf("%s: got %d occupants, complete %v, %+v; want some, and the rest counted", name, n, complete, st)
		}
		h.Put(own("me"))
		if !h.ClaimRefresh() {
			t.Errorf("%s: got no claim to ask again, want one", name)
		}
		for range 2 { // the first makes the place
			h.Refresh()
			h.Put(occupant("n00"))
			h.Put(own("me"))
			h.Listed()
		}
		if n, complete := h.Count(); !complete || n < 1 || n > 2 {
			t.Errorf("%s, when there are few: got %d, complete %v; want a complete table", name, n, complete)
		}
		h.Leave()
		if st := ts.Stats(); st.Bytes != 0 || st.Occupants != 0 || st.Rooms != 0 {
			t.Errorf("%s: got %+v after all have left, want nothing", name, st)
		}
	}
}

// TestManyOwners lets many sessions join, change, read and leave at once. It is for the race detector.
func TestManyOwners(t *testing.T) {
	const sessions, people = 24, 40
	ts := occupants.New(occupants.Options{})
	var all []perch.Occupant
	for i := range people {
		all = append(all, occupant(fmt.Sprint("n", i)))
	}
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Go(func() {
			name := fmt.Sprint("s", i)
			for round := range 8 {
				h := joined(ts, name, all...)
				h.SeeAddresses(i%2 == 0)
				wg.Go(func() { // a request, which may outlive the session
					pages(h, 7)
					h.Find("n3")
					h.Version()
				})
				o := all[(i+round)%people]
				o.Status = name
				h.Put(o)
				h.Remove(all[round].Nick)
				h.Rename(all[round+1].Nick, "other")
				h.Suspend()
				h.Resume(name)
				if h.ClaimRefresh() {
					h.Refresh()
					h.Listed()
				}
				h.Leave()
			}
		})
	}
	wg.Wait()
	if st := ts.Stats(); st.Rooms != 0 || st.Occupants != 0 || st.Bytes != 0 {
		t.Errorf("all have left: got %+v, want nothing", st)
	}
}
