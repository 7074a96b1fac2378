package testkit

import (
	"slices"
	"sync"
	"time"
)

// patience is how long a test waits for something that must happen. It is longer than one
// request to a server that has no answer (20 s) with the attempt that follows: a server that
// was killed and has just started may need that on a busy machine.
const patience = time.Minute

// inbox keeps what has arrived until a test asks for it. One goroutine puts, and closes in
// the end; the goroutine of the test takes.
type inbox[T any] struct {
	mu    sync.Mutex
	items []T
	news  chan struct{} // buffered by one: something was put
	done  chan struct{} // nothing comes any more
}

func newInbox[T any]() *inbox[T] {
	return &inbox[T]{news: make(chan struct{}, 1), done: make(chan struct{})}
}

func (b *inbox[T]) put(item T) {
	b.mu.Lock()
	b.items = append(b.items, item)
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// await takes the first item that fits, in the order of arrival. Other items stay for
// later. It is false when nothing came in time, or nothing can come any more.
func (b *inbox[T]) await(fits func(T) bool) (T, bool) { return b.awaitFor(patience, fits) }

// awaitFor is await with another limit.
func (b *inbox[T]) awaitFor(limit time.Duration, fits func(T) bool) (T, bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		if item, ok := b.take(fits); ok {
			return item, true
		}
		select {
		case <-b.news:
		case <-b.done:
			return b.take(fits)
		case <-timer.C:
			var zero T
			return zero, false
		}
	}
}

func (b *inbox[T]) take(fits func(T) bool) (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.items, fits)
	if i < 0 {
		var zero T
		return zero, false
	}
	item := b.items[i]
	b.items = slices.Delete(b.items, i, i+1)
	return item, true
}

// all is what has arrived and was not taken yet.
func (b *inbox[T]) all() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.items)
}

// drain takes everything that has arrived.
func (b *inbox[T]) drain() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items = nil
	return items
}
