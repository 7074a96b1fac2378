package cache

import (
	"context"
	"sync"

	"github.com/perch-im/perch/sessions"
)

// callbacks calls done functions one after the other, in the order of add, from a
// goroutine that lives as long as there is something to call. So a caller of Commit is
// never called back from inside Commit, and an idle store has no goroutine.
type callbacks struct {
	mu    sync.Mutex
	queue []callback
	idle  chan struct{} // nil: nothing is running; else closed when it ends
}

type callback struct {
	done func(sessions.Result)
	res  sessions.Result
}

func (q *callbacks) add(done func(sessions.Result), res sessions.Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, callback{done, res})
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.run()
	}
}

func (q *callbacks) run() {
	for {
		q.mu.Lock()
		batch := q.queue
		q.queue = nil
		if len(batch) == 0 {
			close(q.idle)
			q.idle = nil
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		for _, c := range batch {
			c.done(c.res)
		}
	}
}

// wait returns when everything that was added has been called.
func (q *callbacks) wait(ctx context.Context) error {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
