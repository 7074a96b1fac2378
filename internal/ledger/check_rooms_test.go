package ledger_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch/internal/ledger"
)

// lounge is a history with a room: what sl1 says there is in its archive in that order, and two clients of a1 are
// there. A message n has the id "sn" in the archive.
type lounge struct {
	*story
	room string
	said int
}

func (s *story) lounge(room, archive string) *lounge {
	s.add(1, ledger.Entry{Op: ledger.OpRoom, To: room, N: 20, Text: archive})
	return &lounge{story: s, room: room}
}

func inLounge() *lounge { return fresh().lounge("room1", "archive") }

// says are n messages more.
func (l *lounge) says(at int64, n int) *lounge {
	for range n {
		l.said++
		e := ledger.Entry{Op: ledger.OpSay, Phase: ledger.Invoke, Who: "sl1", To: l.room, N: l.said}
		l.add(at, e)
		e.Phase = ledger.OK
		l.add(at+1, e)
	}
	return l
}

func (l *lounge) fault(from, to int64, kind string) *lounge {
	l.story.fault(from, to, kind)
	return l
}

func (l *lounge) hello(at int64, text string) *lounge {
	l.story.hello(at, text)
	return l
}

// keeps is the archive of the room, with so many messages.
func (l *lounge) keeps(n int) *lounge {
	for i := range n {
		l.add(90_000, ledger.Entry{Op: ledger.OpStored, Who: l.room, From: "sl1", N: i + 1, ID: fmt.Sprint("m", i+1), Key: fmt.Sprint("s", i+1)})
	}
	l.add(90_001, ledger.Entry{Op: ledger.OpAudited, Who: l.room})
	return l
}

func (l *lounge) heard(at int64, n int) *lounge {
	l.add(at, ledger.Entry{Op: ledger.OpHear, Who: "sl1", From: "sl1", To: l.room, N: n})
	return l
}

// gets is message n as an event of a log, for a client of a1.
func (l *lounge) gets(at int64, client, event string, n int) *lounge {
	key := fmt.Sprint("s", n)
	return l.getsAs(at, client, event, "sl1", n, key, "message.received live")
}

func (l *lounge) getsAs(at int64, client, event, from string, n int, key, text string) *lounge {
	l.add(at, ledger.Entry{Op: ledger.OpRoomRecv, Who: client, Account: "a1", From: from, To: l.room, N: n, ID: event, Key: key, Text: text})
	return l
}

// all are messages from one to another, for both clients, as the events of a log from an offset on.
func (l *lounge) all(at int64, epoch string, offset, from, to int) *lounge {
	for _, client := range []string{"a1/ws1", "a1/sse"} {
		for n := from; n <= to; n++ {
			l.gets(at, client, fmt.Sprint(epoch, "-", offset+n-from), n)
		}
	}
	return l
}

func (l *lounge) reads(at int64, from, to int) *lounge {
	for _, client := range []string{"a1/ws1", "a1/sse"} {
		for n := from; n <= to; n++ {
			l.add(at, ledger.Entry{Op: ledger.OpRoomRead, Who: client, Account: "a1", From: "sl1", To: l.room, N: n, Key: fmt.Sprint("s", n)})
		}
	}
	return l
}

func (l *lounge) away(from, to int64) *lounge {
	l.add(from, ledger.Entry{Op: ledger.OpLeave, Phase: ledger.Invoke, Account: "a1", To: l.room})
	l.add(to, ledger.Entry{Op: ledger.OpEnter, Account: "a1", To: l.room})
	return l
}

func (l *lounge) is(at int64, event, state string) *lounge {
	return l.isFor(at, event, state, "a1/ws1", "a1/sse")
}

func (l *lounge) isFor(at int64, event, state string, clients ...string) *lounge {
	for _, client := range clients {
		l.add(at, ledger.Entry{Op: ledger.OpRoomIs, Who: client, Account: "a1", To: l.room, ID: event, Text: state})
	}
	return l
}

func (l *lounge) gap(at int64, event, reason string, from, to int64) *lounge {
	for _, client := range []string{"a1/ws1", "a1/sse"} {
		l.add(at, ledger.Entry{Op: ledger.OpRoomGap, Who: client, Account: "a1", To: l.room, ID: event, Text: reason, Key: fmt.Sprint(from, " ", to)})
	}
	return l
}

