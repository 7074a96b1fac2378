package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// checkCursor compares a cursor with the log as clients know it.
func (h *subscribers) checkCursor(sub *Subscription, since perch.Position) (reason string) {
	sub.Tip, sub.own = h.log.tip(), h.saved.JID.Bare()
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

// asks reports whether a subscriber asks for a type by its name.
func (h *subscribers) asks(t perch.EventType) bool {
	return slices.ContainsFunc(h.list, func(sub *Subscription) bool { return slices.Contains(sub.filter(), string(t)) })
}

// register makes sub one of those that events are offered to, from the tip on, and takes
// the state that belongs to this tip: all in one call, so nothing is missed or doubled.
func (h *subscribers) register(sub *Subscription, all bool) {
	sub.register(h.log.tip(), h.saved.JID.Bare())
	view := h.roster.view()
	if all {
		h.roster.snapshotServed = true
		sub.state.roster, sub.state.invites = view, slices.Clone(h.roster.invites)
		if h.rooms != nil {
			sub.state.rooms = h.rooms.shown()
		}
		sub.state.unstreamed = sub.ResetReason == ResetFirst && h.saved.Unstreamed
	}
	if all || !sub.noPreamble {
		sub.state.presences = view
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
