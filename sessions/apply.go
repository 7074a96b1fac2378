package sessions

import (
	"runtime/debug"

	"github.com/perch-im/perch"
)

// take applies what the reader delivered, in stream order.
func (s *Session) take(d delivery) {
	if d.link != s.link {
		s.takeLate(d)
		return
	}
	d.link.lastSeq = d.seq
	s.log.applied()
	if m, ok := d.in.(*perch.MessageIn); ok && d.link.buffering {
		s.catchup.hold(d, m)
		return
	}
	s.apply(d.in)
	s.covered(d.link)
}

// takeLate is for what the reader of a lost connection still had queued. A message that the
// server will not send again is kept, or reported as dropped; all else is state that the next
// login brings.
func (s *Session) takeLate(d delivery) {
	if s.rec.Stream != nil || s.caps.Archive == archivePaged {
		return
	}
	switch in := d.in.(type) {
	case *perch.MessageIn:
		s.guarded(func() { s.catchup.applyMessage(in, d.link, s.now()) })
	case *perch.DroppedIn:
		s.guarded(func() { s.catchup.applyDropped(in, d.link, s.now()) })
	}
}

// saveEvery is after how many things that leave no trace in the log the state of the stream
// is saved all the same: what is not kept is not acknowledged, and servers keep only so much.
const saveEvery = 32

// covered notes that everything delivered until now is in the batch that gathers, or
// before it: when that is kept, it may be acknowledged. What is held is not covered, nor
// is anything after it.
func (s *Session) covered(l *link) {
	if len(l.buffered) > 0 || l.lastSeq == 0 {
		return
	}
	b := s.log.cover(l, l.lastSeq)
	if b.empty() && l.lastSeq < l.savedSeq+saveEvery {
		return // nothing was kept that a repetition would double
	}
	if _, ok := l.conn.(ResumeCheckpointer); ok {
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
			s.m.log.Error("panic while applying stanza, dropped it", "session", s.short(), "panic", r, "stack", string(debug.Stack()))
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
		s.catchup.applyMessage(in, s.link, s.now())
	case *perch.PresenceIn:
		s.roster.applyPresence(in)
	case *perch.PresenceError:
		s.roster.applyPresenceError(in)
	case *perch.ChatStateIn:
		s.rememberAddress(in.From)
		s.applyChatState(in)
	case *perch.SubscriptionIn:
		s.roster.applySubscription(in)
	case *perch.RosterPush:
		s.roster.applyPush(in)
	case *perch.AckIn:
		s.out.applyAck(in)
	case *perch.ReceiptIn:
		s.out.applyReceipt(in)
	case *perch.MessageError:
		s.out.applyMessageError(in)
	case *perch.DroppedIn:
		s.catchup.applyDropped(in, s.link, s.now())
	}
}

// dropped says that a stanza was not taken.
func (s *Session) dropped(d perch.Dropped) {
	s.m.o.Observer.Dropped(d.Reason, 1)
	s.log.Durable(perch.EventDropped, d)
}
