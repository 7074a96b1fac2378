package occupants

import (
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// What an occupant may make a node keep. A status is cut; a hash or an address that is longer is none.
const (
	maxNick    = 1023 // RFC 7622, 3.4
	maxStatus  = 256
	maxHash    = 128 // XEP-0421 has as much
	maxAddress = 3071
)

// Put says what the room tells of one who is in it: it adds the occupant, or changes it. With Own it is
// the session itself, which is in the room by that. JID is "" where the room hides it, and OccupantID
// where the room does not announce it (XEP-0421). It reports whether the occupant came into the room,
// as far as this session was told; that says nothing while the list is read.
func (h *Handle) Put(o perch.Occupant) (joined bool) {
	if !bounded(&o) {
		h.leaveOut()
		return false
	}
	key := perch.ResourceKey(o.Nick)
	digest := digest(&o)
	if joined, known := h.known(&o, key, digest); known {
		return joined
	}
	for {
		t := h.lock()
		if h.left || !h.live {
			t.mu.Unlock()
			return false
		}
		if split := t.claim(h, key, identityOf(&o)); split {
			t.mu.Unlock()
			h.unshared()
			continue
		}
		joined = t.put(h, &o, key, digest)
		t.mu.Unlock()
		return joined
	}
}

// known reports whether the table says all this already. It is the way of nearly every report.
func (h *Handle) known(o *perch.Occupant, key string, digest uint64) (joined, known bool) {
	t := h.rlock()
	defer t.mu.RUnlock()
	if len(t.disputes) > 0 || h.left || !h.live {
		return false, false
	}
	r := t.rows.find(key)
	if r == nil || !r.says(o, digest) || (o.Own && (h.own != key || !h.in)) || !o.Own && !r.public() {
		return false, false
	}
	return t.reported(h, r), true
}

// Remove says that one is not in the room any more. It reports whether the table had them.
func (h *Handle) Remove(nick string) bool {
	key := perch.ResourceKey(nick)
	t := h.lock()
	defer t.mu.Unlock()
	if h.left || !h.live {
		return false
	}
	t.hear(h)
	t.forgetClaim(h, key)
	r := t.rows.find(key)
	if r == nil {
		return false
	}
	t.wrote(h)
	t.remove(key, r)
	t.rows.compact()
	return true
}

// Rename says that one who is in the room has another nick. They are the same occupant: no later report
// of it says that somebody came.
func (h *Handle) Rename(from, to string) {
	old, key := perch.ResourceKey(from), perch.ResourceKey(to)
	t := h.lock()
	defer t.mu.Unlock()
	if h.left || !h.live || len(to) > maxNick || to == "" {
		return
	}
	t.hear(h)
	t.forgetClaim(h, old)
	if h.own == old {
		h.own = key
		t.version++
	}
	r := t.rows.find(old)
	if r == nil {
		return
	}
	t.wrote(h)
	next := *r
	o := r.occupant()
	t.remove(old, r)
	if t.rows.find(key) != nil {
		return // told by a session that is ahead
	}
	o.Nick = to
	next.set(&o, key, digest(&o), string(o.JID))
	if !t.reserve(next.cost(), true) {
		return
	}
	if next.public() {
		t.public++
	}
	t.tables.occupants.Add(1)
	t.rows.add(key, next)
}

// bounded cuts what is too long; false: the nick is.
func bounded(o *perch.Occupant) bool {
	if len(o.Status) > maxStatus {
		n := maxStatus
		for n > 0 && !utf8.RuneStart(o.Status[n]) {
			n--
		}
		o.Status = o.Status[:n]
	}
	if len(o.OccupantID) > maxHash {
		o.OccupantID = ""
	}
	if len(o.PhotoHash) > maxHash {
		o.PhotoHash = ""
	}
	if len(o.JID) > maxAddress {
		o.JID = ""
	}
	if !o.Affiliation.Valid() {
		o.Affiliation = ""
	}
	if !o.Role.Valid() {
		o.Role = ""
	}
	if !o.Show.Valid() {
		o.Show = perch.ShowNone
	}
	return o.Nick != "" && len(o.Nick) <= maxNick
}

// leaveOut counts one for whom there is no place.
func (h *Handle) leaveOut() {
	t := h.lock()
	defer t.mu.Unlock()
	if !h.left && h.live {
		t.leftOut++
		t.over = true
		t.tables.leftOut.Add(1)
	}
}

// unshared tells that the room is not shared any more.
func (h *Handle) unshared() {
	if f := h.tables.o.Unshared; f != nil {
		f(h.room.upstream, h.room.place.room)
	}
}
