package occupants

import (
	"hash/maphash"
	"slices"
	"sort"
)

var seed = maphash.MakeSeed()

// rows are the occupants of a table: found by the key of the nick, and in its order. What changes them
// needs the lock of the table.
type rows struct {
	list  []row
	free  []uint32 // places of list that have no row
	order []uint32 // places of the rows, by key
	index []uint32 // place + 1 of each row, at the hash of its key or after it; 0: nothing
}

func (rs *rows) len() int { return len(rs.order) }

func hashOf(key string) uint32 { return uint32(maphash.String(seed, key)) }

// find returns the row of a key, nil if there is none. It is good until a row is added.
func (rs *rows) find(key string) *row {
	if i := rs.slot(key); i >= 0 {
		return &rs.list[rs.index[i]-1]
	}
	return nil
}

// slot is where the index has a key; -1: nowhere.
func (rs *rows) slot(key string) int {
	if len(rs.index) == 0 {
		return -1
	}
	mask := uint32(len(rs.index) - 1)
	for i := hashOf(key) & mask; ; i = (i + 1) & mask {
		switch e := rs.index[i]; {
		case e == 0:
			return -1
		case rs.list[e-1].key() == key:
			return int(i)
		}
	}
}

// after is the place in the order of the first row whose key is greater, or with equal as great.
func (rs *rows) after(key string, equal bool) int {
	return sort.Search(len(rs.order), func(i int) bool {
		k := rs.list[rs.order[i]].key()
		return k > key || equal && k == key
	})
}

// add adds a row whose key is not there.
func (rs *rows) add(key string, r row) *row {
	place := uint32(len(rs.list))
	if n := len(rs.free); n > 0 {
		place, rs.free = rs.free[n-1], rs.free[:n-1]
		rs.list[place] = r
	} else {
		rs.list = append(rs.list, r)
	}
	rs.order = slices.Insert(rs.order, rs.after(key, true), place)
	if 4*len(rs.order) > 3*len(rs.index) {
		rs.reindex()
	} else {
		rs.enter(place, hashOf(key))
	}
	return &rs.list[place]
}

func (rs *rows) enter(place, h uint32) {
	mask := uint32(len(rs.index) - 1)
	i := h & mask
	for rs.index[i] != 0 {
		i = (i + 1) & mask
	}
	rs.index[i] = place + 1
}

// reindex makes an index that is half full at most.
func (rs *rows) reindex() {
	n := 8
	for n < 2*len(rs.order) {
		n *= 2
	}
	rs.index = make([]uint32, n)
	for _, place := range rs.order {
		rs.enter(place, hashOf(rs.list[place].key()))
	}
}

// remove removes the row of a key that is there.
func (rs *rows) remove(key string) {
	i := rs.slot(key)
	place := rs.index[i] - 1
	at := rs.after(key, true)
	rs.order = slices.Delete(rs.order, at, at+1)
	rs.close(uint32(i))
	rs.list[place] = row{}
	rs.free = append(rs.free, place)
}

// close empties a place of the index, and moves what would not be found behind the hole.
func (rs *rows) close(hole uint32) {
	mask := uint32(len(rs.index) - 1)
	for i := (hole + 1) & mask; rs.index[i] != 0; i = (i + 1) & mask {
		home := hashOf(rs.list[rs.index[i]-1].key()) & mask
		if (i-home)&mask >= (i-hole)&mask { // it may be as far back as the hole
			rs.index[hole] = rs.index[i]
			hole = i
		}
	}
	rs.index[hole] = 0
}

// compact gives memory back when most places are empty.
func (rs *rows) compact() {
	if len(rs.list) < 64 || 4*len(rs.order) > len(rs.list) {
		return
	}
	list := make([]row, 0, len(rs.order))
	for i, place := range rs.order {
		list = append(list, rs.list[place])
		rs.order[i] = uint32(i)
	}
	rs.list, rs.free, rs.order = list, nil, slices.Clip(slices.Clone(rs.order))
	rs.reindex()
}
