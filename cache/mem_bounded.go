package cache

import (
	"slices"

	"github.com/perch-im/perch/sessions"
)

// boundedRows are the rooms, or the readers, of one session in memory; a session without any has none.
type boundedRows[T any] struct{ table[T] }

// list is a copy of the rows, which the caller may change; nil has none.
func (m *boundedRows[T]) list() []*T {
	if m == nil {
		return nil
	}
	return slices.Clone(m.rows)
}

// change changes the rows, and returns them, or nil when none are left. Of too many those that are new are
// left out.
func (m *boundedRows[T]) change(d sessions.Delta[T], key func(*T) string, most int) *boundedRows[T] {
	if d.Empty() {
		return m
	}
	if m == nil {
		m = &boundedRows[T]{}
	}
	puts := d.Put
	d.Put = nil
	m.apply(d, key)
	for _, row := range puts {
		if len(m.rows) < most || m.get(key(row), key) != nil {
			m.put(row, key)
		}
	}
	if len(m.rows) == 0 {
		return nil
	}
	return m
}
