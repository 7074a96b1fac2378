package sessions

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/perch-im/perch"
)

const (
	queueMax      = 256     // events of one subscription
	queueMaxBytes = 1 << 20 // the same, in bytes
)

// Subscription is one client's view of the event stream. One goroutine at a time uses it: Preamble
// once, then Take whenever SubscribeOptions.Notify was called, and Close in the end.
type Subscription struct {
	Resumed     bool
	ResetReason string             // "" when resumed
	Tip         perch.Position     // taken before the state was read
	Session     *perch.SessionInfo // of the same moment; nil after Preamble

	h          *subscribers
	notify     func()
	noPreamble bool
	bound      *streamBound // nil: the whole session

	// Between Subscribe and the end of Preamble.
	at    perch.Position // the replay has come so far
	state *snapshotState

	mu         sync.Mutex // guards the rest; held for a moment only, also by the owner
	types      []string
	only       map[perch.JID]struct{} // keys of conversations; nil: all
	own        perch.JID              // bare JID of the account; "": not known yet
	queue      []*perch.Event
	bytes      int
	tip        perch.Position // last durable event that was offered
	why        error          // why it was cut
	registered bool
}

// snapshotState is what the snapshots of a subscription show; a part that is nil is not shown.
type snapshotState struct {
	roster     *rosterView
	invites    []*perch.Invitation
	rooms      []roomJSON // nil: the session uses none
	presences  *rosterView
	unstreamed bool // the events after the snapshots are what no stream has had
}

func newSubscription(h *subscribers, o SubscribeOptions) *Subscription {
	return &Subscription{h: h, notify: o.Notify, noPreamble: o.NoPreamble, bound: boundOf(o.Bound), types: o.Types, only: keysOf(o.Conversations), state: &snapshotState{}}
}

func (sub *Subscription) register(tip perch.Position, own perch.JID) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.tip, sub.own, sub.registered = tip, own, true
}

// wants reports whether the filter lets an event of this type pass. A snapshot passes with
// the events that change it.
func wants(types []string, t perch.EventType) bool {
	if types == nil {
		return usual(t)
	}
	switch t {
	case perch.EventRosterSnapshot:
		return wants(types, perch.EventRosterItem) || wants(types, perch.EventRosterRemoved) || listed(types, t)
	case perch.EventInvitationsSnapshot:
		return wants(types, perch.EventInvitationReceived) || listed(types, t)
	case perch.EventRoomsSnapshot:
		return wants(types, perch.EventRoomState) || wants(types, perch.EventRoomChanged) || listed(types, t)
	case perch.EventPresenceSnapshot:
		return wants(types, perch.EventPresence) || listed(types, t)
	}
	return listed(types, t)
}

// usual reports whether events of a type are for streams that do not name it.
func usual(t perch.EventType) bool { return t != perch.EventStanza }

// usualTypes stands in a filter for all types that a stream without one has.
const usualTypes = "*"

func listed(types []string, t perch.EventType) bool {
	for _, x := range types {
		if x == usualTypes {
			if usual(t) {
				return true
			}
			continue
		}
		if prefix, ok := strings.CutSuffix(x, "*"); ok && strings.HasPrefix(string(t), prefix) || x == string(t) {
			return true
		}
	}
	return false
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

// SetTypes changes SubscribeOptions.Types from the next event on.
func (sub *Subscription) SetTypes(types []string) {
	asked := slices.Contains(sub.filter(), string(perch.EventStanza))
	sub.setTypes(types)
	if asks := slices.Contains(types, string(perch.EventStanza)); asks != asked {
		sub.h.owner.post(sub.h.changed)
	}
}

func (sub *Subscription) setTypes(types []string) {
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

// Preamble sends what comes between hello and the first live event: the replay, or the
// snapshots; then presence.snapshot, what no stream has had yet, and live. It stops at the first
// error of send, and waits for the Store.
func (sub *Subscription) Preamble(ctx context.Context, send func(*perch.Event) error) error {
	var err error
	if sub.Resumed {
		err = sub.replay(ctx, send)
	} else {
		err = sub.snapshots(send)
	}
	if err != nil {
		return err
	}
	as := sub.liveTip()
	if sub.state.presences != nil && sub.shows(perch.EventPresenceSnapshot) {
		if err := snapshot(perch.EventPresenceSnapshot, as, sub.state.presences.Len(), sub.state.presences.presences(), send); err != nil {
			return err
		}
	}
	if err := sub.unstreamedEvents(ctx, send); err != nil {
		return err
	}
	unstreamed := sub.state.unstreamed && sub.unbounded() && sub.bound.whole(perch.EventMessageReceived) && wants(sub.filter(), perch.EventMessageReceived)
	sub.state, sub.Session = nil, nil
	err = send(perch.NewEvent(perch.Position{}, perch.EventLive, sub.h.owner.now(), liveData{Tip: as.String()}))
	if err == nil && unstreamed {
		sub.h.owner.post(sub.h.streamed)
	}
	return err
}

// liveTip is where the live events begin: the tip of the call that registered.
func (sub *Subscription) liveTip() perch.Position {
	if sub.Resumed {
		return sub.at
	}
	return sub.Tip
}

// subscribers are the event streams of a session that are registered. It belongs to the owner.
type subscribers struct {
	owner    *loop
	saved    *savedState
	log      *eventLog
	roster   *roster
	rooms    interface{ shown() []roomJSON } // nil: the session uses none
	store    logStore
	observer Observer
	id       ID     // of the session
	changed  func() // the number of subscribers, or what one asks for, may have changed

	list []*Subscription
}

// SubscribeOptions of an event stream. Since is the client's cursor as it came, or "".
type SubscribeOptions struct {
	Since string
	// Types are exact names, a group such as "message.*", or "*" for what nil lets pass: all but perch.EventStanza,
	// which is for those alone who name it.
	Types []string
	// Conversations bounds message.*, conversation.*, room.* and chat_state to those of these accounts and
	// rooms; nil: all, empty and not nil: none. It hides, and changes no position.
	Conversations []perch.JID
	// Bound is what the token of the stream may see; nil: everything. No filter widens it.
	Bound *Bound
	// NoPreamble leaves out the snapshots of a stream that could be resumed (long poll).
	NoPreamble bool
	// Notify, if it is set, is called whenever Take has something new, an error included. It must not
	// wait, and must not call the subscription.
	Notify func()
}

// Reasons why a stream starts with snapshots (hello.reset_reason, poll's reset.reason).
const (
	ResetFirst   = "first"   // there was no cursor
	ResetExpired = "expired" // the log does not reach back so far
	ResetEpoch   = "epoch"   // the cursor is of a log that was lost
	ResetUnknown = "unknown" // no cursor of this log: garbage, or ahead of it
)
