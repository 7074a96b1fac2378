package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/ledger"
)

// story is a history that was made up: one sender, an account with two clients, a receiver.
type story struct{ entries []ledger.Entry }

func (s *story) add(at int64, e ledger.Entry) *story {
	if e.Phase == "" {
		e.Phase = ledger.OK
	}
	e.At = at
	s.entries = append(s.entries, e)
	return s
}

func (s *story) sent(at int64, n int, p ledger.Phase) *story {
	s.add(at, ledger.Entry{Op: ledger.OpSend, Phase: ledger.Invoke, Who: "sl1", Account: "a1", N: n})
	return s.add(at+1, ledger.Entry{Op: ledger.OpSend, Phase: p, Who: "sl1", Account: "a1", N: n})
}

func (s *story) got(at int64, client string, n int, id string) *story {
	return s.add(at, ledger.Entry{Op: ledger.OpRecv, Who: client, Account: "a1", From: "sl1", N: n, ID: id})
}

func (s *story) both(at int64, n int, id string) *story {
	return s.got(at, "a1/ws1", n, id).got(at, "a1/sse", n, id)
}

func (s *story) hello(at int64, text string) *story {
	for _, c := range []string{"a1/ws1", "a1/sse"} {
		s.add(at, ledger.Entry{Op: ledger.OpHello, Who: c, Account: "a1", Text: text})
	}
	return s
}

func (s *story) fault(from, to int64, kind string) *story {
	s.add(from, ledger.Entry{Op: ledger.OpFault, Phase: ledger.Invoke, Who: "n1", Text: kind})
	return s.add(to, ledger.Entry{Op: ledger.OpFault, Who: "n1", Text: kind})
}

func (s *story) quiet(from, to int64) *story {
	s.add(from, ledger.Entry{Op: ledger.OpQuiet, Phase: ledger.Invoke})
	return s.add(to, ledger.Entry{Op: ledger.OpQuiet})
}

func (s *story) owner(node, session, epoch string, fence int) *story {
	return s.add(9000, ledger.Entry{Op: ledger.OpOwner, Who: node, ID: session, Text: epoch, N: fence})
}

// refused is a reset of both clients at a cursor.
func (s *story) refused(at int64, cursor string) *story {
	for _, c := range []string{"a1/ws1", "a1/sse"} {
		s.add(at, ledger.Entry{Op: ledger.OpHello, Who: c, Account: "a1", Text: "epoch", ID: cursor})
	}
	return s
}

func (s *story) unproved(node, session, epoch string, fence int) *story {
	return s.add(9000, ledger.Entry{Op: ledger.OpOwner, Who: node, ID: session, Text: epoch, N: fence, Key: "unproved"})
}

func (s *story) left(base, now int) *story {
	s.add(1, ledger.Entry{Op: ledger.OpLeft, Phase: ledger.Invoke, Who: "n1", Text: "goroutines", N: base})
	return s.add(9000, ledger.Entry{Op: ledger.OpLeft, Who: "n1", Text: "goroutines", N: now})
}

// rosters is how many buddies an account had before, after a fault and in the end.
func (s *story) rosters(had, after, end int) *story {
	s.add(1, ledger.Entry{Op: ledger.OpRoster, Phase: ledger.Invoke, Account: "a1", N: had})
	s.add(8000, ledger.Entry{Op: ledger.OpRoster, Account: "a1", N: after, Text: ledger.FaultRedisFlush})
	return s.add(9000, ledger.Entry{Op: ledger.OpRoster, Account: "a1", N: end})
}

// post is an accepted message with its status, and so many copies in the receiver's archive.
func (s *story) post(at int64, n int, status string, ids ...string) *story {
	p := ledger.Entry{Op: ledger.OpPost, Account: "a1", To: "slr", N: n, Key: fmt.Sprint("k", n), ID: fmt.Sprint("m", n)}
	s.add(at, ledger.Entry{Op: ledger.OpPost, Phase: ledger.Invoke, Account: "a1", To: "slr", N: n, Key: p.Key})
	s.add(at+1, p)
	s.add(at+2, ledger.Entry{Op: ledger.OpStatus, Account: "a1", To: "slr", N: n, ID: p.ID, Text: status})
	for _, id := range ids {
		s.add(at+100, ledger.Entry{Op: ledger.OpStored, Who: "slr", From: "a1", N: n, ID: id})
	}
	return s
}

