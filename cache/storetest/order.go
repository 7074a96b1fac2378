package storetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch/sessions"
)

var orderCases = []Case{
	{"commits keep their order", order},
	{"done comes from the store", notInline},
}

// order lets several sessions commit without waiting, and looks at three things: the
// answers, the state and the log.
func order(t testing.TB, h Harness) {
	const sessionCount, commits = 6, 150
	var group sync.WaitGroup
	for n := range sessionCount {
		o := open(t, h.Store, sessions.ID(fmt.Sprintf("a%d", n)))
		group.Go(func() { orderOf(t, o, commits) })
	}
	group.Wait()
}

func orderOf(t testing.TB, o *owner, commits int) {
	answers := make(chan int, 2*commits)
	for i := range commits {
		c := &sessions.Commit{
			Fence:    o.Fence,
			Contacts: putting(o.Contacts, contact("a@x", fmt.Sprint(i))),
			Outbox:   sessions.Delta[sessions.OutboxEntry]{Put: []*sessions.OutboxEntry{entry(fmt.Sprint("m", i), uint64(i), "x")}},
		}
		if i > 0 {
			c.Outbox.Del = []string{fmt.Sprint("m", i-1)}
		}
		if i%3 == 0 {
			c.Events = o.events(1)
			o.tip++
		}
		o.store.Commit(o.id, c, func(r sessions.Result) {
			if r.Err != nil || r.Existing != nil {
				t.Errorf("commit %d of %s: %v, want no error and nil", i, o.id, r.Err)
			}
			answers <- i
		})
	}
	for want := range commits {
		select {
		case got := <-answers:
			if got != want {
				t.Errorf("%s: answer %d came when %d was due, want them equal", o.id, got, want)
			}
		case <-time.After(patience):
			t.Errorf("%s: commit %d was not answered, want it in time", o.id, want)
			return
		}
	}
	if len(answers) > 0 {
		t.Errorf("%s: %d commits were answered twice, want none", o.id, len(answers))
	}
	s, err := o.store.Open(t.Context(), o.id, sessions.OpenOptions{})
	switch {
	case err != nil:
		t.Errorf("Open: got error %v, want none", err)
	case len(s.Outbox) != 1 || s.Outbox[0].Seq != uint64(commits-1):
		t.Errorf("%s: %d entries are left in the outbox, want 1 and %v", o.id, len(s.Outbox), uint64(commits-1))
	case s.Tip != o.tip:
		t.Errorf("%s: tip %d, want %d", o.id, s.Tip, o.tip)
	default:
		lastWord(t, s, fmt.Sprint(commits-1))
	}
}

func notInline(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for range 20 {
		inline := make(chan bool, 1)
		callCommit(o, func(sessions.Result) { inline <- calledBy("callCommit") })
		select {
		case yes := <-inline:
			if yes {
				t.Error("done was called from inside Commit, want it called after")
			}
		case <-time.After(patience):
			t.Fatal("a commit was not answered, want it in time")
		}
	}
}

//go:noinline
func callCommit(o *owner, done func(sessions.Result)) {
	o.store.Commit(o.id, &sessions.Commit{Fence: o.Fence, Record: &sessions.Record{}}, done)
}

func calledBy(name string) bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "."+name) {
			return true
		}
		if !more {
			return false
		}
	}
}
