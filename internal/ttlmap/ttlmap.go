// Package ttlmap is a map whose entries expire, with a bound on their number.
//
// There is no timer and no goroutine. What has expired is not found any more, and later calls
// of Put and Renew free its memory, two entries at the most by each: none of them searches the
// map, so that they can be called while a lock is held. The time is an argument. It
// should not run backwards from one call to the next: what has expired would be found again.
package ttlmap

import (
	"container/heap"
	"math"
	"time"
)

// Forever is the life of an entry that does not expire.
const Forever time.Duration = math.MaxInt64

// expireStep is how many expired entries one call frees. They are more than the one that a Put
// adds, so that they become fewer.
const expireStep = 2

// Map is a map with expiry. The zero value is an empty map without a bound; set the fields
// before the first Put. It is not safe for concurrent use: most of its users change something
// else, or read before they write, under the same lock. Len, Get, Full and Soonest change nothing.
// A Map must not be copied once it has entries.
type Map[K comparable, V any] struct {
	// Max bounds the entries: Put evicts the one that would expire soonest, an expired one if
	// there is any. 0 is no bound.
	Max int
	// OnEvict is called for every entry that expired or was evicted, when it is removed: so not
	// for one that Delete returned or Put gave another value. It must not use the map.
	OnEvict func(K, V)

	*table[K, V] // nil while it is empty: most maps of most sessions are
}

// table has what a map that is not empty needs.
type table[K comparable, V any] struct {
	start   time.Time // ends are counted from it, by the monotonic clock
	puts    uint64
	entries map[K]*entry[K, V]
	queue   queue[K, V]
}

// entry is in entries by its key, and in queue at an index.
type entry[K comparable, V any] struct {
	key   K
	value V
	end   time.Duration // since the start
	put   uint64        // orders what expires at the same time
	index int
}

// Len is how many entries there are, those among them that have expired and were not removed yet.
func (m *Map[K, V]) Len() int {
	if m.table == nil {
		return 0
	}
	return len(m.queue)
}

// Get returns the value of a key, unless it has expired.
func (m *Map[K, V]) Get(key K, now time.Time) (value V, ok bool) {
	if e := m.live(key, now); e != nil {
		return e.value, true
	}
	return value, false
}

// Renew is Get, and lets the entry live for this long from now on.
func (m *Map[K, V]) Renew(key K, now time.Time, life time.Duration) (value V, ok bool) {
	m.expireSome(now)
	e := m.live(key, now)
	if e == nil {
		return value, false
	}
	m.schedule(e, now, life)
	heap.Fix(&m.queue, e.index)
	return e.value, true
}

// Put sets the value of a key, for a life from now on. A new entry takes the place of the one
// that would expire soonest when there are Max.
func (m *Map[K, V]) Put(key K, value V, now time.Time, life time.Duration) {
	if e := m.find(key); e != nil && m.expired(e, now) {
		m.evict(e)
	} else if e != nil {
		e.value = value
		m.schedule(e, now, life)
		heap.Fix(&m.queue, e.index)
		return
	}
	m.expireSome(now)
	for m.Max > 0 && m.Len() >= m.Max {
		m.evict(m.queue[0])
	}
	if m.table == nil {
		m.table = &table[K, V]{start: now, entries: map[K]*entry[K, V]{}}
	}
	e := &entry[K, V]{key: key, value: value}
	m.schedule(e, now, life)
	m.entries[key] = e
	heap.Push(&m.queue, e)
}

// Delete removes a key and returns its value, unless it had expired.
func (m *Map[K, V]) Delete(key K, now time.Time) (value V, ok bool) {
	e := m.find(key)
	if e == nil {
		return value, false
	}
	if m.expired(e, now) {
		m.evict(e)
		return value, false
	}
	m.remove(e)
	return e.value, true
}

// Expire removes all that has expired. It takes as long as there is of that: call it where the
// number of what is alive must be exact, or to free memory that no Put would.
func (m *Map[K, V]) Expire(now time.Time) {
	for m.expireOne(now) {
	}
}

// Full reports whether a new entry would take the place of one that has not expired.
func (m *Map[K, V]) Full(now time.Time) bool {
	return m.Max > 0 && m.Len() >= m.Max && !m.expired(m.queue[0], now)
}

// Soonest returns the entry that expires soonest, or has expired.
func (m *Map[K, V]) Soonest() (key K, value V, ok bool) {
	if m.table == nil {
		return key, value, false
	}
	return m.queue[0].key, m.queue[0].value, true
}

func (m *Map[K, V]) find(key K) *entry[K, V] {
	if m.table == nil {
		return nil
	}
	return m.entries[key]
}

func (m *Map[K, V]) live(key K, now time.Time) *entry[K, V] {
	if e := m.find(key); e != nil && !m.expired(e, now) {
		return e
	}
	return nil
}

func (t *table[K, V]) expired(e *entry[K, V], now time.Time) bool { return e.end <= now.Sub(t.start) }

func (t *table[K, V]) schedule(e *entry[K, V], now time.Time, life time.Duration) {
	t.puts++
	e.put = t.puts
	if e.end = now.Sub(t.start); life > Forever-max(e.end, 0) {
		e.end = Forever
	} else {
		e.end += life
	}
}

func (m *Map[K, V]) expireSome(now time.Time) {
	for range expireStep {
		if !m.expireOne(now) {
			return
		}
	}
}

func (m *Map[K, V]) expireOne(now time.Time) bool {
	if m.table == nil || !m.expired(m.queue[0], now) {
		return false
	}
	m.evict(m.queue[0])
	return true
}

func (m *Map[K, V]) evict(e *entry[K, V]) {
	m.remove(e)
	if m.OnEvict != nil {
		m.OnEvict(e.key, e.value)
	}
}

// remove leaves nothing of a map that is empty: its tables do not become smaller otherwise.
func (m *Map[K, V]) remove(e *entry[K, V]) {
	heap.Remove(&m.queue, e.index)
	delete(m.entries, e.key)
	if len(m.queue) == 0 {
		m.table = nil
	}
}

// queue is a heap.Interface with the entry that expires soonest at its head.
type queue[K comparable, V any] []*entry[K, V]

func (q queue[K, V]) Len() int { return len(q) }

func (q queue[K, V]) Less(i, j int) bool {
	if q[i].end != q[j].end {
		return q[i].end < q[j].end
	}
	return q[i].put < q[j].put
}

func (q queue[K, V]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue[K, V]) Push(x any) {
	e := x.(*entry[K, V])
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue[K, V]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
