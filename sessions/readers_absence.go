package sessions

import (
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// absence is what readers need to know that are for what comes while no event stream is open: see
// readerList.
type absence struct {
	open  bool        // there is a stream
	grace *time.Timer // nil: no stream has ended a moment ago
	marks []logMark   // while there is a stream: how long the log was at the begin of readerGrace, and since then
}

// logMark is how long the log was at a moment.
type logMark struct {
	at  perch.Time
	tip uint64
}

// markEvery is for how long there is one mark, which notes the last moment of it: a cursor that is moved to
// one may be so much too far back, and some events come twice.
const markEvery = perch.Time(time.Second / time.Millisecond)

// mark notes how long the log is.
func (a *absence) mark(now perch.Time, tip uint64) {
	if n := len(a.marks); n > 0 && now/markEvery == a.marks[n-1].at/markEvery {
		a.marks[n-1] = logMark{now, tip}
		return
	}
	since := now - perch.Time(readerGrace.Milliseconds())
	for len(a.marks) > 1 && a.marks[1].at <= since {
		a.marks = slices.Delete(a.marks, 0, 1)
	}
	a.marks = append(a.marks, logMark{now, tip})
}

// before is how long the log was at a moment, or less; 0: that is not known, because the stream was not open
// yet.
func (a *absence) before(at perch.Time) (tip uint64) {
	for _, m := range a.marks {
		if m.at <= at {
			tip = m.tip
		}
	}
	return tip
}

// attended is called whenever the number of event streams may have changed.
func (x *readerList) attended() {
	if x == nil {
		return
	}
	a := &x.absence
	was := a.open
	a.open = x.host.watched()
	if a.open == was || x.host.over() {
		return
	}
	stop(a.grace)
	a.grace = nil
	now := x.host.now()
	if a.open {
		a.marks = []logMark{{now, x.log.published}}
	} else {
		x.leave(a.before(now - perch.Time(readerGrace.Milliseconds())))
	}
	for _, r := range x.list {
		if !r.detached() || r.row.Attached == a.open {
			continue
		}
		if r.row.Attached = a.open; a.open {
			x.withdraw(r)
		}
		x.put(r)
	}
}

// leave moves the cursors of readers to a place up to which a stream has had the log, and waits for another
// stream.
func (x *readerList) leave(to uint64) {
	x.absence.marks = nil
	for _, r := range x.list {
		if r.detached() {
			x.skip(r, to)
		}
	}
	x.awaitStream()
}

// awaitStream begins the time in which nothing is sent yet.
func (x *readerList) awaitStream() {
	stop(x.absence.grace)
	var grace *time.Timer
	grace = x.host.after(readerGrace, func() {
		if x.absence.grace != grace {
			return
		}
		x.absence.grace = nil
		x.wakeAll()
	})
	x.absence.grace = grace
}

// skip moves a cursor over what a reader need not get. What is under way of that is not sent again.
func (x *readerList) skip(r *reader, to uint64) {
	if to <= r.at {
		return
	}
	x.cancel(r)
	r.at, r.row.Sending, r.row.Reset = to, 0, ""
}

// begin learns whether a stream is open, for the first reader that depends on it.
func (x *readerList) begin() {
	a := &x.absence
	if a.open || !x.host.watched() {
		return
	}
	a.open = true
	a.marks = []logMark{{x.host.now(), x.log.published}}
}
