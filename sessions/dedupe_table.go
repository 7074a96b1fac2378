package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

const (
	// ringIdentities are remembered of a session that is online, for ringTime: longer than
	// servers keep a stream that was lost before they deliver again what was on it.
	ringIdentities = 256
	ringTime       = 15 * 60_000 // ms
	// longTable is from how many on a table is not searched one by one.
	longTable = 512
	// mostIdentities are remembered in any case, while an archive without end is read or copies
	// come without end. The oldest go: what is read first was compared with them.
	mostIdentities = 1 << 16
)

// identities are the messages that were logged, as far as a copy of them may still come. While
// the archive is read there is room for all that it gives and for the part of the log that it
// is compared with; afterwards the last ones stay. The zero value is an empty table.
type identities struct {
	list      []identity
	byText    map[uint64]int32 // 1 + index of the newest in a chain of one text; nil while the table is short
	byAccount map[uint64]int32 // 1 + index
	busy      bool             // a copy was recognised since the last trim
	evicted   int              // how many went from the front, see remove
}

// add notes a message that is logged, and numbers it for remove.
func (t *identities) add(c identity) int {
	if len(t.list) >= mostIdentities {
		n := mostIdentities / 4
		t.evicted += n
		t.replace(slices.Clone(t.list[n:]))
	}
	t.list = append(t.list, c)
	i := len(t.list) - 1
	switch {
	case t.byText != nil:
		t.index(i)
	case len(t.list) > longTable:
		t.byText, t.byAccount = map[uint64]int32{}, map[uint64]int32{}
		for i := range t.list {
			t.index(i)
		}
	}
	return t.evicted + i
}

// remove takes back what was added before it was logged; false: it was evicted.
func (t *identities) remove(number int) (identity, bool) {
	i := number - t.evicted
	if i < 0 {
		return identity{}, false
	}
	c := t.list[i]
	t.list[i] = identity{next: c.next} // equals nothing
	return c, true
}

func (t *identities) index(i int) {
	e := &t.list[i]
	chain := e.chain(e.paths&(pathStream|pathRepeat) != 0)
	e.next = t.byText[chain]
	t.byText[chain] = int32(i + 1)
	if e.account != 0 {
		t.byAccount[e.account] = int32(i + 1)
	}
}

// walk visits the messages of a chain, the newest first.
func (t *identities) walk(chain uint64, visit func(i int)) {
	for i := t.byText[chain]; i != 0; i = t.list[i-1].next {
		visit(int(i - 1))
	}
}

// take finds the message that c is a copy of, and notes that this copy has come; nil: there
// is none. Of several that it may be, the one nearest in time is meant.
func (t *identities) take(c *identity, o overlap) *identity {
	best, sure := -1, false
	consider := func(i int) {
		e := &t.list[i]
		if sure || !c.copyOf(e, o) {
			return
		}
		sure = c.account != 0 && c.account == e.account
		if best < 0 || sure || c.apart(e) < c.apart(&t.list[best]) {
			best = i
		}
	}
	switch {
	case t.byText == nil:
		for i := range t.list {
			if c.mayBe(&t.list[i]) {
				consider(i)
			}
		}
	default:
		if i := t.byAccount[c.account]; c.account != 0 && i != 0 {
			consider(int(i - 1))
		}
		t.walk(c.chain(false), consider)
		if c.paths != pathStream || c.room != 0 {
			t.walk(c.chain(true), consider)
		}
	}
	if best < 0 {
		return nil
	}
	e := &t.list[best]
	e.learn(c)
	if t.byAccount != nil && e.account != 0 {
		t.byAccount[e.account] = int32(best + 1)
	}
	t.busy = true
	return e
}

// merge takes over what was read from the log, oldest first. What is here already stays: it
// may know more than the log.
func (t *identities) merge(read []identity) {
	type key struct {
		text       uint64
		at         perch.Time
		id, device uint32
	}
	keyOf := func(e *identity) key {
		if e.paths&isRelation != 0 {
			return key{text: e.text, at: e.at, id: e.id}
		}
		return key{e.text, e.at, e.id, e.device}
	}
	here := map[key]int{}
	for i := range t.list {
		here[keyOf(&t.list[i])]++
	}
	var fresh []identity
	for _, e := range read {
		k := keyOf(&e)
		if here[k] > 0 {
			here[k]--
			continue
		}
		fresh = append(fresh, e)
	}
	t.replace(append(fresh, t.list...))
}

// trim forgets what is old, or too much.
func (t *identities) trim(before perch.Time) {
	rest := slices.DeleteFunc(slices.Clone(t.list), func(e identity) bool { return e.added < before })
	if over := len(rest) - ringIdentities; over > 0 {
		rest = slices.Delete(rest, 0, over)
	}
	t.replace(slices.Clip(slices.Clone(rest)))
}

// forget forgets what is old, from the front, so that numbers stay right.
func (t *identities) forget(before perch.Time) {
	n := slices.IndexFunc(t.list, func(e identity) bool { return e.added >= before })
	if n < 0 {
		n = len(t.list)
	}
	if n > 0 {
		t.evicted += n
		t.replace(slices.Clip(slices.Clone(t.list[n:])))
	}
}

func (t *identities) replace(list []identity) {
	t.list, t.byText, t.byAccount = nil, nil, nil
	if len(list) <= longTable {
		t.list = list
		return
	}
	for _, e := range list {
		t.add(e)
	}
}
