package cache

import (
	"slices"
	"time"

	"github.com/perch-im/perch/sessions"
)

// expiring is a map whose entries end ttl after they were put. There is no timer: put
// sweeps what has ended, and get does not see it.
type expiring[V any] struct {
	ttl   time.Duration
	live  map[string]kept[V]
	order []ending // by end, so the sweep looks at the head only
}

type kept[V any] struct {
	value V
	end   int64 // Unix milliseconds
}

type ending struct {
	key string
	end int64
}

func (m *expiring[V]) put(key string, v V, now time.Time) {
	if m.live == nil {
		m.live = map[string]kept[V]{}
	}
	end := now.Add(m.ttl).UnixMilli()
	m.live[key] = kept[V]{v, end}
	m.order = append(m.order, ending{key, end})
	for len(m.live) > sessions.MaxTimed {
		m.dropOldest()
	}
	if len(m.order) > 4*sessions.MaxTimed {
		m.order = slices.DeleteFunc(m.order, func(e ending) bool { return m.live[e.key].end != e.end })
	}
}

// dropOldest drops the entry that was put longest ago.
func (m *expiring[V]) dropOldest() {
	e := m.order[0]
	m.order = m.order[1:]
	if m.live[e.key].end == e.end {
		delete(m.live, e.key)
	}
}

func (m *expiring[V]) get(key string, now time.Time) (V, bool) {
	k, ok := m.live[key]
	if !ok || k.end <= now.UnixMilli() {
		var none V
		return none, false
	}
	return k.value, true
}

// sweep drops what has ended. An entry that was put again stands in order once more,
// with its later end, and stays.
func (m *expiring[V]) sweep(now time.Time) {
	n, ms := 0, now.UnixMilli()
	for ; n < len(m.order) && m.order[n].end <= ms; n++ {
		if key := m.order[n].key; m.live[key].end <= ms {
			delete(m.live, key)
		}
	}
	if m.order = m.order[n:]; len(m.order) == 0 {
		m.order = nil
	}
	if len(m.live) == 0 {
		m.live = nil
	}
}