func TestCheckRooms(t *testing.T) {
	found(t, map[string]finding{
		"all is well":                              {inLounge().says(10, 3).all(20, "e", 1, 1, 3).keeps(3).story, ""},
		"lost at one client":                       {inLounge().says(10, 2).all(20, "e", 1, 1, 1).gets(21, "a1/sse", "e-2", 2).keeps(2).story, "room, lost: sl1>room1 #2 (s2) never came to a1/ws1"},
		"a hole in a log":                          {inLounge().says(10, 3).all(20, "e", 1, 1, 1).all(21, "e", 2, 3, 3).reads(30, 2, 2).keeps(3).story, "room, lost: sl1>room1 #2 (s2) is not in log e of a1/sse"},
		"doubled in a log":                         {inLounge().says(10, 2).all(20, "e", 1, 1, 2).all(21, "e", 5, 2, 2).keeps(2).story, "room, doubled: a1/ws1 got sl1>room1 #2 as e-2 and as e-5"},
		"an event twice":                           {inLounge().says(10, 2).all(20, "e", 1, 1, 2).gets(21, "a1/sse", "e-2", 2).keeps(2).story, "room, doubled: a1/sse got event e-2 twice"},
		"out of order":                             {inLounge().says(10, 2).all(20, "e", 1, 2, 2).all(21, "e", 2, 1, 1).keeps(2).story, "room, out of order: a1/ws1 got sl1>room1 #1 (e-2) after sl1>room1 #2 (e-1)"},
		"again in another log":                     {inLounge().says(10, 3).all(20, "e", 1, 1, 2).fault(25, 26, ledger.FaultRedisFlush).hello(27, "epoch").all(30, "f", 1, 2, 3).keeps(3).story, ""},
		"read after a reset":                       {inLounge().says(10, 3).all(20, "e", 1, 1, 1).fault(25, 26, ledger.FaultRedisFlush).hello(27, "epoch").reads(28, 1, 2).all(30, "f", 1, 3, 3).keeps(3).story, ""},
		"lost between two logs":                    {inLounge().says(10, 3).all(20, "e", 1, 1, 1).fault(25, 26, ledger.FaultRedisFlush).hello(27, "epoch").all(30, "f", 1, 3, 3).keeps(3).story, "room, lost: sl1>room1 #2 (s2) never came to a1/sse"},
		"said by nobody":                           {inLounge().says(10, 1).all(20, "e", 1, 1, 1).gets(21, "a1/sse", "e-9", 7).keeps(1).story, "room, wrong: a1/sse got sl1>room1 #7 as e-9, which is not in the archive of the room (s7)"},
		"the id of another one":                    {inLounge().says(10, 2).all(20, "e", 1, 1, 1).getsAs(21, "a1/sse", "e-2", "sl1", 1, "s2", "message.received live").keeps(2).story, "room, wrong: a1/sse got sl1>room1 #1 with the id of sl1>room1 #2 (s2)"},
		"an own one of another device is received": {inLounge().says(10, 1).all(20, "e", 1, 1, 1).getsAs(21, "a1/sse", "e-2", "a1d", 1, "x", "message.received live").keeps(1).story, "room, wrong: a1/sse got a1d>room1 #1 as message.received live"},
		"one of others is sent":                    {inLounge().says(10, 1).all(20, "e", 1, 1, 1).getsAs(21, "a1/sse", "e-2", "a2", 1, "x", "message.sent live").keeps(1).story, "room, wrong: a1/sse got a2>room1 #1 as message.sent live"},
		"lost by the server with its restart":      {inLounge().fault(5, 15, ledger.FaultServerRestart).says(10, 2).all(20, "e", 1, 1, 2).keeps(1).story, ""},
	})
}

// TestCheckRoomsAway: while an account has left a room, nothing has to come.
func TestCheckRoomsAway(t *testing.T) {
	gone := func() *lounge { return inLounge().says(10, 1).away(20_000, 25_000).says(22_000, 1).says(40_000, 1) }
	found(t, map[string]finding{
		"not told":           {gone().all(50_000, "e", 1, 1, 1).all(50_000, "e", 2, 3, 3).keeps(3).story, ""},
		"told all the same":  {gone().all(50_000, "e", 1, 1, 3).keeps(3).story, ""},
		"said after that":    {gone().says(41_000, 1).all(50_000, "e", 1, 1, 2).all(50_001, "e", 3, 4, 4).keeps(4).story, "room, lost: sl1>room1 #3 (s3) is not in log e of a1/sse"},
		"never again joined": {inLounge().says(10, 1).all(20, "e", 1, 1, 1).failsToEnter(30).keeps(1).story, "broken: a1 did not come into room1 again: 503"},
	})
}