func (s *story) audited(who string) *story {
	return s.add(9999, ledger.Entry{Op: ledger.OpAudited, Who: who})
}

func fresh() *story { return (&story{}).hello(0, "first") }

// finding is a history, and what a check says of it.
type finding struct {
	s    *story
	want string // in one of the lines; "" is none
}

// found checks each history by itself.
func found(t *testing.T, cases map[string]finding) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := ledger.Check(c.s.entries)
			lines := r.Lines(7)
			if r.Failed() != (c.want != "") {
				t.Errorf("failed: %v\n%s, want %v", r.Failed(), strings.Join(lines, "\n"), c.want != "")
			}
			if c.want != "" && !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, c.want) }) {
				t.Errorf("no %q in\n%s, want one", c.want, strings.Join(lines, "\n"))
			}
		})
	}
}

func TestCheckInbound(t *testing.T) {
	stored := ledger.Entry{Op: ledger.OpStored, Who: "a1", From: "sl1", N: 2, ID: "x"}
	found(t, map[string]finding{
		"all is well": {fresh().sent(1, 1, ledger.OK).both(5, 1, "e-1").sent(6, 2, ledger.OK).both(7, 2, "e-2").
			post(8, 1, "delivered", "m1").audited("slr").owner("n1", "s", "e", 1).owner("n2", "s", "e", 2), ""},
		"lost at every client": {fresh().sent(1, 1, ledger.OK), "lost: sl1>a1 #1, sent at 1 ms, never came to a1/sse, a1/ws1"},
		"lost at one client":   {fresh().sent(1, 1, ledger.OK).got(5, "a1/ws1", 1, "e-1"), "never came to a1/sse"},
		"never acknowledged, in the archive": {fresh().sent(1, 2, ledger.Info).add(9, stored).audited("a1"),
			"lost: sl1>a1 #2"},
		"never acknowledged, not in the archive": {fresh().sent(1, 2, ledger.Info).audited("a1"), ""},
		"taken, and not in the archive":          {fresh().sent(1, 1, ledger.OK).audited("a1"), "was taken by the server"},
		"gone with the server's restart": {fresh().fault(0, 50, ledger.FaultServerRestart).sent(1, 1, ledger.OK).
			audited("a1"), ""},
		"read from the archive after a reset": {fresh().sent(1, 1, ledger.OK).fault(2, 3, ledger.FaultRedisFlush).hello(4, "epoch").
			add(5, ledger.Entry{Op: ledger.OpRead, Who: "a1/ws1", Account: "a1", From: "sl1", N: 1}).
			got(5, "a1/sse", 1, "f-1"), ""},
		"read from the archive after a backup was put back": {fresh().sent(1, 1, ledger.OK).fault(2, 3, ledger.FaultRedisRestore).hello(4, "epoch").
			both(5, 1, "f-1"), ""},
		"lost to a backup that was put back": {fresh().sent(1, 1, ledger.OK).fault(2, 3, ledger.FaultRedisRestore).got(5, "a1/sse", 1, "e-1"),
			"lost: sl1>a1 #1, sent at 1 ms, never came to a1/ws1"},
		"a log that nothing proved after a restart": {fresh().fault(1, 2, ledger.FaultRedisKill).refused(4, "e-7").owner("n1/x", "s", "e", 4).
			unproved("n2/y", "s", "f", 5), ""},
		"a log that nothing proved, without a restart": {fresh().refused(4, "e-7").owner("n1/x", "s", "e", 4).
			unproved("n2/y", "s", "f", 5), "was reset (epoch)"},
		"a reset after a restart, and the log was proved": {fresh().fault(1, 2, ledger.FaultRedisKill).refused(4, "e-7").owner("n1/x", "s", "e", 4).
			owner("n2/y", "s", "e", 5).unproved("n2/y", "t", "g", 9), "was reset (epoch)"},
		"a node that holds what it had":           {fresh().left(20, 31), ""},
		"goroutines that stay":                    {fresh().left(20, 33), "n1 has 33 goroutines with no session signed in, and had 20 at its start"},
		"a roster that is whole after each fault": {fresh().rosters(8008, 8008, 8008), ""},
		"a roster that is shorter after a fault":  {fresh().rosters(8008, 7999, 8008), "a1 has 7999 buddies after redis-flush, and had 8008"},
		"a roster that is shorter in the end":     {fresh().rosters(8008, 8008, 0), "a1 has 0 buddies in the end, and had 8008"},
		"a reset of nothing":                      {fresh().hello(4, "unknown"), "was reset (unknown)"},
		"an event twice":                          {fresh().sent(1, 1, ledger.OK).both(5, 1, "e-1").got(6, "a1/sse", 1, "e-1"), "doubled: a1/sse got event e-1 twice"},
		"a message twice in a log": {fresh().sent(1, 1, ledger.OK).both(5, 1, "e-1").got(6, "a1/sse", 1, "e-2"),
			"doubled: a1/sse got sl1>a1 #1 as e-1 and as e-2"},
		"a message in two logs": {fresh().sent(1, 1, ledger.OK).both(5, 1, "e-1").both(6, 1, "f-1"), ""},
		"out of order": {fresh().sent(1, 1, ledger.OK).sent(2, 2, ledger.OK).got(5, "a1/ws1", 1, "e-1").got(6, "a1/ws1", 2, "e-2").
			got(7, "a1/sse", 2, "e-2").got(8, "a1/sse", 1, "e-1"), "out of order: a1/sse got sl1>a1 #1 after sl1>a1 #2"},
		"out of order by ejabberd": {fresh().add(0, ledger.Entry{Op: ledger.OpWorld, Text: "ejabberd"}).sent(1, 1, ledger.OK).
			sent(2, 2, ledger.OK).both(7, 2, "e-2").both(8, 1, "e-3"), ""},
		"kept by ejabberd for later, and not in its archive": {fresh().fault(0, 50, ledger.FaultServerRestart).add(0, ledger.Entry{Op: ledger.OpWorld, Text: "ejabberd"}).
			sent(1, 1, ledger.OK).sent(2, 2, ledger.OK).add(9, stored).audited("a1").both(7, 2, "e-2").both(8, 1, "e-4").
			add(9, ledger.Entry{Op: ledger.OpState, Who: "a1/ws1", Account: "a1", ID: "e-3"}), ""},
		"out of order over two streams of ejabberd": {fresh().add(0, ledger.Entry{Op: ledger.OpWorld, Text: "ejabberd"}).
			sent(1, 1, ledger.OK).sent(2, 2, ledger.OK).both(7, 2, "e-2").both(8, 1, "e-4").
			add(9, ledger.Entry{Op: ledger.OpState, Who: "a1/ws1", Account: "a1", ID: "e-3"}), "out of order: a1/ws1 got sl1>a1 #1"},
		"late":                                  {fresh().quiet(0, 20000).sent(1, 1, ledger.OK).both(11000, 1, "e-1"), "late: sl1>a1 #1, sent at 1 ms while nothing was broken"},
		"prompt":                                {fresh().quiet(0, 20000).sent(1, 1, ledger.OK).got(9000, "a1/ws1", 1, "e-1").got(11000, "a1/sse", 1, "e-1"), ""},
		"late, in the end of the quiet":         {fresh().quiet(0, 20000).sent(15000, 1, ledger.OK).both(29000, 1, "e-1"), ""},
		"late, after it":                        {fresh().quiet(0, 20000).sent(30000, 1, ledger.OK).both(99000, 1, "e-1"), ""},
		"late, and maybe never with the server": {fresh().quiet(0, 20000).sent(1, 1, ledger.Info).both(11000, 1, "e-1"), ""},
		"a bounce":                              {fresh().sent(1, 1, ledger.Fail), "came back to its sender"},
		"two owners":                            {fresh().owner("n1/x", "s", "e", 4).owner("n2/y", "s", "e", 4), "has two owners: n1/x and n2/y"},
		"a fence that goes back":                {fresh().owner("n1/x", "s", "e", 4).owner("n1/x", "s", "e", 3), "got fence 3 after 4"},
		"a new log may begin at 1":              {fresh().owner("n1/x", "s", "e", 4).owner("n1/x", "s", "f", 1), ""},
		"seen to go in a drain": {fresh().fault(1, 9, ledger.FaultDrain).
			add(5, ledger.Entry{Op: ledger.OpPresence, Who: "sl1", Account: "a1", Text: "unavailable"}), "sl1 saw a1 go"},
		"refused for good": {fresh().add(5, ledger.Entry{Op: ledger.OpStop, Who: "a1/ws1", Account: "a1", Text: "4001"}), "was refused for good: 4001"},
		"refused for a bad token": {fresh().fault(1, 9, ledger.FaultToken).
			add(5, ledger.Entry{Op: ledger.OpStop, Who: "a1/ws1", Account: "a1", Text: "4001"}), ""},
		"damaged": {fresh().add(5, ledger.Entry{Op: ledger.OpDamaged, Who: "a1/ws1", Text: "?"}), "was not sent"},
		"a race":  {fresh().add(5, ledger.Entry{Op: ledger.OpBroken, Who: "n1", Text: "WARNING: DATA RACE"}), "n1: WARNING: DATA RACE"},
	})
}

