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

// Subscribe decides whether the cursor can be resumed, in this one place for every kind
// of stream, and takes the tip in the same turn of the owner. It waits for the Store.
//
// Events are registered for when the client is near the tip, which is at once when it
// gets snapshots, and in Preamble when there is a long log to replay first: a subscription
// that is not read yet must not gather events.
func (s *Session) Subscribe(ctx context.Context, o SubscribeOptions) (*Subscription, error) {
	sub := newSubscription(s, o)
	since, reason := s.cursor(o.Since)
	if reason == "" {
		if err := s.call(ctx, func() { reason = s.checkCursor(sub, since) }); err != nil {
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
	return sub, s.call(ctx, func() { s.register(sub, true); sub.Tip = sub.tip; sub.Session = s.info() })
}

// cursor reads what the client sent.
func (s *Session) cursor(text string) (perch.Position, string) {
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
func (s *Session) checkCursor(sub *Subscription, since perch.Position) (reason string) {
	sub.Tip = s.log.tip()
	sub.Session = s.info()
	switch {
	case since.Epoch != s.log.epoch:
		return ResetEpoch
	case since.Offset > s.log.published:
		return ResetUnknown
	}
	return ""
}

// register makes sub one of those that events are offered to, from the tip on, and takes
// the state that belongs to this tip: all in one turn, so nothing is missed or doubled.
func (s *Session) register(sub *Subscription, all bool) {
	sub.register(s.log.tip())
	if all {
		s.roster.served = true
		sub.roster = make([]*perch.Buddy, len(s.roster.contacts))
		for i := range s.roster.contacts {
			sub.roster[i] = s.roster.contacts[i].shown()
		}
		sub.invites = append([]*perch.Invitation{}, s.roster.invites...)
	}
	if all || !sub.o.NoPreamble {
		sub.presences = make([]*perch.Presence, len(s.roster.contacts))
		for i := range s.roster.contacts {
			sub.presences[i] = s.roster.presenceOf(&s.roster.contacts[i])
		}
	}
	s.subs = append(s.subs, sub)
	s.attended()
}

// unregister ends what register did.
func (s *Session) unregister(sub *Subscription) {
	for i, x := range s.subs {
		if x == sub {
			s.subs[i] = s.subs[len(s.subs)-1]
			s.subs[len(s.subs)-1] = nil
			s.subs = s.subs[:len(s.subs)-1]
			s.attended()
			return
		}
	}
}
