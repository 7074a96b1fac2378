package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// roomBuffer is what a room has sent since the presence of a join, and what has to wait for its archive.
type roomBuffer struct {
	held     []heldInRoom
	bytes    int
	overflow bool // there was no room for some of them: the archive has these, and is read once more
	history  []*perch.MessageIn
}

// heldInRoom is a message, or a stanza that cannot be shown.
type heldInRoom struct {
	in perch.Inbound
}

// stanzaOf is what is known of a stanza of a room; nil: it is none that the archive may have.
func stanzaOf(in perch.Inbound) *perch.Message {
	switch in := in.(type) {
	case *perch.MessageIn:
		return &in.Message
	case *perch.DroppedIn:
		return &in.Of
	}
	return nil
}

// hold keeps a live stanza back while the archive of its room is read. When too many wait, those are
// dropped that the archive has.
func (b *roomBuffer) hold(in perch.Inbound) (kept bool) {
	m := stanzaOf(in)
	cost := messageCost(&perch.MessageIn{Message: *m})
	if len(b.held) < maxRoomHeld && b.bytes+cost <= roomHeldBytes {
		b.held, b.bytes = append(b.held, heldInRoom{in}), b.bytes+cost
		return true
	}
	b.overflow = true
	b.held = slices.DeleteFunc(b.held, func(h heldInRoom) bool { return stanzaOf(h.in).RoomStanzaID != "" })
	b.bytes = 0
	for _, h := range b.held {
		b.bytes += messageCost(&perch.MessageIn{Message: *stanzaOf(h.in)})
	}
	if m.RoomStanzaID != "" {
		return true
	}
	if len(b.held) >= maxRoomHeld || b.bytes+cost > roomHeldBytes {
		return false
	}
	b.held, b.bytes = append(b.held, heldInRoom{in}), b.bytes+cost
	return true
}

// archived takes out what the archive has given.
func (b *roomBuffer) archived(stanzaID string) {
	b.held = slices.DeleteFunc(b.held, func(h heldInRoom) bool { return stanzaID != "" && stanzaOf(h.in).RoomStanzaID == stanzaID })
}

// take ends the buffer, and returns what it holds.
func (b *roomBuffer) take() (held []heldInRoom) {
	held = b.held
	*b = roomBuffer{}
	return held
}

// release applies what was held back.
func (x *roomList) release(r *room, held []heldInRoom) {
	for _, h := range held {
		x.host.guarded(func() {
			switch in := h.in.(type) {
			case *perch.MessageIn:
				x.live(r, in)
			case *perch.DroppedIn:
				x.unshown(r, in)
			}
		})
	}
}

// abandon ends a join that is begun again some time: the archive has what came, and what it has not is
// logged now.
func (x *roomList) abandon(r *room) {
	j := r.join
	if j == nil {
		return
	}
	held := j.take()
	x.endJoin(r)
	held = slices.DeleteFunc(held, func(h heldInRoom) bool { return stanzaOf(h.in).RoomStanzaID != "" })
	x.release(r, held)
}

// releaseBehindGap ends a join that is not begun again: what came is logged, behind the gap before it.
func (x *roomList) releaseBehindGap(r *room) {
	j := r.join
	if j == nil {
		return
	}
	overflow := j.overflow
	held := j.take()
	if len(held) > 0 || overflow {
		x.gap(r, perch.GapRefused)
	}
	x.endJoin(r)
	x.release(r, held)
}
