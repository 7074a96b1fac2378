package sessions

import "github.com/perch-im/perch"

// hold keeps a live message back while the archive is read. When too many wait they are
// dropped: whatever has a stanza-id is in the archive, which is then read once more. One that
// does not page may not have them: then nothing more is held.
func (cu *catchup) hold(d delivery, m *perch.MessageIn) {
	l := d.link
	d.at = cu.host.now()
	if n := messageCost(m); len(l.buffered) < maxHeld && l.bufferedBytes+n <= heldBytes {
		l.bufferedBytes += n
		l.buffered = append(l.buffered, d)
		return
	}
	if !l.paged() {
		l.buffered = append(l.buffered, d)
		cu.releaseBuffered(l)
		return
	}
	rest, bytes := l.buffered[:0], 0
	for _, h := range l.buffered {
		x := h.in.(*perch.MessageIn)
		switch {
		case x == nil || x.StanzaID != "":
		case bytes+messageCost(x) > heldBytes/2:
			cu.host.overBudget("held messages", x.From)
		default:
			bytes += messageCost(x)
			rest = append(rest, h)
		}
	}
	switch {
	case m.StanzaID != "":
	case len(rest) >= maxHeld:
		cu.host.overBudget("held messages", m.From)
	default:
		bytes += messageCost(m)
		rest = append(rest, d)
	}
	clear(l.buffered[len(rest):])
	l.buffered, l.bufferedBytes, l.overflow = rest, bytes, true
}

// releaseBuffered applies the live messages that the archive did not have.
func (cu *catchup) releaseBuffered(l *link) {
	held := l.buffered
	l.buffering, l.buffered, l.bufferedBytes, l.caughtUp = false, nil, 0, cu.host.now()
	if cu.host.stream() != l && l.paged() {
		return // lost meanwhile: the next login reads the archive again
	}
	for _, d := range held {
		cu.host.guarded(func() { cu.release(d) })
	}
	cu.host.covered(l)
}

// release applies one message that was held.
func (cu *catchup) release(d delivery) {
	m := d.in.(*perch.MessageIn)
	switch {
	case d.known:
	case d.entry != 0:
		c, ok := cu.known.remove(d.entry - 1)
		if !ok {
			c = d.link.identifyMessage(m, d.at)
		}
		cu.takeMessage(m, c, d.link)
	default:
		cu.applyMessage(m, d.link, d.at)
	}
}
