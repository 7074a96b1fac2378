package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// One pipeline carries at most this many commits and bytes: enough to make the round trip
// cheap, little enough to be answered within one timeout.
const (
	batchJobs  = 256
	batchBytes = 1 << 20
)

var (
	errOverload error = perch.Errorf(perch.KindStorageUnavailable, "too many writes are waiting for the store")
	errStopped  error = perch.Errorf(perch.KindStorageUnavailable, "the store was closed before this write was made")
)

// writer owns the one goroutine that writes commits to Redis. It sends what is queued as
// one pipeline, and the next one when every commit of that is resolved: so the commits of
// a session stay in order, whatever is lost on the way.
type writer struct {
	r           *Redis
	ctx         context.Context // ends when Close has waited long enough
	cancel      context.CancelFunc
	ended       chan struct{}    // closed when the last commit has its answer
	wake        chan struct{}    // something was queued, or closed
	ttlRenewals chan sessions.ID // whose tokens live on
	unproved    []sessions.ID    // whose logs are to be proved on the server that answers now; guarded by mu
	proveFailed atomic.Bool      // proving them has failed
	group       sync.WaitGroup
	late        callbacks // of commits that came after Close

	down bool // the last round trip failed; the writer goroutine's own

	mu        sync.Mutex
	closed    bool
	queue     []*job
	bytes     int
	sequences map[sessions.ID]*commitSequence
	swept     int // sequences left by the last sweep
}

func startWriter(r *Redis) *writer {
	w := &writer{
		r: r, wake: make(chan struct{}, 1), ended: make(chan struct{}), ttlRenewals: make(chan sessions.ID, 1024),
		sequences: map[sessions.ID]*commitSequence{},
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.group.Go(w.run)
	w.group.Go(w.extendTTL)
	w.group.Go(w.watch)
	return w
}

// Commit implements sessions.Store. When a commit fails with KindStorageUnavailable, so
// do all that were queued after it for that session.
func (r *Redis) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	j, err := newJob(r, id, c, done)
	if err != nil { // a type of ours that JSON refuses
		r.o.Logger.Error("a commit cannot be encoded", "error", err)
		j = &job{done: done, args: make([]any, argOldest+1)}
		j.resolve(sessions.Result{Err: unavailable(err)})
	}
	r.writer.add(id, c.Fence, j)
}

func (w *writer) add(id sessions.ID, fence uint64, j *job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.late.add(j.done, sessions.Result{Err: errClosed})
		return
	}
	now := time.Now()
	j.deadline = now.Add(w.r.o.RetryFor)
	j.sequence = w.sequences[id]
	switch {
	case j.sequence == nil || j.sequence.fence != fence:
		// Redis decides whether it was fenced off or forgotten: number 0 is never applied.
		j.sequence = &commitSequence{}
	default:
		j.sequence.number(j)
		j.sequence.used = now
	}
	// A refusal waits in line, so that it is reported in order; its data does not.
	switch {
	case j.resolved:
		j.sequence.refuse(j)
	case j.sequence.unreportedFailures > 0:
		j.resolve(sessions.Result{Err: sessions.ErrOrder})
		j.sequence.refuse(j)
	case len(w.queue) > 0 && (len(w.queue) >= w.r.o.MaxQueue || w.bytes+j.size > w.r.o.MaxBytes):
		j.resolve(sessions.Result{Err: errOverload})
		j.sequence.refuse(j)
	}
	if j.release {
		j.sequence.owned = false // even if it fails: Redis may do it later
	}
	w.queue = append(w.queue, j)
	w.bytes += j.size
	w.poke()
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run() {
	defer close(w.ttlRenewals)
	defer close(w.ended)
	for {
		proving := w.prove()
		batch, closed := w.nextBatch()
		switch {
		case len(batch) > 0:
			w.process(batch)
		case closed:
			return
		case proving:
		default:
			<-w.wake
		}
	}
}

