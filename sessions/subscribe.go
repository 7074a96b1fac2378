package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// replayPage is how many events of a replay are read at a time, and how far from the tip a
// client may be to be registered: the rest of the replay is then read while live events
// queue up.
const replayPage = queueMax

// Subscribe decides whether the cursor can be resumed, in this one place for every kind
// of stream, and takes the tip in the same call. It waits for the Store.
//
// Events are registered for when the client is near the tip, which is at once when it
// gets snapshots, and in Preamble when there is a long log to replay first: a subscription
// that is not read yet must not gather events.
func (s *Session) Subscribe(ctx context.Context, o SubscribeOptions) (*Subscription, error) {
	sub := newSubscription(&s.subs, o)
	since, reason := cursorOf(o.Since)
	var info perch.SessionInfo
	sub.Session = &info
	if reason == "" {
		if err := s.call(ctx, func() { reason, info = s.subs.checkCursor(sub, since), s.info() }); err != nil {
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
	return sub, s.call(ctx, func() { s.subs.register(sub, true); sub.Tip = sub.tip; info = s.info() })
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
