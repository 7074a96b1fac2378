package occupants_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/occupants"
)

// disputed is a room with three sessions that agree about ann and bo.
type disputed struct {
	ts      *occupants.Tables
	a, b, c *occupants.Handle
	told    []string // of rooms that are not shared any more
}

func newDisputed() *disputed {
	d := &disputed{}
	d.ts = occupants.New(occupants.Options{Unshared: func(upstream string, room perch.JID) { d.told = append(d.told, upstream+" "+string(room)) }})
	list := []perch.Occupant{occupant("ann"), occupant("bo"), occupant("a"), occupant("b"), occupant("c")}
	d.a, d.b, d.c = joined(d.ts, "a", list[:2]...), joined(d.ts, "b", list[:3]...), joined(d.ts, "c", list[:4]...)
	return d
}

func (d *disputed) shared() bool { return d.ts.Stats().Unshared == 0 }

// ann is she as somebody says.
func ann(change func(*perch.Occupant)) perch.Occupant {
	o := occupant("ann")
	change(&o)
	return o
}

var (
	annOwner = ann(func(o *perch.Occupant) { o.Affiliation = perch.AffiliationOwner })
	annAdmin = ann(func(o *perch.Occupant) { o.Affiliation = perch.AffiliationAdmin })
)

// chatter lets the room tell sessions something else.
func chatter(handles ...*occupants.Handle) {
	for _, h := range handles {
		o := occupant("bo")
		o.Status = time.Now().String()
		h.Put(o)
	}
}

func later() { time.Sleep(31 * time.Second) }

var disputes = []struct {
	name string
	do   func(d *disputed)
	want bool // a contradiction
}{
	{"another affiliation", func(d *disputed) { d.a.Put(annOwner); later(); chatter(d.a, d.c) }, true},
	{"another occupant", func(d *disputed) {
		d.a.Put(ann(func(o *perch.Occupant) { o.OccupantID = "other" }))
		later()
		chatter(d.a, d.c)
	}, true},
	{"another account", func(d *disputed) {
		d.a.Put(ann(func(o *perch.Occupant) { o.JID = "eve@x/r" }))
		later()
		chatter(d.a, d.c)
	}, true},
	{"in the list", func(d *disputed) {
		d.a.Begin()
		d.a.Put(annOwner)
		d.a.Put(own("a"))
		d.a.Listed()
		later()
		chatter(d.a, d.c)
	}, true},
	{"again and again", func(d *disputed) {
		for range 6 {
			d.a.Put(annOwner)
			time.Sleep(29 * time.Second)
			d.a.Put(annAdmin)
			time.Sleep(29 * time.Second)
			chatter(d.a, d.c)
		}
	}, true},
	{"another device, and no address", func(d *disputed) {
		d.a.Put(ann(func(o *perch.Occupant) { o.JID = "ann@x/other" }))
		d.b.Put(hidden(occupant("ann")))
		later()
		chatter(d.a, d.b, d.c)
	}, false},
	{"no occupant id", func(d *disputed) {
		d.a.Put(ann(func(o *perch.Occupant) { o.OccupantID = "" }))
		later()
		chatter(d.a, d.b, d.c)
	}, false},
	{"another status", func(d *disputed) {
		d.a.Put(ann(func(o *perch.Occupant) { o.Status, o.Role = "x", perch.RoleVisitor }))
		later()
		chatter(d.a, d.c)
	}, false},
	{"before it is over", func(d *disputed) { d.a.Put(annOwner); time.Sleep(29 * time.Second); chatter(d.a, d.c) }, false},
	{"another change begins the time anew", func(d *disputed) {
		d.a.Put(annOwner)
		time.Sleep(20 * time.Second)
		d.a.Put(annAdmin)
		time.Sleep(20 * time.Second)
		chatter(d.a, d.c)
	}, false},
	{"a change that all hear", func(d *disputed) {
		for _, h := range []*occupants.Handle{d.a, d.b, d.c} {
			h.Put(annOwner)
			time.Sleep(20 * time.Second)
		}
		later()
		chatter(d.a, d.b, d.c)
	}, false},
	{"two changes, and one is behind", func(d *disputed) {
		d.a.Put(annOwner)
		d.a.Put(annAdmin)
		d.c.Put(annOwner)
		time.Sleep(20 * time.Second)
		d.c.Put(annAdmin)
		later()
		chatter(d.a, d.b, d.c)
	}, false},
	{"one does not hear any more", func(d *disputed) { d.a.Put(annOwner); later(); chatter(d.a, d.b) }, false},
	{"one has lost its stream", func(d *disputed) { d.a.Put(annOwner); d.c.Suspend(); later(); d.c.Resume("c"); chatter(d.a, d.c) }, false},
	{"one has left", func(d *disputed) { d.a.Put(annOwner); d.c.Leave(); later(); chatter(d.a, d.b) }, false},
	{"she has left for one, who is behind", func(d *disputed) { d.a.Put(annOwner); d.c.Remove("ann"); later(); chatter(d.a, d.c) }, false},
	{"the same session says something else", func(d *disputed) { d.c.Put(annOwner); d.c.Put(annAdmin); later(); chatter(d.c) }, false},
}

