package cache

import (
	"bytes"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/copies"
	"github.com/perch-im/perch/sessions"
)

// maxOffset is the last offset that the Lua of Redis can count to. No log comes near it.
const maxOffset = 1 << 53

// memLog is the event log of one session in memory: events with consecutive offsets that
// end at tip.
type memLog struct {
	epoch   string
	tip     uint64
	bytes   int
	entries []memEntry
	common  *copies.Texts // of all sessions: data that their logs have alike
}

// memEntry keeps when an event was committed: its own time may be that of a message from
// the archive, and must not shorten its life in the log.
type memEntry struct {
	event  *perch.Event
	common *memCommon // in place of the event
	at     perch.Time
}

// memCommon is an event with data that other logs have too: the event is made again when it is read.
type memCommon struct {
	typ  perch.EventType
	time perch.Time
	data string
	size int // of Event.Wire
}

// How much of the data of messages that rooms have sent a store knows again. Sessions get such a message
// within moments.
const (
	commonTexts = 4096
	commonBytes = 4 << 20
)

// entryOf is how an event is kept.
func (l *memLog) entryOf(e *perch.Event, now time.Time) memEntry {
	if e.Common && l.common != nil {
		if data := e.Data(); data != nil {
			return memEntry{common: &memCommon{e.Type, e.Time, l.common.One(data), len(e.Wire)}, at: perch.At(now)}
		}
	}
	return memEntry{event: e, at: perch.At(now)}
}

// event is the i-th that is kept.
func (l *memLog) event(i int) *perch.Event {
	c := l.entries[i].common
	if c == nil {
		return l.entries[i].event
	}
	e := perch.EventOf(perch.Position{Epoch: l.epoch, Offset: l.first() + uint64(i)}, c.typ, c.time, c.data)
	e.Common = true
	return e
}

func (e *memEntry) size() int {
	if e.common != nil {
		return e.common.size
	}
	return len(e.event.Wire)
}

func (l *memLog) first() uint64 { return l.tip + 1 - uint64(len(l.entries)) }

// check reports an error unless events may be appended, or were already: then repeated is true.
func (l *memLog) check(events []*perch.Event) (repeated bool, err error) {
	if len(events) == 0 {
		return false, nil
	}
	start := events[0].Position.Offset
	for i, e := range events {
		switch {
		case e.Position.Epoch != l.epoch:
			return false, sessions.ErrFenced
		case e.Position.Offset != start+uint64(i):
			return false, sessions.ErrOrder
		}
	}
	last := events[len(events)-1]
	switch {
	case start == l.tip+1:
		return false, nil
	case start == 0 || start > maxOffset || last.Position.Offset > l.tip:
		return false, sessions.ErrOrder
	}
	// All of it is in the log, or was. Something else under these offsets means that the
	// owner builds on a past that did not happen.
	if o := last.Position.Offset; o >= l.first() && !bytes.Equal(l.event(int(o-l.first())).Wire, last.Wire) {
		return false, sessions.ErrLost
	}
	return true, nil
}

func (l *memLog) append(events []*perch.Event, now time.Time) {
	for _, e := range events {
		l.entries = append(l.entries, l.entryOf(e, now))
		l.bytes += len(e.Wire)
		l.tip = e.Position.Offset
	}
}

// trim drops the oldest events until the log is inside r.
func (l *memLog) trim(r sessions.Retention, now time.Time) {
	oldest, n := perch.At(now.Add(-r.Age)), 0
	for ; n < len(l.entries); n++ {
		e := &l.entries[n]
		if len(l.entries)-n <= r.Events && l.bytes <= r.Bytes && e.at > oldest {
			break
		}
		l.bytes -= e.size()
	}
	if n == 0 {
		return
	}
	clear(l.entries[:n])
	// append copies to a new array when this one is used up, so the head is not kept for
	// ever; an empty log keeps none at all.
	if l.entries = l.entries[n:]; len(l.entries) == 0 {
		l.entries = nil
	}
}

func (l *memLog) page(after uint64, limit int) sessions.LogPage {
	p := sessions.LogPage{First: l.first(), Tip: l.tip}
	if after >= l.tip || limit <= 0 {
		return p
	}
	from := 0
	if after >= p.First {
		from = int(after - p.First + 1)
	}
	rest := l.entries[from:]
	rest = rest[:min(limit, len(rest))]
	p.Events = make([]*perch.Event, len(rest))
	for i := range rest {
		p.Events[i] = l.event(from + i)
	}
	return p
}
