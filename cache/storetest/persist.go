package storetest

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var persistCases = []Case{
	{"what is handled is in the log", handledIsLogged},
	{"a takeover finds log and counter alike", takeoverFindsAlike},
}

// handled is one inbound message as an owner keeps it: the event, the stream's counter
// that covers it, the place in the archive, and the state of the stream, in one commit.
func handled(o *owner, n uint64) *sessions.Commit {
	return &sessions.Commit{
		Events: []*perch.Event{o.event(n, fmt.Sprint("stanza ", n))},
		Record: &sessions.Record{Handled: n, ArchiveID: fmt.Sprint("archive-", n), Stream: []byte(fmt.Sprint("h=", n))},
	}
}

// alike checks that log and record tell of the same last stanza.
func alike(t testing.TB, o *owner) {
	t.Helper()
	want := sessions.Record{}
	if o.Tip > 0 {
		want = *handled(o, o.Tip).Record
	}
	same(t, "record", o.Record, want)
	p := o.page(0, 1000)
	if p.Tip != o.Tip {
		t.Errorf("the log ends at %d, Open said %d, want them equal", p.Tip, o.Tip)
	}
	for i, e := range p.Events {
		same(t, "event", e, o.event(p.First+uint64(i), fmt.Sprint("stanza ", p.First+uint64(i))))
	}
}

// handledIsLogged lets commits fail for each reason that there is. None of them may leave
// a counter that says more, or less, than the log.
func handledIsLogged(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for n := range uint64(3) {
		c := handled(o, n+1)
		c.Once = &sessions.Once{Key: fmt.Sprint(n)}
		o.ok(c)
	}
	for name, change := range map[string]func(*sessions.Commit){
		"a hole":        func(c *sessions.Commit) { c.Events = []*perch.Event{o.event(9, "")} },
		"another fence": func(c *sessions.Commit) { c.Fence = o.Fence + 1 },
		"another epoch": func(c *sessions.Commit) { c.Epoch = "0" + o.Epoch },
		"a known key":   func(c *sessions.Commit) { c.Once = &sessions.Once{Key: "1"} },
		"another past":  func(c *sessions.Commit) { c.Events = []*perch.Event{o.event(3, "bye")} },
		"half known":    func(c *sessions.Commit) { c.Events = append([]*perch.Event{o.event(3, "stanza 3")}, c.Events...) },
	} {
		c := handled(o, 4)
		change(c)
		if r := o.commit(c); r.Err == nil && r.Existing == nil {
			t.Errorf("%s was taken, want none", name)
		}
	}
	for _, n := range []uint64{0, 3, 4} { // nothing more; again, which counts once; and on
		if n > 0 {
			o.ok(handled(o, n))
		}
		o.openAgain()
		if alike(t, o); o.Tip != max(n, 3) {
			t.Errorf("tip %d after stanza %d, want %v", o.Tip, n, max(n, 3))
		}
	}
}

// takeoverFindsAlike opens a session while its owner writes as fast as it can: wherever
// that cuts, the counter and the log that are found belong together, and everything that
// was acknowledged to the owner is there.
func takeoverFindsAlike(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for round := range 8 {
		var answers []<-chan sessions.Result
		for range 40 {
			o.tip++
			answers = append(answers, o.start(handled(o, o.tip)))
		}
		acked := o.Tip
		answered := func(some []<-chan sessions.Result) {
			for _, ch := range some {
				if r := await(t, ch); r.Err == nil {
					acked++
				}
			}
		}
		answered(answers[:round*4]) // so many at least are answered before
		next := open(t, h.Store, "a1")
		answered(answers[round*4:])
		if next.Tip != acked {
			t.Errorf("round %d: %d stanzas are in the log, %d were acknowledged to the owner, want them equal", round, next.Tip, acked)
		}
		alike(t, next)
		o = next
	}
}