// TestContradiction: what two sessions are told and stand by makes a room unshared; what they say later,
// or not both, or do not stand by, does not.
func TestContradiction(t *testing.T) {
	for _, c := range disputes {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisputed()
				c.do(d)
				if got := !d.shared(); got != c.want || len(d.told) != d.ts.Stats().Unshared {
					t.Errorf("got a contradiction %v, told of %q; want %v", got, d.told, c.want)
				}
			})
		})
	}
}

// TestUnshared: each session has what it was told itself, and begins with nothing; a room that all have
// left is shared again.
func TestUnshared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisputed()
		d.a.Put(annOwner)
		time.Sleep(31 * time.Second)
		chatter(d.a, d.c)
		if want := []string{"up r@muc.x"}; fmt.Sprint(d.told) != fmt.Sprint(want) {
			t.Fatalf("got %q told, want %q", d.told, want)
		}
		wantNicks(t, "a", d.a, "", false)
		wantNicks(t, "b", d.b, "", false)
		wantNicks(t, "c, which was told of bo then", d.c, "bo", false)
		for name, h := range map[string]*occupants.Handle{"a": d.a, "c": d.c} {
			if !h.ClaimRefresh() {
				t.Errorf("%s: got no claim to ask for the list, want one", name)
			}
			h.Refresh()
		}
		d.a.Put(annOwner)
		d.c.Put(occupant("ann"))
		d.a.Put(own("a"))
		d.c.Put(own("c"))
		d.a.Listed()
		d.c.Listed()
		wantNicks(t, "a after a list", d.a, "a ann", true)
		wantNicks(t, "c after a list", d.c, "ann c", true)
		if o, _ := d.a.Find("ann"); o.Affiliation != perch.AffiliationOwner {
			t.Errorf("a looks at ann: got %s, want owner", o.Affiliation)
		}
		if o, _ := d.c.Find("ann"); o.Affiliation != perch.AffiliationMember {
			t.Errorf("c looks at ann: got %s, want member", o.Affiliation)
		}
		late := joined(d.ts, "d", occupant("eve"))
		wantNicks(t, "one that joins later", late, "d eve", true)
		wantNicks(t, "a then", d.a, "a ann", true)
		for _, h := range []*occupants.Handle{d.a, d.b, d.c, late} {
			h.Leave()
		}
		if st := d.ts.Stats(); st != (occupants.Stats{Contradictions: 1}) {
			t.Errorf("all have left: got %+v, want one contradiction that was", st)
		}
		first := joined(d.ts, "a", occupant("ann"))
		joined(d.ts, "b", occupant("ann"), occupant("a"))
		first.Put(occupant("b"))
		if st := d.ts.Stats(); st.Occupants != 3 {
			t.Errorf("a new table: got %d rows, want the 3 that two sessions share", st.Occupants)
		}
	})
}

// TestClaimRefresh: one session of a room is told to ask for the list, once in 30 seconds, while none has
// it; all of them see it then.
func TestClaimRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := occupants.New(occupants.Options{})
		a, b := ts.Join("up", theRoom, "a"), ts.Join("up", theRoom, "b")
		if a.ClaimRefresh() {
			t.Error("not in the room: got a claim, want none")
		}
		a.Resume("a") // after a restart of the node
		b.Resume("b")
		a.Put(occupant("ann"))
		wantNicks(t, "what was told since", b, "ann", false)
		if got := [3]bool{a.ClaimRefresh(), b.ClaimRefresh(), a.ClaimRefresh()}; got != [3]bool{true} {
			t.Errorf("got the claims %v, want one", got)
		}
		a.Refresh()
		time.Sleep(31 * time.Second)
		if got := [2]bool{a.ClaimRefresh(), b.ClaimRefresh()}; got != [2]bool{false, true} {
			t.Errorf("got the claims %v, want none of the session that asks already", got)
		}
		for _, o := range []perch.Occupant{occupant("ann"), occupant("bo"), occupant("b"), own("a")} {
			a.Put(o)
		}
		a.Listed()
		b.Put(occupant("a"))
		wantNicks(t, "b, which was there when a had the list", b, "a ann b bo", true)
		time.Sleep(31 * time.Second)
		a.Leave()
		b.Remove("a")
		wantNicks(t, "when a has left", b, "ann b bo", true)
		if b.ClaimRefresh() {
			t.Error("complete: got a claim, want none")
		}
	})
}

// TestLeavingInDoubt: one that goes just after a change may have been behind; the list is not complete
// until it was read again.
func TestLeavingInDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		wait time.Duration
		want bool
	}{"at once": {0, false}, "a while later": {31 * time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisputed()
				time.Sleep(time.Minute)
				d.b.Put(occupant("ghost"))
				time.Sleep(c.wait)
				d.b.Leave()
				if _, complete := d.a.Count(); complete != c.want {
					t.Errorf("got complete %v, want %v", complete, c.want)
				}
				if got := d.a.ClaimRefresh(); got == c.want {
					t.Errorf("got a claim to ask again %v, want %v", got, !c.want)
				}
				d.a.Refresh()
				for _, o := range []perch.Occupant{occupant("ann"), occupant("bo"), occupant("c"), own("a")} {
					d.a.Put(o)
				}
				d.a.Listed()
				wantNicks(t, "after a list", d.c, "a ann bo c", true)
			})
		})
	}
}
