package sessions

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/perch-im/perch"
)

const (
	queueMax      = 256     // events of one subscription
	queueMaxBytes = 1 << 20 // the same, in bytes
)

// Subscription is one client's view of the event stream. One goroutine uses it: Preamble
// once, then Take whenever Ready fires, and Close in the end.
type Subscription struct {
	Resumed     bool
	ResetReason string         // "" when resumed
	Tip         perch.Position // taken before the state was read
	Session     perch.SessionInfo

	h     *subscribers
	o     SubscribeOptions
	ready chan struct{}

	// Between Subscribe and the end of Preamble.
	at        perch.Position // the replay has come so far
	roster    []*perch.Buddy
	invites   []*perch.Invitation
	presences []*perch.Presence

	mu         sync.Mutex // guards the rest; held for a moment only, also by the owner
	types      []string
	queue      []*perch.Event
	bytes      int
	tip        perch.Position // last durable event that was offered
	why        error          // why it was cut
	registered bool
}

func newSubscription(h *subscribers, o SubscribeOptions) *Subscription {
	return &Subscription{h: h, o: o, types: o.Types, ready: make(chan struct{}, 1)}
}

func (sub *Subscription) register(tip perch.Position) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.tip, sub.registered = tip, true
}

// wants reports whether the filter lets an event of this type pass. A snapshot passes with
// the events that change it.
func wants(types []string, t perch.EventType) bool {
	if types == nil {
		return true
	}
	switch t {
	case perch.EventRosterSnapshot:
		return wants(types, perch.EventRosterItem) || wants(types, perch.EventRosterRemoved) || listed(types, t)
	case perch.EventInvitationsSnapshot:
		return wants(types, perch.EventInvitationReceived) || listed(types, t)
	case perch.EventPresenceSnapshot:
		return wants(types, perch.EventPresence) || listed(types, t)
	}
	return listed(types, t)
}

func listed(types []string, t perch.EventType) bool {
	for _, x := range types {
		if prefix, ok := strings.CutSuffix(x, "*"); ok && strings.HasPrefix(string(t), prefix) || x == string(t) {
			return true
		}
	}
	return false
}

// offer queues an event and never waits. False: the subscription has ended, forget it.
//
// A client that is too slow loses what it can do without first: from half a queue on only
// the newest presence of a buddy is kept and chat states are left out. A durable event is
// never left out: when there is no room the subscription is cut, and the client resumes
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
	if !wants(sub.types, e.Type) {
		return true
	}
	if len(sub.queue) >= queueMax/2 || sub.bytes >= queueMaxBytes/2 {
		if e.Type == perch.EventChatState {
			sub.dropped(DroppedChatState, 1)
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

// shed removes what e replaces, every chat state, and every presence that a later one has
// replaced.
func (sub *Subscription) shed(e *perch.Event) {
	newest := map[string]*perch.Event{}
	for _, x := range sub.queue {
		if x.Type == perch.EventPresence {
			newest[x.Key] = x
		}
	}
	if e.Type == perch.EventPresence {
		newest[e.Key] = e
	}
	rest, chats, presences := sub.queue[:0], 0, 0
	for _, x := range sub.queue {
		if x.Type == perch.EventChatState || x.Type == perch.EventPresence && newest[x.Key] != x {
			sub.bytes -= len(x.Wire)
			if x.Type == perch.EventChatState {
				chats++
			} else {
				presences++
			}
			continue
		}
		rest = append(rest, x)
	}
	clear(sub.queue[len(rest):])
	sub.queue = rest
	sub.dropped(DroppedChatState, chats)
	sub.dropped(DroppedPresence, presences)
}

func (sub *Subscription) dropped(reason string, n int) {
	if n > 0 {
		sub.h.observer.Dropped(reason, n)
	}
}

func (sub *Subscription) signal() {
	select {
	case sub.ready <- struct{}{}:
	default:
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

// Ready receives when Take has something, an error included.
func (sub *Subscription) Ready() <-chan struct{} { return sub.ready }

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

// TipNow is the last durable position that this subscription has been offered, whether
// its filter let it pass or not. What was offered before a call is in the next Take.
func (sub *Subscription) TipNow() perch.Position {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if !sub.registered {
		return sub.at
	}
	return sub.tip
}

// SetTypes changes the filter from the next event on; nil lets everything pass.
func (sub *Subscription) SetTypes(types []string) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.types = types
}

// Close ends the subscription. It never ends the session.
func (sub *Subscription) Close() {
	sub.cut(ErrEnded)
	sub.h.owner.post(func() { sub.h.unregister(sub) })
}

func (sub *Subscription) filter() []string {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	return sub.types
}

// Preamble emits what comes between hello and the first live event: the replay, or the
// snapshots; then presence.snapshot and live. It stops at the first error of emit, and
// waits for the Store.
func (sub *Subscription) Preamble(ctx context.Context, emit func(*perch.Event) error) error {
	var err error
	if sub.Resumed {
		err = sub.replay(ctx, emit)
	} else {
		err = sub.snapshots(emit)
	}
	if err != nil {
		return err
	}
	as := sub.liveTip()
	if sub.presences != nil && wants(sub.filter(), perch.EventPresenceSnapshot) {
		if err := snapshot(perch.EventPresenceSnapshot, as, sub.presences, emit); err != nil {
			return err
		}
	}
	sub.presences = nil
	return emit(perch.NewEvent(perch.Position{}, perch.EventLive, sub.h.owner.now(), liveData{Tip: as.String()}))
}

// liveTip is where the live events begin: the tip of the turn that registered.
func (sub *Subscription) liveTip() perch.Position {
	if sub.Resumed {
		return sub.at
	}
	return sub.Tip
}
