package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// unreadEvents sends what came since the session was opened, when no stream has had it: the messages
// that the server had kept come as soon as the session is available, before any client can have a
// cursor. State is left out, which the snapshots have shown. The positions are below the tip, in
// order: a client whose stream ends meanwhile resumes from the last one.
func (sub *Subscription) unreadEvents(ctx context.Context, send func(*perch.Event) error) error {
	if !sub.state.unread || sub.Tip.Offset == 0 {
		return nil
	}
	page, err := sub.h.store.Log(ctx, sub.h.id, 0, 1)
	if err != nil {
		return storeError(err)
	}
	sub.at = perch.Position{Epoch: sub.Tip.Epoch, Offset: max(page.First, 1) - 1}
	return sub.replayTo(ctx, sub.Tip.Offset, func(e *perch.Event) error {
		if inSnapshots(e.Type) {
			return nil
		}
		return send(e)
	})
}

// inSnapshots reports whether hello and the snapshots show what an event of this type has changed.
func inSnapshots(t perch.EventType) bool {
	switch t {
	case perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageStatus, perch.EventSessionGap, perch.EventDropped:
		return false
	default:
		return true
	}
}

// read notes that a stream has had all there was, so that no other gets it without a cursor.
func (h *subscribers) read() {
	if rec := h.saved.record(); rec.Unread {
		rec.Unread = false
		h.saved.saveRecord()
	}
}