// failsToEnter is an account that leaves, and cannot come back.
func (l *lounge) failsToEnter(at int64) *lounge {
	l.add(at, ledger.Entry{Op: ledger.OpLeave, Phase: ledger.Invoke, Account: "a1", To: l.room})
	l.add(at, ledger.Entry{Op: ledger.OpEnter, Phase: ledger.Fail, Account: "a1", To: l.room, Text: "503"})
	return l
}

// TestCheckRoomsGaps: only a room without an archive may leave a gap, where it had to be joined again, and the
// gap is as long as what is missing.
func TestCheckRoomsGaps(t *testing.T) {
	bare := func() *lounge {
		l := fresh().lounge("room6", "none").says(10_000, 1).says(20_000, 1).says(30_000, 1)
		return l.heard(10_001, 1).heard(20_001, 2).heard(30_001, 3)
	}
	joins := func() *lounge { return bare().all(11_000, "e", 1, 1, 1).is(24_000, "e-2", "joining") }
	rest := func(l *lounge) *lounge { return l.is(26_000, "e-4", "joined").all(31_000, "e", 5, 3, 3) }
	found(t, map[string]finding{
		"told of":                     {rest(joins().gap(25_000, "e-3", "no_archive", 11_000, 25_000)).story, ""},
		"not told of":                 {rest(joins()).story, "room, lost: sl1>room6 #2 () is not in log e of a1/sse"},
		"too short":                   {rest(joins().gap(25_000, "e-3", "no_archive", 24_900, 25_000)).story, "room, lost: sl1>room6 #2"},
		"told of in another log":      {bare().all(31_000, "e", 1, 1, 3).is(32_000, "e-4", "joining").fault(33_000, 33_001, ledger.FaultRedisFlush).hello(34_000, "epoch").gap(35_000, "f-1", "no_archive", 31_000, 35_000).story, ""},
		"told of too late":            {rest(joins()).is(32_000, "e-6", "joining").gap(33_000, "e-7", "no_archive", 11_000, 33_000).story, "room, lost: sl1>room6 #2"},
		"joined before the stream":    {rest(bare().all(11_000, "e", 1, 1, 1).isFor(24_000, "e-2", "joining", "a1/ws1").gap(25_000, "e-3", "no_archive", 11_000, 25_000)).story, ""},
		"without a reason":            {bare().all(31_000, "e", 1, 1, 3).is(32_000, "e-4", "joined").gap(33_000, "e-5", "no_archive", 31_000, 33_000).story, "room, wrong: a1/sse is told of a gap (no_archive) by e-5 in room6, which it did not have to join again"},
		"of a room with an archive":   {inLounge().says(10, 1).all(20, "e", 1, 1, 1).is(30, "e-2", "joining").gap(31, "e-3", "archive_timeout", 20, 31).keeps(1).story, "room, wrong: a1/sse is told of a gap (archive_timeout) by e-3 in room1, which has an archive"},
		"of a room that is left then": {inLounge().says(10, 1).all(20, "e", 1, 1, 1).away(29, 40).is(30, "e-2", "joining").gap(31, "e-3", "archive_error", 20, 31).keeps(1).story, ""},
	})
}

// TestCheckRoomsWithEqualIDs: an id is one of its room, and nothing in another.
func TestCheckRoomsWithEqualIDs(t *testing.T) {
	two := func() (first, second *lounge) {
		s := fresh()
		return s.lounge("room1", "archive").says(10, 2), s.lounge("room2", "archive").says(10, 2)
	}
	first, second := two()
	first.all(20, "e", 1, 1, 2).keeps(2)
	second.all(21, "e", 3, 1, 2).keeps(2)
	wanting, other := two()
	wanting.all(20, "e", 1, 1, 2).keeps(2)
	other.all(21, "e", 3, 1, 1).keeps(2)
	found(t, map[string]finding{
		"all is well":        {first.story, ""},
		"lost in one of two": {wanting.story, "room, lost: sl1>room2 #2 (s2) never came to a1/sse"},
	})
}

// TestCheckRoomsInADrain: nobody sees an account leave a room while its node is drained.
func TestCheckRoomsInADrain(t *testing.T) {
	gone := ledger.Entry{Op: ledger.OpGone, Who: "sl1", Account: "a1", To: "room1"}
	drained := func() *lounge { return inLounge().says(10, 1).all(11, "e", 1, 1, 1).keeps(1) }
	found(t, map[string]finding{
		"seen":          {drained().fault(20, 30, ledger.FaultDrain).add(25, gone), "broken: sl1 saw a1 leave room1 while a node was drained"},
		"seen after it": {drained().fault(20, 24, ledger.FaultDrain).add(25, gone), ""},
	})
}
