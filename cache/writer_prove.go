package cache

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/sessions"
)

// A log is proved whole by the server that took its last commit, as long as that server has
// neither been started again nor been another one's replica since. When it has, only a live
// owner knows what was committed: it finds its last commit and notes the new server, so that
// a process that comes later, and remembers nothing, need not begin a new log.
const (
	watchEvery = time.Second      // Redis is asked which server it is
	proveEvery = 10 * time.Minute // all logs are proved again: a cluster moves slots between servers
	proveAgain = 5 * time.Second  // the same, after Redis has refused
	proveBatch = 256              // sessions in one pipeline, between two batches of commits
	knownMax   = 1024             // servers that are remembered
)

// servers names the servers that take writes. Those that do not say who they are, are left
// out; so are, beside the error, those of a cluster that do not answer.
func (r *Redis) servers(ctx context.Context) (ids []string, err error) {
	ask := func(ctx context.Context, c redis.Cmdable) (string, error) {
		info, err := c.Info(ctx, "server", "replication").Result()
		return serverID(info), err
	}
	if c, ok := r.client.(*redis.ClusterClient); ok {
		var mu sync.Mutex
		err = c.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
			id, err := ask(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			if id != "" {
				ids = append(ids, id)
			}
			return err
		})
		return ids, err
	}
	id, err := ask(ctx, r.client)
	if id != "" {
		ids = append(ids, id)
	}
	return ids, err
}

// serverID is what server.lua has: the ids of this start of the server, and of the history
// that it writes.
func serverID(info string) string {
	run, replication := field(info, "run_id"), field(info, "master_replid")
	if run == "" || replication == "" {
		return ""
	}
	return run[:min(16, len(run))] + replication[:min(16, len(replication))]
}

// watch asks for the servers all the time, and lets the writer prove all logs when another
// one is among them. It ends with the writer.
func (w *writer) watch() {
	known := map[string]bool{}
	w.proveDue(func() bool { return w.changed(known) }, w.proveAll)
}

// proveDue calls prove when it is time to, or when the servers have changed.
func (w *writer) proveDue(changed func() bool, prove func()) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-w.ended:
			return
		case now := <-tick.C:
			due := proveEvery
			if w.proveFailed.Load() {
				due = proveAgain
			}
			if changed() || now.Sub(last) > due {
				w.proveFailed.Store(false)
				prove()
				last = now
			}
		}
	}
}

// changed reports whether a server is there that was not known, and notes it.
func (w *writer) changed(known map[string]bool) bool {
	start := time.Now()
	ctx, cancel := context.WithTimeout(w.ctx, w.r.o.Timeout)
	defer cancel()
	ids, err := w.r.servers(ctx)
	w.r.observe("servers", start, nil, err)
	return note(known, ids)
}

// note adds servers to those that are known, and reports whether one was not.
func note(known map[string]bool, ids []string) (found bool) {
	if len(known) > knownMax {
		clear(known)
	}
	for _, id := range ids {
		found = found || !known[id]
		known[id] = true
	}
	return found
}

// proveAll queues the sessions that this process owns.
func (w *writer) proveAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unproved = w.unproved[:0]
	for id, c := range w.sequences {
		if c.owned {
			w.unproved = append(w.unproved, id)
		}
	}
	w.poke()
}

// prove takes some of the sessions that are queued to Redis. Only the writer goroutine calls
// it, between two batches: then no answer to a commit is outstanding, and what Redis must
// have is exactly what it has answered for. When Redis refuses, all are queued again later.
func (w *writer) prove() (more bool) {
	type claim struct {
		id           sessions.ID
		epoch        string
		fence, acked uint64
	}
	var claims []claim
	w.mu.Lock()
	n := min(len(w.unproved), proveBatch)
	for _, id := range w.unproved[:n] {
		if c := w.sequences[id]; c != nil && c.owned {
			claims = append(claims, claim{id, c.epoch, c.fence, c.acked})
		}
	}
	w.unproved = w.unproved[n:]
	more = len(w.unproved) > 0
	w.mu.Unlock()
	if len(claims) == 0 {
		return more
	}
	pipe := w.r.client.Pipeline()
	for _, c := range claims {
		w.r.proof.Eval(w.ctx, pipe, []string{w.r.keys.session(c.id, "state")}, string(c.id), c.fence, c.epoch, c.acked)
	}
	start, traced := time.Now(), w.r.trace(w.ctx, "prove", len(claims))
	_, err := pipe.Exec(w.ctx)
	w.r.observe("prove", start, traced, err)
	if err != nil {
		w.mu.Lock()
		w.unproved = nil
		w.mu.Unlock()
		w.proveFailed.Store(true)
		return false
	}
	return more
}
