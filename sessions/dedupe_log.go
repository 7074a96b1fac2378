package sessions

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// recall reads back the part of the log that a new stream and the archive may repeat, before
// either is listened to: from a while before the stream was lost on, and from the place on
// that the archive is read from. It lets the archive be read from a little before the last
// logged message on, too. A server may hand a message over after a later one, as ejabberd does
// when it resumes a stream (what was on its way to the old connection comes after what came
// to the new one). If that stream is lost before it does, and cannot be resumed, the later one
// is no place to read on from.
func (cu *catchup) recall(ctx context.Context, l *link) error {
	var tip uint64
	var since perch.Time
	var own perch.JID
	last := ""
	if err := cu.host.call(ctx, func() {
		tip, since, own, last = cu.log.published, cu.overlapBegins(), cu.host.record().JID, cu.host.record().ArchiveID
	}); err != nil || tip == 0 {
		return err
	}
	events, err := cu.readBack(ctx, tip, since-archiveSlack)
	if err != nil {
		return nil // the log says by itself, and to others, that it cannot be read
	}
	read, ids := identitiesOf(events, own, tip)
	return cu.host.call(ctx, func() {
		cu.known.merge(read)
		cu.trimLater()
		l.overlap = since
		if i := slices.IndexFunc(ids, func(p place) bool { return p.id == last }); last != "" && i >= 0 && len(ids) >= 2 {
			l.window = overlapWindow{from: ids[0].id, until: last}
			l.overlap = ids[0].at
		}
		l.overlap -= closeBy
	})
}

// overlapBegins is the time of the place from which on the archive is read. Servers may send
// again what was not delivered, or not acknowledged, when the stream was lost.
func (cu *catchup) overlapBegins() perch.Time {
	lost := cu.host.now()
	if cu.host.record().OfflineSince != 0 {
		lost = cu.host.record().OfflineSince
	}
	if cu.host.record().ArchiveID != "" {
		return min(lost, cu.host.record().ArchiveAt)
	}
	return lost - archiveSlack
}

// readBack reads the log backwards from an offset to a time, and some more in any case.
func (cu *catchup) readBack(ctx context.Context, tip uint64, since perch.Time) ([]*perch.Event, error) {
	var events []*perch.Event
	for end := tip; end > 0 && len(events) < recallEvents; {
		n := min(end, recallPage)
		page, err := cu.store.Log(ctx, cu.id, end-n, int(n))
		if err != nil {
			return nil, err
		}
		if len(page.Events) == 0 {
			break
		}
		events = append(slices.Clone(page.Events), events...)
		if page.Events[0].Time < since || page.First > end-n {
			break
		}
		end -= n
	}
	return events, nil
}

// identify is identityOf for what a stream brought.
func (l *link) identify(m *perch.Message, arrived perch.Time) identity {
	path := pathStream
	if m.Delay != nil || m.Source == perch.SourceResumed {
		path = pathRepeat
	}
	if m.Source == perch.SourceResumed && l.exact() {
		path = pathStream // exactly what is not in the log
	}
	c := identityOf(m, path, arrived)
	c.vague = c.vague || path == pathRepeat && m.Delay == nil
	c.link = l.number
	return c
}

// identifyMessage is identify for a message, or for a control message.
func (l *link) identifyMessage(in *perch.MessageIn, arrived perch.Time) identity {
	c := l.identify(&in.Message, arrived)
	if in.Relation != nil {
		c.text = relationText(in)
	}
	return c
}

// exact reports whether the server sends again on this stream exactly what is not in the log.
func (l *link) exact() bool {
	_, ok := l.conn.(ResumeCheckpointer)
	return ok && l.resumedOnline
}

// isCopy reports whether a message was logged before, and notes the copy.
func (cu *catchup) isCopy(c *identity) bool {
	var o overlap
	if l := cu.host.stream(); l != nil {
		o = overlap{since: l.overlap, fresh: l.buffering || c.added <= l.caughtUp+freshTime}
	}
	return cu.known.take(c, o) != nil
}

// repeats reports whether a stream is so new that its server may still send again what came by
// an earlier one: all that was read back of the log is needed for it.
func (l *link) repeats(now perch.Time) bool {
	return !l.live || now < max(perch.At(l.since), l.caughtUp)+perch.Time(trimEvery.Milliseconds())
}

// trimLater keeps what is remembered small: once no copy comes any more, the last messages
// are enough.
func (cu *catchup) trimLater() {
	if cu.trim != nil || len(cu.known.list) == 0 {
		return
	}
	d := trimEvery
	if len(cu.known.list) > longTable {
		d = trimSoon
	}
	cu.trim = cu.host.after(d, func() {
		cu.trim = nil
		cu.trimKnown(cu.host.now())
		cu.known.busy = false
		cu.trimLater()
	})
}

// trimKnown forgets what no copy can come of. While a stream is new that is nothing: but of a link
// that is always lost again before its stream is old, what came within an hour must do, or the table
// would grow for as long as the link is bad. What a later stream may repeat of what is older is read
// back from the log when it begins.
func (cu *catchup) trimKnown(now perch.Time) {
	catching := cu.host.resumesPartly() || cu.host.stream() != nil && cu.host.stream().repeats(now)
	switch large := len(cu.known.list) > longTable; {
	case catching && cu.settled == 0:
		cu.settled = now
	case catching && now-cu.settled >= flapTime:
		cu.known.forget(now - flapTime)
	case !catching && !(large && cu.known.busy):
		cu.settled = now
		cu.known.trim(now - ringTime)
	}
}
