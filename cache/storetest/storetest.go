// Package storetest is the one suite that every sessions.Store must pass. It knows the
// contract of the interface and nothing of the implementations; what it needs from
// outside (time that passes, an answer that gets lost) comes with the [Harness].
package storetest

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/sessions"
)

// Harness is one empty store and the strings that the suite pulls.
type Harness struct {
	// Store has the retention Keep, and is used by this test alone.
	Store sessions.Store
	// Advance lets time pass for everything that ends by itself.
	Advance func(time.Duration)
	// Reopen returns another store on the same data, as another node or the next process
	// would have it. nil: nothing survives.
	Reopen func() sessions.Store
	// LoseAnswers lets requests through and no answers, until heal is called. nil: the
	// store has no connection that could be lost.
	LoseAnswers func() (heal func())
	// Restart lets the server of the store be another start of it, or another one, with all
	// that it has. nil: there is no server.
	Restart func()
	// Snapshot copies what the server has; restore puts that in place of what it has then, and
	// is a Restart. nil: that cannot be done.
	Snapshot func() (restore func())
	// Proved waits until the owners that Store knows have been taken notice of since the last
	// Restart, and their session's logs are proved, so many of them. Needed with Restart.
	Proved func(n int)
	// Endless names what is kept without an end. nil: cannot be determined.
	Endless func() []string
}

// Keep is the retention that a Harness's store must be made with: small enough to reach.
var Keep = sessions.Retention{Events: 50, Bytes: 64 << 10, Age: time.Hour}

// StateTTL is the life of a session's state that it must be made with: the default.
const StateTTL = 7 * 24 * time.Hour

// Maker makes a Harness for one case and registers its end with t.Cleanup.
type Maker func(t testing.TB) Harness

// Case is one part of the contract.
type Case struct {
	Name string
	Test func(t testing.TB, h Harness)
}

// Cases lists the whole suite.
func Cases() []Case {
	var all []Case
	for _, part := range [][]Case{
		openCases, commitCases, orderCases, logCases, tableCases, contactCases, conversationCases, roomCases, readerCases, onceCases, tokenCases, tokenRecordCases, lifeCases,
		takingCases, memberCases, ticketCases, quotaCases, persistCases, staleCases,
	} {
		all = append(all, part...)
	}
	return all
}

// Run runs the suite, each case on a harness of its own.
func Run(t *testing.T, make Maker) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.run(t, make) })
	}
}

// RunInBubble is Run inside testing/synctest, for stores without a network: time.Sleep is
// their Advance.
func RunInBubble(t *testing.T, make Maker) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(t, make) })
		})
	}
}

func (c Case) run(t testing.TB, make Maker) {
	h := make(t)
	c.Test(t, h)
	if h.Endless != nil {
		for _, name := range h.Endless() {
			t.Errorf("%s is kept for ever, want none", name)
		}
	}
}

// long are cases that fill a table to its bound, which takes half a minute. They find faults in
// bounds alone: who plants one of these names them.
var long = []string{"message records are bounded", "idempotency keys are bounded", "vcards are bounded", "minted tokens are bounded", "tokens end, and make room"}

// Failures runs the suite against a store that is known to be wrong and returns the names
// of the cases that noticed. Bubble is as in RunInBubble; only names the cases to run, none
// means all but the long ones.
func Failures(t *testing.T, bubble bool, make Maker, only ...string) []string {
	var names []string
	for _, c := range Cases() {
		if len(only) > 0 && !slices.Contains(only, c.Name) || len(only) == 0 && slices.Contains(long, c.Name) {
			continue
		}
		failed := false
		judge := func(t *testing.T) { failed = record(t, func(t testing.TB) { c.run(t, make) }) }
		if bubble {
			synctest.Test(t, judge)
		} else {
			judge(t)
		}
		if failed {
			names = append(names, c.Name)
		}
	}
	return names
}

// recorder takes the failures that a wrong store must cause, so that they are not ours.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	cleanups []func()
}

func record(t testing.TB, f func(testing.TB)) bool {
	r := &recorder{TB: t}
	ended := make(chan struct{})
	go func() { // a Fatal ends this goroutine
		defer close(ended)
		defer r.clean()
		f(r)
	}()
	<-ended
	return r.Failed()
}

func (r *recorder) clean() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

func (r *recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) FailNow()              { r.Fail(); runtime.Goexit() }
func (r *recorder) Error(...any)          { r.Fail() }
func (r *recorder) Errorf(string, ...any) { r.Fail() }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }
func (r *recorder) Helper()               {}
func (r *recorder) Cleanup(f func())      { r.cleanups = append(r.cleanups, f) }