func TestCheckOutbound(t *testing.T) {
	found(t, map[string]finding{
		"outbound lost":    {fresh().post(1, 1, "acked").audited("slr"), "outbound, lost: a1>slr #1"},
		"outbound doubled": {fresh().post(1, 1, "acked", "m1", "m1").audited("slr"), "outbound, doubled: a1>slr #1 came 2 times"},
		"outbound again after lost data": {fresh().fault(1, 2, ledger.FaultRedisFlush).post(1, 1, "acked", "m1", "m1").
			audited("slr"), ""},
		"outbound again after a backup was put back": {fresh().post(1, 1, "acked", "m1").fault(50, 60, ledger.FaultRedisRestore).
			post(70, 1, "acked", "m1").audited("slr"), ""},
		"outbound forgotten with a backup, and not sent again": {fresh().post(1, 1, "not-found").fault(50, 60, ledger.FaultRedisRestore).audited("slr"),
			"outbound, lost: a1>slr #1"},
		"outbound again with another id": {fresh().fault(1, 2, ledger.FaultRedisFlush).post(1, 1, "acked", "m1", "m7").
			audited("slr"), "came 2 times, with the ids m1, m7"},
		"outbound out of order": {fresh().post(1, 2, "acked", "m2").post(200, 1, "acked", "m1").audited("slr"),
			"outbound, out of order: a1>slr #1 came after a1>slr #2"},
		"a history without an end": {fresh().post(1, 1, "sent", "m1").audited("slr"), `ended as "sent"`},
		"an end that is unknown":   {fresh().post(1, 1, "unknown", "m1").audited("slr"), `ended as "unknown"`},
		"unknown by the server's restart": {fresh().fault(10, 20, ledger.FaultServerRestart).post(1, 1, "unknown", "m1").
			audited("slr"), ""},
		"two ids of one key": {fresh().post(1, 1, "acked", "m1").audited("slr").
			add(99, ledger.Entry{Op: ledger.OpPost, Account: "a1", To: "slr", N: 1, ID: "m9"}), "ids m1 and m9"},
	})
}

// TestVerdict: the last line is the one that is looked for.
func TestVerdict(t *testing.T) {
	s := fresh().fault(1, 2, ledger.FaultNodeKill).fault(3, 4, ledger.FaultDrain).fault(5, 6, ledger.FaultDrain).
		sent(10, 1, ledger.OK).both(11, 1, "e-1").sent(12, 2, ledger.OK)
	r := ledger.Check(s.entries)
	lines := r.Lines(42)
	if got, want := lines[len(lines)-1], "ledger: 2 messages, 3 faults, 1 lost, 0 doubled, 0 out of order, seed 42"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if r.Kinds != 2 {
		t.Errorf("%d kinds of faults, want 2", r.Kinds)
	}
}
