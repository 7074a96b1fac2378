package cache

import (
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/sessions"
)

// send makes one round trip with the unresolved jobs of a batch and resolves those that got
// an answer. With whole each job carries the text of the script, not only its hash. The
// error is the last one that is worth another try.
func (w *writer) send(batch []*job, whole bool) error {
	start, traced := time.Now(), w.r.trace(w.ctx, "commit", len(batch))
	cmds, err := w.exec(batch, whole)
	w.r.observe("commit", start, traced, err)

	w.mu.Lock()
	defer w.mu.Unlock()
	blocked := map[*commitSequence]bool{} // a job of the sequence waits for another try: so do all after it
	var retry, full error
	for i, j := range batch {
		if j.resolved || blocked[j.sequence] {
			continue
		}
		reply, err := answer(cmds[i])
		switch {
		case err == nil:
			w.applyReply(j, reply)
		case verdictOf(err) != refused:
			blocked[j.sequence], retry = true, err
		default:
			blocked[j.sequence] = true // giveUp fails them
			j.sequence.fail(j, unavailable(err))
			if full = err; !isReply(err, replyOOM) {
				w.r.o.Logger.Error("redis rejects a commit", "error", err)
			}
		}
	}
	if w.down = retry != nil && verdictOf(retry) == retryable; w.down {
		full = retry
	}
	if full != nil {
		full = unavailable(full)
	}
	w.r.health.set(full)
	return retry
}

func (w *writer) exec(batch []*job, whole bool) ([]*redis.Cmd, error) {
	pipe := w.r.client.Pipeline()
	run := w.r.commit.EvalSha
	if whole {
		run = w.r.commit.Eval
	}
	cmds := make([]*redis.Cmd, len(batch))
	prev := map[*commitSequence]uint64{}
	now := w.r.now()
	w.mu.Lock()
	for i, j := range batch {
		if j.resolved {
			continue
		}
		before, ok := prev[j.sequence]
		if !ok {
			before = j.sequence.acked
		}
		cmds[i] = run(w.ctx, pipe, j.keys, j.stamp(before, now, w.r.o.Retention.Age)...)
		prev[j.sequence] = j.n
	}
	w.mu.Unlock()
	_, err := pipe.Exec(w.ctx)
	return cmds, err
}

// answer is the reply to one command. A command that was never answered has no error of
// its own in some cases, and counts as one to repeat.
func answer(cmd *redis.Cmd) ([]any, error) {
	reply, err := cmd.Slice()
	if err == nil && len(reply) == 0 {
		return nil, errNoAnswer
	}
	return reply, err
}

var errNoAnswer = fmt.Errorf("no answer")

// applyReply resolves a job by the word of the script.
func (w *writer) applyReply(j *job, reply []any) {
	var res sessions.Result
	switch word := text(reply[0]); word {
	case "OK":
	case "EXTEND":
		select {
		case w.ttlRenewals <- sessions.ID(text(j.args[0])):
		default: // the next renewal comes in time
		}
	case "EXISTS":
		_, body, _ := strings.Cut(text(reply[len(reply)-1]), " ")
		row, err := decode[onceRow](body)
		switch {
		case err != nil:
			res.Err = err
		case row.Once == nil || string(row.Session) != text(j.args[0]):
			res.Err = corrupt(fmt.Errorf("an idempotency record of another session"))
		default:
			res.Existing = row.Once
		}
	case "ORDER":
		res.Err = sessions.ErrOrder
	case "FENCED":
		j.sequence.owned = false
		j.resolve(sessions.Result{Err: sessions.ErrFenced})
		return
	case "LOST", "BEHIND": // BEHIND: Redis knows less than it has answered for
		j.resolve(sessions.Result{Err: sessions.ErrLost})
		return
	default:
		res.Err = corrupt(fmt.Errorf("commit: %q", word))
	}
	j.sequence.acked = max(j.sequence.acked, j.n)
	j.resolve(res)
}
