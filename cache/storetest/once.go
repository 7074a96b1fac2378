package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var onceCases = []Case{
	{"an idempotency key counts once", once},
	{"an idempotency key ends", onceEnds},
	{"message records are put and end", messages},
	{"message records are bounded", messagesBounded},
	{"idempotency keys are bounded", onceBounded},
}

func once(t testing.TB, h Harness) {
	o, other := open(t, h.Store, "a1"), open(t, h.Store, "a2")
	first := &sessions.Once{Key: "k {1}:\n", Fingerprint: "f1", Answer: "m1"}
	o.ok(&sessions.Commit{Once: first, Events: o.events(1)})
	second := func() *sessions.Commit {
		return &sessions.Commit{
			Once: &sessions.Once{Key: first.Key, Fingerprint: "f2", Answer: "m2"}, Events: o.events(1),
			Messages: []*perch.MessageRecord{message("m2", perch.StatusAccepted)},
		}
	}
	// Two at once: what Redis is asked in one go must not differ from one after the other.
	for _, ch := range []<-chan sessions.Result{o.start(second()), o.start(second())} {
		r := await(t, ch)
		if r.Err != nil {
			t.Errorf("a known key gave %v, want no error", r.Err)
		}
		same(t, "existing", r.Existing, first)
	}
	o.bounds(1, 1)
	if _, err := h.Store.Message(t.Context(), o.id, "m2"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("the second message is kept: %v, want an error of the kind %v", err, perch.KindNotFound)
	}
	other.ok(&sessions.Commit{Once: &sessions.Once{Key: first.Key}}) // keys belong to a session
	o.append(1)
	o.bounds(1, 2)
}

func onceEnds(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	first := &sessions.Once{Key: "k", Fingerprint: "f", Answer: "m1"}
	o.ok(&sessions.Commit{Once: first})
	h.Advance(24*time.Hour - time.Minute)
	if r := o.commit(&sessions.Commit{Once: &sessions.Once{Key: "k"}}); r.Existing == nil {
		t.Errorf("the key has ended early: %v, want one", r.Err)
	}
	h.Advance(2 * time.Minute)
	o.ok(&sessions.Commit{Once: &sessions.Once{Key: "k", Answer: "m2"}})
	r := o.commit(&sessions.Commit{Once: &sessions.Once{Key: "k"}})
	same(t, "existing", r.Existing, &sessions.Once{Key: "k", Answer: "m2"})
}

func messages(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	check := func(id string, want *perch.MessageRecord) {
		t.Helper()
		got, err := h.Store.Message(t.Context(), o.id, id)
		switch {
		case want == nil && perch.KindOf(err) != perch.KindNotFound:
			t.Errorf("%s: %v, %v, want an error of the kind %v", id, got, err, perch.KindNotFound)
		case want != nil && err != nil:
			t.Errorf("%s: got error %v, want none", id, err)
		case want != nil:
			same(t, id, got, want)
		}
	}
	put := func(m ...*perch.MessageRecord) { o.ok(&sessions.Commit{Messages: m}) }
	put(message("m1", perch.StatusAccepted), message("m2", perch.StatusAccepted))
	h.Advance(12 * time.Hour)
	put(message("m2", perch.StatusAcked))
	check("m1", message("m1", perch.StatusAccepted))
	check("m2", message("m2", perch.StatusAcked))
	h.Advance(12*time.Hour + time.Minute)
	check("m1", nil)
	check("m2", message("m2", perch.StatusAcked)) // it was put later
	put(message("m3", perch.StatusSent))
	check("m2", message("m2", perch.StatusAcked))
	h.Advance(12 * time.Hour)
	check("m2", nil)
	check("m3", message("m3", perch.StatusSent))
}

// messagesBounded: of too many records those go that were put longest ago.
func messagesBounded(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for i := range 2*10_000/4000 + 1 {
		var m []*perch.MessageRecord
		for j := range 4000 {
			m = append(m, message(fmt.Sprintf("m%d-%d", i, j), perch.StatusAcked))
		}
		o.ok(&sessions.Commit{Messages: m})
		h.Advance(time.Second)
	}
	if _, err := h.Store.Message(t.Context(), o.id, "m0-0"); perch.KindOf(err) != perch.KindNotFound {
		t.Errorf("the first record: %v, want it gone", err)
	}
	if _, err := h.Store.Message(t.Context(), o.id, "m5-3999"); err != nil {
		t.Errorf("the last record: %v, want it kept", err)
	}
}

// onceBounded: of a flood of messages, each with an idempotency key of its own, the keys go
// that were put longest ago, and with them the records of their messages. In a durable store
// both have their places in common: there each key brings many records, to be done sooner.
func onceBounded(t testing.TB, h Harness) {
	records := 1
	if h.Store.Durable() {
		records = 199
	}
	most := 2 * sessions.MaxTimed / (1 + records)
	chunk := most / 4
	o := open(t, h.Store, "a1")
	post := func(i int) <-chan sessions.Result {
		c := &sessions.Commit{Once: &sessions.Once{Key: fmt.Sprint("k", i), Fingerprint: "f", Answer: fmt.Sprint("m", i)}}
		for j := range records {
			c.Messages = append(c.Messages, message(fmt.Sprintf("m%d-%d", i, j), perch.StatusAccepted))
		}
		return o.start(c)
	}
	known := func(i int, want bool) {
		t.Helper()
		if r := await(t, post(i)); r.Err != nil || (r.Existing != nil) != want {
			t.Errorf("key %d: existing %v, %v, want it kept: %v", i, r.Existing, r.Err, want)
		}
	}
	for from := 0; from < most; from += chunk {
		var answers []<-chan sessions.Result
		for i := range chunk {
			answers = append(answers, post(from+i))
		}
		for i, ch := range answers {
			if r := await(t, ch); r.Err != nil || r.Existing != nil {
				t.Fatalf("key %d: existing %v, %v, want neither", from+i, r.Existing, r.Err)
			}
		}
		h.Advance(time.Second) // entries of one moment may go in any order
	}
	known(0, true) // as many as there may be, and none too many
	for i := range chunk {
		known(most+i, false)
	}
	known(most+chunk-1, true)
	known(chunk, true)
	for _, i := range []int{0, chunk - 1} {
		if _, err := h.Store.Message(t.Context(), o.id, fmt.Sprintf("m%d-0", i)); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("record %d: %v, want it gone", i, err)
		}
		known(i, false)
	}
}
