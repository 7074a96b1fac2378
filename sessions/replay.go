package sessions

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
)

// replay sends the log after the cursor, page by page. Far from the tip the subscriber is not
// registered, so a long replay to a slow client costs one page; near the tip one call
// registers it, and what is left up to the tip of that call is read while live events queue up.
func (sub *Subscription) replay(ctx context.Context, send func(*perch.Event) error) error {
	h := sub.h
	for {
		var tip perch.Position
		near := false
		err := h.owner.call(ctx, func() {
			if tip = h.log.tip(); tip.Epoch == sub.at.Epoch && tip.Offset-sub.at.Offset <= replayPage {
				near = true
				h.register(sub, false)
			}
		})
		if err != nil {
			return err
		}
		if tip.Epoch != sub.at.Epoch {
			return ErrMoved
		}
		upTo := tip.Offset
		if !near {
			upTo = min(tip.Offset, sub.at.Offset+replayPage)
		}
		if err := sub.replayTo(ctx, upTo, send); err != nil || near {
			return err
		}
	}
}

// replayTo sends the events up to an offset that is committed.
func (sub *Subscription) replayTo(ctx context.Context, upTo uint64, send func(*perch.Event) error) error {
	for sub.at.Offset < upTo {
		page, err := sub.h.store.Log(ctx, sub.h.id, sub.at.Offset, int(min(upTo-sub.at.Offset, replayPage)))
		if err != nil {
			return storeError(err)
		}
		if len(page.Events) == 0 {
			return ErrMoved // trimmed while we were reading, or lost
		}
		for _, e := range page.Events {
			if e.Position.Epoch != sub.at.Epoch || e.Position.Offset != sub.at.Offset+1 {
				return ErrMoved // a hole: the client has to come again, and gets snapshots
			}
			sub.at = e.Position
			if !sub.passesNow(e) {
				continue
			}
			if err := send(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// snapshotPart is how many items one snapshot event has at most.
const snapshotPart = 200

type liveData struct {
	Tip string `json:"tip"`
}

// snapshots sends roster and invitations as they were when the tip was taken.
func (sub *Subscription) snapshots(send func(*perch.Event) error) error {
	roster, invites, rooms := sub.state.roster, sub.state.invites, sub.state.rooms
	sub.state.roster, sub.state.invites, sub.state.rooms = nil, nil, nil
	if sub.shows(perch.EventRosterSnapshot) {
		if err := snapshot(perch.EventRosterSnapshot, sub.Tip, roster.Len(), roster.buddies(), send); err != nil {
			return err
		}
	}
	if sub.shows(perch.EventInvitationsSnapshot) {
		if err := snapshot(perch.EventInvitationsSnapshot, sub.Tip, len(invites), slices.Values(invites), send); err != nil {
			return err
		}
	}
	if rooms == nil || !sub.shows(perch.EventRoomsSnapshot) {
		return nil
	}
	rooms = slices.DeleteFunc(rooms, func(r roomJSON) bool { return !sub.passesRoom(r.JID) })
	return snapshot(perch.EventRoomsSnapshot, sub.Tip, len(rooms), slices.Values(rooms), send)
}

// snapshotWriter encodes a snapshot part by part. The parts of one have the same as_of and are
// numbered from 1.
type snapshotWriter struct {
	asOf string
	part int
	left int // items of the parts that have not begun
	b    []byte
	n    int // items in b
}

// usualItem is room for most items, in bytes.
const usualItem = 256

// begin begins the next part.
func (w *snapshotWriter) begin() {
	n := min(w.left, snapshotPart)
	w.left -= n
	w.part++
	w.n = 0
	w.b = jsonappend.String(append(slices.Grow(w.b[:0], 128+n*usualItem), `{"as_of":`...), w.asOf)
	w.b = strconv.AppendInt(append(w.b, `,"part":`...), int64(w.part), 10)
	w.b = append(strconv.AppendBool(append(w.b, `,"last":`...), w.left == 0), `,"items":[`...)
}

// end returns the data of the part.
func (w *snapshotWriter) end() perch.RawData { return append(w.b, "]}"...) }

// snapshot sends n items in parts; there is always one, even if it is empty.
func snapshot[T jsonappend.Value](typ perch.EventType, asOf perch.Position, n int, items iter.Seq[T], send func(*perch.Event) error) error {
	w := &snapshotWriter{asOf: asOf.String(), left: n}
	part := func() error { return send(perch.NewEvent(perch.Position{}, typ, timeNow(), w.end())) }
	w.begin()
	for item := range items {
		if w.n == snapshotPart {
			if err := part(); err != nil {
				return err
			}
			w.begin()
		}
		if w.n++; w.n > 1 {
			w.b = append(w.b, ',')
		}
		w.b = item.AppendJSON(w.b)
	}
	return part()
}
