package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// SubscribeOptions of an event stream. Since is the client's cursor as it came, or "".
type SubscribeOptions struct {
	Since string
	Types []string // exact names or "message.*"; nil = all
	// NoPreamble leaves out the snapshots of a stream that could be resumed (long poll).
	NoPreamble bool
}

// Reasons why a stream starts with snapshots (hello.reset_reason, poll's reset.reason).
const (
	ResetFirst   = "first"   // there was no cursor
	ResetExpired = "expired" // the log does not reach back so far
	ResetEpoch   = "epoch"   // the cursor is of a log that was lost
	ResetUnknown = "unknown" // no cursor of this log: garbage, or ahead of it
)

// replayPage is how many events of a replay are read at a time, and how far from the tip a
// client may be to be registered: the rest of the replay is then read while live events
// queue up.
const replayPage = queueMax

// subscribers are the event streams of a session that are registered. It belongs to the owner.
type subscribers struct {
	owner    *loop
	log      *eventLog
	roster   *roster
	store    logStore
	observer Observer
	id       ID     // of the session
	changed  func() // the number of subscribers may have changed

	list []*Subscription
}

// Subscribe decides whether the cursor can be resumed, in this one place for every kind
// of stream, and takes the tip in the same turn of the loop. It waits for the Store.
//
// Events are registered for when the client is near the tip, which is at once when it
// gets snapshots, and in Preamble when there is a long log to replay first: a subscription
// that is not read yet must not gather events.
func (s *Session) Subscribe(ctx context.Context, o SubscribeOptions) (*Subscription, error) {
	sub := newSubscription(&s.subs, o)
	since, reason := cursorOf(o.Since)
	if reason == "" {
		if err := s.call(ctx, func() { reason, sub.Session = s.subs.checkCursor(sub, since), s.info() }); err != nil {
			return nil, err
		}
	}
	if reason == "" {
		page, err := s.m.o.Store.Log(ctx, s.id, since.Offset, 1)
		switch {
		case err != nil:
			return nil, storeError(err)
		case page.First > since.Offset+1:
			reason = ResetExpired
		}
	}
	if reason == "" {
		sub.Resumed, sub.at = true, since
		s.m.o.Observer.Subscribed(ResumedStream)
		return sub, nil
	}
	sub.ResetReason = reason
	s.m.o.Observer.Subscribed(reason)
	return sub, s.call(ctx, func() { s.subs.register(sub, true); sub.Tip = sub.tip; sub.Session = s.info() })
}

// cursorOf reads what the client sent.
func cursorOf(text string) (perch.Position, string) {
	if text == "" {
		return perch.Position{}, ResetFirst
	}
	p, err := perch.ParsePosition(text)
	if err != nil {
		return perch.Position{}, ResetUnknown
	}
	return p, ""
}

// checkCursor compares a cursor with the log as clients know it.
func (h *subscribers) checkCursor(sub *Subscription, since perch.Position) (reason string) {
	sub.Tip = h.log.tip()
	switch {
	case since.Epoch != h.log.epoch:
		return ResetEpoch
	case since.Offset > h.log.published:
		return ResetUnknown
	}
	return ""
}

// watched reports whether there is a subscriber.
func (h *subscribers) watched() bool { return len(h.list) > 0 }

// register makes sub one of those that events are offered to, from the tip on, and takes
// the state that belongs to this tip: all in one turn, so nothing is missed or doubled.
func (h *subscribers) register(sub *Subscription, all bool) {
	sub.register(h.log.tip())
	if all {
		sub.roster, sub.invites = h.roster.snapshot()
	}
	if all || !sub.o.NoPreamble {
		sub.presences = h.roster.presences()
	}
	h.list = append(h.list, sub)
	h.changed()
}

// unregister ends what register did.
func (h *subscribers) unregister(sub *Subscription) {
	for i, x := range h.list {
		if x == sub {
			h.list[i] = h.list[len(h.list)-1]
			h.list[len(h.list)-1] = nil
			h.list = h.list[:len(h.list)-1]
			h.changed()
			return
		}
	}
}

// publish offers an event to every subscriber. Those that were cut are removed.
func (h *subscribers) publish(e *perch.Event) {
	h.observer.Event(e.Type)
	if h.offer(e) {
		h.changed()
	}
}

// offer is publish without the count, and reports whether a subscriber was removed.
func (h *subscribers) offer(e *perch.Event) (removed bool) {
	rest := h.list[:0]
	for _, sub := range h.list {
		if sub.offer(e) {
			rest = append(rest, sub)
		}
	}
	removed = len(rest) < len(h.list)
	clear(h.list[len(rest):])
	h.list = rest
	return removed
}

// cut ends every subscription.
func (h *subscribers) cut(why error) {
	for _, sub := range h.list {
		sub.cut(why)
	}
	h.list = nil
}
