package sessions

import "github.com/perch-im/perch"

// Bound is what a token may see of the events of a session.
type Bound struct {
	// Types reports whether events of a type may be seen, snapshots too. It is called by the owner: it must
	// be quick, and safe for concurrent use.
	Types func(perch.EventType) bool
	// Conversations are the only ones whose events may be seen; nil: all. Then nothing is seen of the
	// roster, of presence and of what does not say which conversation it is about.
	Conversations []perch.JID
}

// streamBound is a Bound as the subscription asks it. Nil: everything may be seen.
type streamBound struct {
	types func(perch.EventType) bool
	only  map[perch.JID]struct{} // keys; nil: all
}

func boundOf(b *Bound) *streamBound {
	if b == nil {
		return nil
	}
	return &streamBound{b.Types, keysOf(b.Conversations)}
}

// whole reports whether all events of a type may be seen.
func (b *streamBound) whole(t perch.EventType) bool { return b == nil || b.only == nil && b.types(t) }

// passes reports whether an event may be seen. An event of a conversation has to say of which.
func (b *streamBound) passes(e *perch.Event, own perch.JID) bool {
	switch {
	case b == nil:
		return true
	case !b.types(e.Type):
		return false
	case b.only == nil || e.Type == perch.EventSessionState:
		return true
	case e.Type == perch.EventSessionGap:
		var gap perch.Gap
		return e.Decode(&gap) == nil && (gap.Room == "" || b.has(gap.Room))
	}
	return ofConversation(e.Type) && b.has(eventConversation(e, own))
}

func (b *streamBound) has(jid perch.JID) bool {
	_, ok := b.only[jid.Key()]
	return ok && jid != ""
}

// shows reports whether a snapshot is sent: snapshots are of the whole session.
func (sub *Subscription) shows(t perch.EventType) bool {
	return sub.bound.whole(t) && wants(sub.filter(), t)
}
