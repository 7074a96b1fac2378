package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

type readerDelta = sessions.Delta[sessions.StoredReader]

var readerCases = []Case{
	{"reader changes", readerChanges},
	{"readers of two kinds", readerKinds},
	{"a cursor is written with its events", readersWithEvent},
	{"a commit that is refused changes no reader", readersRefused},
	{"an owner that was replaced moves no cursor", readersFenced},
	{"readers survive", readersSurvive},
	{"readers are bounded", readersBounded},
	{"readers are forgotten", readersForgotten},
}

// reader is one with a bit of everything, made of its id and a number.
func reader(id string, n uint64) *sessions.StoredReader {
	return &sessions.StoredReader{
		Kind: perch.WebhookReader, ID: id, Sealed: []byte{0, 1, 0xff}, Created: 1_700_000_000_000,
		Spec: perch.ReaderSpec{Types: []string{"message.*"}, Conversations: []perch.JID{"bo\u00f6@x"}, When: perch.ReadDetached, Include: perch.IncludeIDs},
		By:   "token", Grant: perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}, Conversations: []perch.JID{"bo\u00f6@x"}, Expires: 1_800_000_000_000},
		Generation: 3, Cursor: perch.Position{Epoch: "e", Offset: n}, Sending: n + 1<<53, Reset: sessions.ResetExpired, Attached: true,
		Disabled: "gone", Failures: 4, Refusals: 2, Since: 5, Next: 6,
		Last: perch.ReaderAttempt{At: 7, Status: 410, Error: "\u2028<&>"},
	}
}

func putReaders(list ...*sessions.StoredReader) *sessions.Commit {
	return &sessions.Commit{Readers: readerDelta{Put: list}}
}

func readerChanges(t testing.TB, h Harness) {
	changes(t, h, func(id perch.JID, n string) *sessions.StoredReader { return reader(string(id), uint64(n[0])) },
		func(d readerDelta) *sessions.Commit {
			d.Del = slices.Clone(d.Del)
			for i, id := range d.Del {
				d.Del[i] = "webhook/" + id
			}
			return &sessions.Commit{Readers: d}
		},
		func(s *sessions.Saved) []*sessions.StoredReader { return s.Readers })
}

// readerKinds: readers of two kinds may have one id, and what is not set of one is not set later either.
func readerKinds(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	push, bare := reader("a", 1), &sessions.StoredReader{Kind: perch.WebhookReader, ID: "a", Sealed: []byte{1}}
	push.Kind = perch.PushReader
	o.ok(putReaders(bare, push))
	same(t, "both", o.openAgain().Readers, []*sessions.StoredReader{push, bare})
	o.ok(&sessions.Commit{Readers: readerDelta{Del: []string{push.Key()}}})
	same(t, "one", o.openAgain().Readers, []*sessions.StoredReader{bare})
}

// readersWithEvent: the next owner finds the events of a commit and the cursor in it, or neither.
func readersWithEvent(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	for round := range 6 {
		var answers []<-chan sessions.Result
		for range 30 {
			o.tip++
			c := putReaders(reader("a", o.tip))
			c.Events = []*perch.Event{o.event(o.tip, "m")}
			answers = append(answers, o.start(c))
		}
		for _, ch := range answers[:round*5] { // so many at least are answered before
			await(t, ch)
		}
		next := open(t, h.Store, "a1")
		for _, ch := range answers[round*5:] {
			await(t, ch)
		}
		at := uint64(0)
		if len(next.Readers) == 1 {
			at = next.Readers[0].Cursor.Offset
		}
		if at != next.Tip {
			t.Errorf("round %d: %d readers, the cursor at %d, want %d, as the log", round, len(next.Readers), at, next.Tip)
		}
		o = next
	}
}

func readersRefused(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.ok(putReaders(reader("a", 1)))
	c := putReaders(reader("a", 2), reader("b", 2))
	c.Events = []*perch.Event{o.event(5, "m")}
	if r := o.commit(c); r.Err == nil {
		t.Error("a commit with a hole: got no error, want one")
	}
	same(t, "readers", o.openAgain().Readers, []*sessions.StoredReader{reader("a", 1)})
}

func readersFenced(t testing.TB, h Harness) {
	old := open(t, h.Store, "a1")
	old.ok(putReaders(reader("a", 1)))
	o := open(t, h.Store, "a1")
	for _, c := range []*sessions.Commit{putReaders(reader("a", 2)), {Readers: readerDelta{Reset: true}}, {Readers: readerDelta{Del: []string{"webhook/a"}}}} {
		if r := old.commit(c); r.Err == nil {
			t.Error("the owner before has changed a reader, want an error")
		}
	}
	same(t, "readers", o.openAgain().Readers, []*sessions.StoredReader{reader("a", 1)})
}

func readersSurvive(t testing.TB, h Harness) {
	if h.Reopen == nil {
		return
	}
	want := []*sessions.StoredReader{reader("a", 1), reader("b", 2)}
	open(t, h.Store, "a1").ok(putReaders(want...))
	next := h.Reopen()
	same(t, "readers in the next process", open(t, next, "a1").Readers, want)
	if h.Restart != nil {
		h.Restart() // begins a new log, and drops no table
		same(t, "readers of a log that is stale", open(t, h.Reopen(), "a1").Readers, want)
	}
}

// readersBounded: what is kept stays and can be changed, and what is new and too many is left out.
func readersBounded(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	var many, want []*sessions.StoredReader
	for i := range uint64(33) {
		many = append(many, reader(fmt.Sprintf("%04d", i+1), i))
		if i < 30 {
			want = append(want, many[i])
		}
	}
	o.ok(putReaders(many[:29]...))
	o.ok(putReaders(many[29:]...))
	same(t, "too many", o.openAgain().Readers, want)
	o.ok(putReaders(reader("0000", 1), reader("0007", 99)))
	want[6] = reader("0007", 99)
	same(t, "one more, and a change", o.openAgain().Readers, want)
	c := putReaders(reader("0000", 1))
	c.Readers.Del = []string{"webhook/0030"}
	o.ok(c)
	same(t, "one in the place of another", o.openAgain().Readers, append([]*sessions.StoredReader{reader("0000", 1)}, want[:29]...))
}

func readersForgotten(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.ok(putReaders(reader("a", 1)))
	if err := h.Store.Forget(t.Context(), o.id); err != nil {
		t.Fatalf("Forget: got error %v, want none", err)
	}
	if saved := open(t, h.Store, "a1"); len(saved.Readers) != 0 {
		t.Errorf("got %d readers of a session that was forgotten, want none", len(saved.Readers))
	}
}
