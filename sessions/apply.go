package sessions

import (
	"hash/maphash"
	"runtime/debug"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/plant"
)

// take applies what the reader delivered, in stream order.
func (s *Session) take(d delivery) {
	if d.link != s.link {
		s.takeLate(d)
		return
	}
	d.link.lastSeq = d.seq
	s.batch().taken++
	s.log.taken++
	if m, ok := d.in.(*perch.MessageIn); ok && d.link.holding {
		s.hold(d, m)
		return
	}
	s.apply(d.in)
	s.covered(d.link)
}

// takeLate is for what the reader of a lost connection still had in its hands. A message
// that nobody will send again is kept; all else is state that the next login brings.
func (s *Session) takeLate(d delivery) {
	if m, ok := d.in.(*perch.MessageIn); ok && s.rec.Stream == nil && s.caps.Archive != archivePaged {
		s.apply(m)
	}
}

// saveEvery is after how many things that leave no trace in the log the state of the stream
// is saved all the same: what is not kept is not acknowledged, and servers keep only so much.
const saveEvery = 32

// covered notes that everything delivered until now is in the batch that gathers, or
// before it: when that is kept, it may be acknowledged. What is held is not covered, nor
// is anything after it.
func (s *Session) covered(l *link) {
	if len(l.held) > 0 || l.lastSeq == 0 {
		return
	}
	b := s.batch()
	b.link, b.seq = l, l.lastSeq
	if plant.AckBeforePersist {
		defer l.conn.Handled(l.lastSeq)
	}
	if b.empty() && l.lastSeq < l.savedSeq+saveEvery {
		return // nothing was kept that a repetition would double
	}
	if _, ok := l.conn.(StateAt); ok {
		s.saveStream()
	}
}

// apply changes the state by one thing that arrived. One that we cannot cope with is
// skipped and said so: a server would send it again to every stream that follows.
func (s *Session) apply(in perch.Inbound) { s.guarded(func() { s.applyOne(in) }) }

// guarded is apply for what does not come from the reader, such as a page of the archive.
func (s *Session) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.m.log.Error("something that arrived could not be applied", "session", s.short(), "panic", r, "stack", string(debug.Stack()))
			s.dropped(perch.Dropped{Reason: "malformed"})
		}
	}()
	f()
}

func (s *Session) applyOne(in perch.Inbound) {
	switch in := in.(type) {
	case *perch.MessageIn:
		s.rememberAddress(in.From)
		s.rememberAddress(in.To)
		s.applyMessage(in)
	case *perch.PresenceIn:
		s.applyPresence(in)
	case *perch.PresenceError:
		s.applyPresenceError(in)
	case *perch.ChatStateIn:
		s.rememberAddress(in.From)
		s.applyChatState(in)
	case *perch.SubscriptionIn:
		s.applySubscription(in)
	case *perch.RosterPush:
		s.applyPush(in)
	case *perch.AckIn:
		s.applyAck(in)
	case *perch.ReceiptIn:
		s.applyReceipt(in)
	case *perch.MessageError:
		s.applyMessageError(in)
	case *perch.DroppedIn:
		s.dropped(in.Dropped)
	}
}

// dropped says that a stanza was not taken.
func (s *Session) dropped(d perch.Dropped) {
	s.m.o.Observer.Dropped(d.Reason, 1)
	s.emit(perch.EventDropped, d)
}

// recentIDs tells messages that were logged a moment ago: a server may send one again
// after a resume, or to the stream that replaced a dead one (XEP-0198, 5 and 6).
type recentIDs struct{ ring *recentRing }

type recentRing struct {
	seen [32]uint64
	next int
}

var recentSeed = maphash.MakeSeed()

// again says whether m was here before, and remembers it. Without a stanza-id only a
// delayed message can be a repeated one: clients do use the same id twice.
func (r *recentIDs) again(m *perch.Message) bool {
	if plant.NoDedupe {
		return false
	}
	var h maphash.Hash
	h.SetSeed(recentSeed)
	switch {
	case m.StanzaID != "":
		h.WriteString("s" + m.StanzaID)
	case m.ID != "":
		h.WriteString("m" + string(m.From) + "\x00" + string(m.To) + "\x00" + m.ID + "\x00" + m.Body)
	default:
		return false
	}
	sum := h.Sum64()
	if r.ring == nil {
		r.ring = &recentRing{}
	}
	for _, v := range r.ring.seen {
		if v == sum {
			return m.StanzaID != "" || m.Delay != nil || m.Source == perch.SourceResumed
		}
	}
	r.ring.seen[r.ring.next] = sum
	r.ring.next = (r.ring.next + 1) % len(r.ring.seen)
	return false
}
