// Package copies keeps one copy of values that many hold alike, such as what a room sends to each of a
// thousand sessions. Who has a value gives it to a table and keeps what that returns: an equal one that
// somebody has given lately. A table compares whole values, so nobody can be given another one, whoever
// chose them.
//
// What is shared lives as long as somebody has it; a table itself keeps the last ones only, which are
// those that come to the others now.
package copies

import "sync"

// Of is a table of comparable values. The zero value with Max is empty. It is safe for concurrent use.
type Of[T comparable] struct {
	Max int // values that it keeps; fixed before the first use
	// Keep makes a value to be kept of an equal one that is given, which may be a part of something that
	// is not; nil: any can be kept. It is fixed, too.
	Keep func(T) T

	mu   sync.Mutex
	last ring[*T]
	set  map[T]*T
}

// One returns a value that is equal to v, and must not be changed.
func (c *Of[T]) One(v T) *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one, ok := c.set[v]; ok {
		return one
	}
	if c.set == nil {
		c.set = map[T]*T{}
	}
	for c.last.n >= max(c.Max, 1) {
		delete(c.set, *c.last.pop())
	}
	if c.Keep != nil {
		v = c.Keep(v)
	}
	one := &v
	c.set[v] = one
	c.last.push(one)
	return one
}

// Texts is a table of texts. The zero value with both bounds is empty. It is safe for concurrent use.
type Texts struct {
	Max, MaxBytes int // texts that it keeps, and what they have in all; fixed before the first use

	mu    sync.Mutex
	last  ring[string]
	set   map[string]string
	bytes int
}

// One returns the text of b, of which it keeps nothing. One that is longer than all that the table may
// keep is not shared.
func (t *Texts) One(b []byte) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one, ok := t.set[string(b)]; ok {
		return one
	}
	one := string(b)
	if len(b) > t.MaxBytes || t.Max < 1 {
		return one
	}
	if t.set == nil {
		t.set = map[string]string{}
	}
	for t.last.n >= t.Max || t.bytes+len(b) > t.MaxBytes {
		old := t.last.pop()
		delete(t.set, old)
		t.bytes -= len(old)
	}
	t.set[one] = one
	t.bytes += len(one)
	t.last.push(one)
	return one
}

// ring is a queue in one piece of memory, which grows to what it has held.
type ring[T any] struct {
	list    []T
	head, n int
}

func (r *ring[T]) push(v T) {
	if r.n == len(r.list) {
		list := make([]T, max(8, 2*r.n))
		copy(list[copy(list, r.list[r.head:]):], r.list[:r.head])
		r.list, r.head = list, 0
	}
	r.list[(r.head+r.n)%len(r.list)] = v
	r.n++
}

func (r *ring[T]) pop() (v T) {
	var none T
	v, r.list[r.head] = r.list[r.head], none
	r.head = (r.head + 1) % len(r.list)
	r.n--
	return v
}
