package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// unstreamedEvents sends what came since the session was opened, when no stream has had it: the messages
// that the server had kept come as soon as the session is available, before any client can have a
// cursor. State is left out, which the snapshots have shown. The positions are below the tip, in
// order: a client whose stream ends meanwhile resumes from the last one. What the log has lost at its
// beginning, also meanwhile, is left out.
func (sub *Subscription) unstreamedEvents(ctx context.Context, send func(*perch.Event) error) error {
	if !sub.state.unstreamed || sub.Tip.Offset == 0 {
		return nil
	}
	for at := uint64(0); at < sub.Tip.Offset; {
		page, err := sub.h.store.Log(ctx, sub.h.id, at, replayPage)
		if err != nil {
			return storeError(err)
		}
		if len(page.Events) == 0 {
			return nil
		}
		for _, e := range page.Events {
			switch at = e.Position.Offset; {
			case e.Position.Epoch != sub.Tip.Epoch:
				return ErrMoved
			case at > sub.Tip.Offset: // it comes live
				return nil
			case inSnapshots(e.Type) || !sub.passesNow(e):
				continue
			}
			if err := send(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// inSnapshots reports whether hello and the snapshots show what an event of this type has changed.
func inSnapshots(t perch.EventType) bool {
	switch t {
	case perch.EventMessageReceived, perch.EventMessageSent, perch.EventMessageStatus, perch.EventSessionGap, perch.EventDropped,
		perch.EventMessageEdited, perch.EventMessageRetracted, perch.EventMessageReactions, perch.EventMessageRead, perch.EventRoomInvited:
		return false
	default:
		return true
	}
}

// streamed notes that a stream has had all there was, so that no other gets it without a cursor.
func (h *subscribers) streamed() {
	if rec := h.saved.record(); rec.Unstreamed {
		rec.Unstreamed = false
		h.saved.saveRecord()
	}
}
