package occupants

import (
	"slices"
	"time"

	"github.com/perch-im/perch"
)

const (
	// settle is how long the sessions of a room may lag behind each other.
	settle = 30 * time.Second
	// maxDisputes bounds the nicks about which there is one. A room that changes more of them at once
	// is not judged by the others.
	maxDisputes = 64
	maxClaims   = 8 // of a dispute
)

// identity is what two reports about one nick must agree about, as far as both say it.
type identity struct {
	affiliation perch.Affiliation
	occupantID  string
	account     perch.JID // key of the bare real address
}

func identityOf(o *perch.Occupant) identity {
	return identity{o.Affiliation, o.OccupantID, o.JID.Bare().Key()}
}

func (r *row) identity() identity {
	o := r.occupant()
	return identityOf(&o)
}

// contradict reports whether two reports cannot both be true.
func contradict(a, b identity) bool {
	return differ(a.affiliation, b.affiliation) || differ(a.occupantID, b.occupantID) || differ(a.account, b.account)
}

func differ[T ~string](a, b T) bool { return a != "" && b != "" && a != b }

// dispute is about one nick. The latest report of each session in it is its claim.
type dispute struct {
	began, changed time.Time
	claims         []claim
}

type claim struct {
	h  *Handle
	is identity
}

// claim takes note of what a member says of a nick, and reports whether it has come out that the room
// contradicts itself: then the table is split, and the handle has another one.
func (t *table) claim(h *Handle, key string, is identity) (split bool) {
	r := t.rows.find(key)
	if len(t.disputes) == 0 && (r == nil || r.by == h.id) {
		return false
	}
	now := time.Now()
	if r != nil && r.by != h.id {
		t.contest(h, key, is, r, now)
	}
	if len(t.disputes) == 0 {
		return false
	}
	h.heard = now
	if d := t.disputes[key]; d != nil {
		if d.say(h, is, now); !d.open() {
			delete(t.disputes, key)
		}
	}
	if !t.contradicted(now) {
		return false
	}
	t.unshare()
	return true
}

// contest begins a dispute if a member says something else than the live one that fed the row last.
func (t *table) contest(h *Handle, key string, is identity, r *row, now time.Time) {
	other := t.members[r.by]
	if t.private || other == nil || !other.live || other.member == h.member {
		return
	}
	was := r.identity()
	if !contradict(was, is) {
		return
	}
	d := t.disputes[key]
	if d == nil {
		if len(t.disputes) >= maxDisputes {
			return
		}
		d = &dispute{began: now, changed: now}
		if t.disputes == nil {
			t.disputes = map[string]*dispute{}
		}
		t.disputes[key] = d
	}
	d.say(other, was, now)
	d.say(h, is, now)
}

// say sets the claim of a member.
func (d *dispute) say(h *Handle, is identity, now time.Time) {
	i := slices.IndexFunc(d.claims, func(c claim) bool { return c.h == h })
	switch {
	case i >= 0 && d.claims[i].is != is:
		d.claims[i].is, d.changed = is, now
	case i < 0 && len(d.claims) < maxClaims:
		d.claims = append(d.claims, claim{h, is})
	}
}

// open reports whether two claims contradict each other.
func (d *dispute) open() bool {
	return d.opposed(func(*Handle) bool { return true })
}

// opposed reports whether two claims contradict each other, of members that count.
func (d *dispute) opposed(counts func(*Handle) bool) bool {
	for i, a := range d.claims {
		for _, b := range d.claims[:i] {
			if contradict(a.is, b.is) && counts(a.h) && counts(b.h) && a.h.member != b.h.member {
				return true
			}
		}
	}
	return false
}

// contradicted reports whether a dispute has come to its end without being settled.
func (t *table) contradicted(now time.Time) bool {
	for _, d := range t.disputes {
		end := d.changed.Add(settle)
		if most := d.began.Add(10 * settle); most.Before(end) {
			end = most
		}
		if now.Before(end) {
			continue
		}
		if d.opposed(func(h *Handle) bool { return !h.heard.Before(end) }) {
			return true
		}
	}
	return false
}

// hear notes that a member was told something of the room, while that counts.
func (t *table) hear(h *Handle) {
	if len(t.disputes) > 0 {
		h.heard = time.Now()
	}
}

// drop removes the claims of a member that is not heard any more.
func (t *table) drop(h *Handle) {
	for key := range t.disputes {
		t.forgetClaim(h, key)
	}
}

func (t *table) forgetClaim(h *Handle, key string) {
	d := t.disputes[key]
	if d == nil {
		return
	}
	d.claims = slices.DeleteFunc(d.claims, func(c claim) bool { return c.h == h })
	if !d.open() {
		delete(t.disputes, key)
	}
}

// unshare gives each member a table of its own, which begins empty: what is in this one was told to
// somebody, it is not known to whom.
func (t *table) unshare() {
	t.clear()
	t.split = true
	t.tables.unshared.Add(1)
	t.tables.contradictions.Add(1)
	for id, h := range t.members {
		live, in := h.live, h.in
		t.become(h, false, false)
		own := newTable(t.tables, true)
		own.members[id] = h
		h.born, h.since, h.whole, h.kept = 0, 0, false, false
		own.become(h, live, in)
		h.table.Store(own)
		delete(t.members, id)
	}
}
