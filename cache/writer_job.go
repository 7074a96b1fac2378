package cache

import (
	"time"

	"github.com/perch-im/perch/sessions"
)

// job is a commit on its way, encoded by the goroutine that committed it: the writer only
// moves bytes.
type job struct {
	done     func(sessions.Result)
	id       sessions.ID
	sequence *commitSequence
	n        uint64 // its place in the sequence; 0: the committer is not the owner here
	keys     []string
	args     []any // of commit.lua
	size     int
	deadline time.Time // tried until then
	release  bool      // it releases the session

	resolved bool
	failed   bool // counted in commitSequence.unreportedFailures
	res      sessions.Result
}

func newJob(r *Redis, id sessions.ID, c *sessions.Commit, done func(sessions.Result)) (*job, error) {
	keys, args, err := r.arguments(id, c)
	if err != nil {
		return nil, err
	}
	j := &job{id: id, done: done, keys: keys, args: args, size: 256, release: c.Release}
	for _, a := range args {
		switch a := a.(type) {
		case string:
			j.size += len(a)
		case []byte:
			j.size += len(a)
		}
	}
	return j, nil
}

// stamp fills in what is known only when the job is sent: which commit came before, and
// the time. A repeat is stamped anew; the script looks at the number first.
func (j *job) stamp(prev uint64, now time.Time, age time.Duration) []any {
	j.args[argPrev], j.args[argNow], j.args[argOldest] = prev, now.UnixMilli(), now.Add(-age).UnixMilli()
	return j.args
}

// resolve ends a job; its done is called in order.
func (j *job) resolve(res sessions.Result) {
	j.resolved, j.res = true, res
	j.keys, j.args = nil, nil
}

// commitSequence numbers the commits of one session since Open. Each job names its predecessor and
// Redis keeps the number of the last one, so Redis refuses what comes out of order,
// recognises what comes twice, and shows when it has lost the end. All fields but the
// first two are guarded by writer.mu.
type commitSequence struct {
	epoch string
	fence uint64

	last               uint64 // number given last
	acked              uint64 // number that Redis has answered for
	failed             uint64 // jobs up to here fail, because one before them did
	unreportedFailures int    // failures not reported to the owner yet; no job is taken meanwhile
	used               time.Time
	// owned: as far as this process knows it was not replaced as the owner, and has not
	// released the session. Then acked is the last commit that was reported as stored.
	owned bool
}

// number gives j its place.
func (c *commitSequence) number(j *job) {
	c.last++
	j.sequence, j.n = c, c.last
	j.args[argN] = j.n
	if j.args[argEpoch] == "" {
		j.args[argEpoch] = c.epoch
	}
}

// fail resolves j, and lets everything that is queued after it fail as well: when a failure
// is reported, the owner knows that nothing after it was applied.
func (c *commitSequence) fail(j *job, err error) {
	j.resolve(sessions.Result{Err: err})
	c.failed = max(c.failed, c.last)
	c.refuse(j)
}

// refuse keeps new jobs out until the failure of j has been reported to the owner.
func (c *commitSequence) refuse(j *job) {
	j.failed = true
	c.unreportedFailures++
}
