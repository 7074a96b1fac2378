package occupants

import "time"

// attendance is who feeds a table.
type attendance struct {
	members map[uint32]*Handle
	live    int       // of them, those whose stream brings what happens
	present int       // of these, those that are in the room
	ready   int       // of these, those that were so when a list was last over, and since
	reading int       // members that read a list
	read    time.Time // when a list was over last
	lists   uint32    // lists that were over
	epoch   uint32    // grows when all that was known is dropped
	doubt   uint32    // table.tick + 1 when somebody went who may have said something old; 0: nobody did
}

// become changes whether a member is live, and whether it is in the room. One that is both when a list
// is over hears all that comes after it: as long as there is one such, the list is whole. It is so again
// when its stream is resumed, unless all was dropped meanwhile.
func (t *table) become(h *Handle, live, in bool) {
	was, is := h.live && h.in, live && in
	if h.live != live && live {
		t.live++
	} else if h.live != live {
		t.live--
	}
	h.live, h.in = live, in
	switch {
	case was && !is:
		t.present--
		if h.whole, h.epoch = h.lists < t.lists && h.epoch == t.epoch, t.epoch; h.whole {
			t.ready--
		}
	case !was && is:
		t.present++
		h.lists = t.lists
		if h.whole && h.epoch == t.epoch {
			h.lists--
			t.ready++
		}
		h.epoch = t.epoch
	}
}

// begin says that a member reads a list from now on.
func (t *table) begin(h *Handle) {
	t.ends(h)
	t.tick++
	t.reading++
	h.since, h.out = t.tick, t.leftOut
}

// ends says that a member does not read a list any more.
func (t *table) ends(h *Handle) {
	if h.since != 0 {
		h.since = 0
		t.reading--
	}
}

// owned reports whether a nick is that of a member. Two sessions of an account may have the same.
func (t *table) owned(key string) bool {
	for _, h := range t.members {
		if h.own == key {
			return true
		}
	}
	return false
}

// whole reports whether the list is whole, and is kept so.
func (t *table) whole() bool { return t.ready > 0 && !t.over && t.doubt == 0 }

// wrote notes that a member has changed what the others have said.
func (t *table) wrote(h *Handle) {
	if t.live > 1 {
		h.wrote = time.Now()
	}
}

// goes notes that a live member says nothing more of what its stream had to bring. If it has changed the
// table a moment ago, or kept a row in it that a list did not have, it may have been behind the others,
// and the end of that will not come from it.
func (t *table) goes(h *Handle) {
	t.drop(h)
	late := !h.wrote.IsZero() && time.Since(h.wrote) < settle || h.kept && (t.reading > 0 || time.Since(t.read) < settle)
	h.kept = false
	if late && t.live > 1 {
		t.doubt = t.tick + 1
		t.version++
	}
}

// reported notes who has reported a row, and during which list. It is called under a read lock, too.
func (t *table) reported(h *Handle, r *row) (joined bool) {
	r.reported(t.tick, h.id)
	if t.reading > 1 || t.reading == 1 && h.since == 0 {
		h.kept = true
	}
	return h.learns(r.born)
}