// nextBatch cuts the next batch off the queue.
func (w *writer) nextBatch() (batch []*job, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, size := 0, 0
	for n < len(w.queue) && n < batchJobs && (n == 0 || size+w.queue[n].size <= batchBytes) {
		size += w.queue[n].size
		n++
	}
	batch = w.queue[:n:n]
	w.queue = w.queue[n:]
	if w.bytes -= size; len(w.queue) == 0 {
		w.queue = nil
	}
	return batch, w.closed
}

// process tries a batch until each job has an answer or has had its time.
func (w *writer) process(batch []*job) {
	pause, whole := firstPause, false
	w.giveUp(batch, nil, w.down)
	for batch = w.report(batch); len(batch) > 0; batch = w.report(batch) {
		err := w.send(batch, whole)
		// Not known to this server yet, or forgotten by it: no reason to wait. What is sent
		// whole cannot be forgotten on the way.
		whole = err != nil && verdictOf(err) == noScript
		w.giveUp(batch, err, err != nil && !whole)
		if err != nil && !whole {
			sleep(w.ctx, pause)
			pause = min(2*pause, lastPause)
		}
	}
}

// giveUp fails jobs after a failed one, and with late those whose deadline has passed.
func (w *writer) giveUp(batch []*job, cause error, late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, j := range batch {
		switch {
		case j.resolved:
		case w.ctx.Err() != nil:
			j.sequence.fail(j, errStopped)
		case j.n > 0 && j.n <= j.sequence.failed:
			j.sequence.fail(j, sessions.ErrOrder)
		case late && now.After(j.deadline):
			j.sequence.fail(j, unavailable(cause))
		}
	}
}

// report calls done for the resolved jobs, in the order of their sequences, and returns the
// others.
func (w *writer) report(batch []*job) []*job {
	w.announce(batch)
	rest := batch[:0:0]
	var blocked map[*commitSequence]bool
	for _, j := range batch {
		if !j.resolved || blocked[j.sequence] {
			if blocked == nil {
				blocked = map[*commitSequence]bool{}
			}
			blocked[j.sequence] = true
			rest = append(rest, j)
			continue
		}
		if j.failed {
			w.mu.Lock()
			j.sequence.unreportedFailures--
			w.mu.Unlock()
		}
		j.done(j.res)
	}
	return rest
}

// sequenceOf returns what this node knows of a session, for Open.
func (w *writer) sequenceOf(id sessions.ID) *commitSequence {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.sequences[id]; c != nil {
		return &commitSequence{epoch: c.epoch, fence: c.fence, acked: c.acked, owned: c.owned}
	}
	return &commitSequence{}
}

// beginSequence begins one. Of two Opens that crossed, the higher fence stays.
func (w *writer) beginSequence(id sessions.ID, s *sessions.Saved) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.sequences[id]; c != nil && c.epoch == s.Epoch && c.fence > s.Fence {
		return
	}
	now := time.Now()
	w.sequences[id] = &commitSequence{epoch: s.Epoch, fence: s.Fence, used: now, owned: true}
	if len(w.sequences) < 2*w.swept+1024 {
		return
	}
	// Sessions end without a call to the store: a sequence goes when Redis has expired its state.
	for id, c := range w.sequences {
		if now.Sub(c.used) > w.r.o.StateTTL {
			delete(w.sequences, id)
		}
	}
	w.swept = len(w.sequences)
}

func (w *writer) dropSequence(id sessions.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sequences, id)
}

// extendTTL lets tokens live on, beside the writer and at leisure.
func (w *writer) extendTTL() {
	for id := range w.ttlRenewals {
		ids := []sessions.ID{id}
		for len(ids) < 100 && len(w.ttlRenewals) > 0 {
			ids = append(ids, <-w.ttlRenewals)
		}
		w.r.extendTTL(w.ctx, ids)
	}
}

// close writes what is queued and waits for both goroutines. When ctx ends first, the
// rest fails.
func (w *writer) close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	w.poke()
	w.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		w.group.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
		w.cancel()
		<-ended
	}
	w.cancel()
	if lerr := w.late.wait(ctx); err == nil {
		err = lerr
	}
	return err
}
