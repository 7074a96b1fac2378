package sessions

import (
	"errors"
	"slices"

	"github.com/perch-im/perch"
)

// offer queues an event and never waits. False: the subscription has ended, forget it.
//
// A client that is too slow loses what it can do without first: from half a queue on only the newest
// presence of a buddy, and the newest state of a conversation, stays, and chat states and stanzas are left out. A
// durable event is never left out: when there is no room the subscription is cut, and the client resumes
// with its cursor.
func (sub *Subscription) offer(e *perch.Event) bool {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.why != nil {
		return false
	}
	if !e.Position.IsZero() {
		sub.tip = e.Position
	}
	if !sub.passes(e) {
		return true
	}
	if len(sub.queue) >= queueMax/2 || sub.bytes >= queueMaxBytes/2 {
		if reason := shedFirst(e.Type); reason != "" {
			sub.dropped(reason, 1)
			return true
		}
		sub.shed(e)
	}
	if len(sub.queue) >= queueMax || sub.bytes+len(e.Wire) > queueMaxBytes && len(sub.queue) > 0 {
		sub.cutLocked(ErrSlow)
		return false
	}
	sub.queue = append(sub.queue, e)
	sub.bytes += len(e.Wire)
	sub.signal()
	return true
}

// shedFirst is what operators count events of a type as that slow clients go without first; "": they do not.
func shedFirst(t perch.EventType) string {
	switch t {
	case perch.EventChatState:
		return DroppedChatState
	case perch.EventStanza:
		return DroppedStanza
	}
	return ""
}

// shed removes what e replaces, every chat state and stanza, and every presence and state of a conversation that
// a later one has replaced.
func (sub *Subscription) shed(e *perch.Event) {
	type of struct {
		typ perch.EventType
		key string
	}
	newest := map[of]*perch.Event{}
	for _, x := range append(slices.Clip(sub.queue), e) {
		if coalesced(x.Type) {
			newest[of{x.Type, x.Key}] = x
		}
	}
	rest, presences := sub.queue[:0], 0
	for _, x := range sub.queue {
		reason := shedFirst(x.Type)
		if replaced := coalesced(x.Type) && newest[of{x.Type, x.Key}] != x; replaced || reason != "" {
			sub.bytes -= len(x.Wire)
			sub.dropped(reason, 1)
			if replaced {
				presences++
			}
			continue
		}
		rest = append(rest, x)
	}
	clear(sub.queue[len(rest):])
	sub.queue = rest
	sub.dropped(DroppedPresence, presences)
}

// coalesced reports whether of events of a type the last one about a thing counts.
func coalesced(t perch.EventType) bool {
	switch t {
	case perch.EventPresence, perch.EventConversationChanged, perch.EventRoomOccupant, perch.EventRoomOccupants:
		return true
	}
	return false
}

func (sub *Subscription) dropped(reason string, n int) {
	if n > 0 && reason != "" {
		sub.h.observer.Dropped(reason, n)
	}
}

func (sub *Subscription) signal() {
	if sub.notify != nil {
		sub.notify()
	}
}

// cut ends the subscription from our side; Take says why. A slow client's queue is given
// up, any other reason lets the client read it first.
func (sub *Subscription) cut(why error) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.cutLocked(why)
}

func (sub *Subscription) cutLocked(why error) {
	if sub.why != nil {
		return
	}
	sub.why = why
	if errors.Is(why, ErrSlow) {
		sub.dropped(DroppedSlow, len(sub.queue))
		sub.queue, sub.bytes = nil, 0
	}
	sub.signal()
}

// Take returns the queued events, oldest first, or why the subscription was cut: ErrSlow,
// ErrEnded, ErrMoved.
func (sub *Subscription) Take() ([]*perch.Event, error) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	q := sub.queue
	sub.queue, sub.bytes = nil, 0
	if len(q) > 0 {
		if sub.why != nil {
			sub.signal() // come again for the reason
		}
		return q, nil
	}
	return nil, sub.why
}
