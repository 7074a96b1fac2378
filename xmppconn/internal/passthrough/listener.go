// Package passthrough has what arrives and nothing else is made of, for clients of the gateway that write
// stanzas themselves (internal/raw), and the requests of others among it, which such a client may answer.
package passthrough

import (
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/raw"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// The bounds of what arrives for clients. AnswerTime is how long they have for the answer to a request of
// another entity, MaxOpen how many requests wait for one. LateTime is how long the answer to a request of a
// client that was given up is waited for, and MaxLate for how many. Burst and PerSecond are how many stanzas of
// one connection become events.
const (
	AnswerTime = 20 * time.Second
	MaxOpen    = 32
	LateTime   = 5 * time.Minute
	MaxLate    = 32
	Burst      = 100
	PerSecond  = 20
)

// Listener has what arrives on a connection and what nothing else is made of, for clients that write stanzas
// themselves. While they listen, requests that the gateway refuses wait for their answer. Its zero value is one
// that nobody listens by yet. It is safe for concurrent use.
type Listener struct {
	desk atomic.Pointer[desk] // nil: nobody has ever listened
}

// Listen says whether clients listen from now on. What is open by then is still waited for. Reply queues an
// answer to a request, and leftOut is called for each stanza that clients do not get: neither may wait.
func (l *Listener) Listen(on bool, reply func(encode func([]byte) ([]byte, error)), leftOut func()) {
	if on && l.desk.Load() == nil {
		l.desk.CompareAndSwap(nil, newDesk(reply, leftOut))
	}
	if d := l.desk.Load(); d != nil {
		d.listen(on)
	}
}

// Close ends what waits: the connection has ended.
func (l *Listener) Close() {
	if !l.desk.CompareAndSwap(nil, closedDesk) {
		l.desk.Load().close()
	}
}

// heard is the desk while clients listen, else nil.
func (l *Listener) heard() *desk {
	if d := l.desk.Load(); d != nil && d.listens() {
		return d
	}
	return nil
}

// Unshown is what clients get of a message or presence that nothing else is made of; nil: nothing. What is
// left out the next one says.
func (l *Listener) Unshown(f *xmlstream.Frame, d *stanza.Decoded) (in *perch.StanzaIn) {
	desk := l.heard()
	if desk == nil || !d.Unshown() {
		return nil
	}
	_ = f.Borrow(func(el *xmlstream.Borrowed) { // it was decoded a moment ago: it is sound
		text, fits := textOf(el)
		in = desk.give(perch.JID(el.Attr("from").Copy()), text, fits)
	})
	return in
}

// Request is what clients get of a request that the gateway would refuse with a condition (RFC 6120, 8.3.3).
// With it the answer is that of a client, or the refusal when AnswerTime has passed. Nil: the caller is to
// refuse it.
func (l *Listener) Request(el *xmlstream.Element, in stanza.IQ, condition string) *perch.StanzaIn {
	desk := l.heard()
	if desk == nil {
		return nil
	}
	text, fits := textOf(el.Borrowed())
	return desk.request(in, text, fits, condition)
}

// Answer has a client answer a request. The error is of KindNotFound when it does not wait for an answer.
func (l *Listener) Answer(s *raw.Stanza, queue func(encode func([]byte) ([]byte, error)) error) error {
	payload, err := s.Payload()
	if err != nil {
		return err
	}
	if d := l.desk.Load(); d != nil {
		if open, err := d.answer(s, payload, queue); open {
			return err
		}
	}
	return perch.Errorf(perch.KindNotFound,
		"no request of this address with this id waits for an answer: none came, or it was answered, or was open for longer than %d seconds", int(AnswerTime.Seconds()))
}

// Expect says that the answer to s, which nobody waits for any more, may still come: id is that on the
// stream. Those who do not listen then do not get it.
func (l *Listener) Expect(id string, s *raw.Stanza) {
	if d := l.heard(); d != nil {
		d.expect(id, s)
	}
}

// Late is what clients get of an answer that nobody waits for, if one of them has asked for it and its sender
// may give it to me. Nil: it is none of theirs, or could not be read, which is its failure.
func (l *Listener) Late(in stanza.IQ, me perch.JID, failure error) *perch.StanzaIn {
	if d := l.heard(); d != nil && failure == nil {
		return d.takeLate(in, me)
	}
	return nil
}

// textOf is a stanza as XML, in the namespace that it declares itself; fits is false when it is too long.
func textOf(el *xmlstream.Borrowed) (text string, fits bool) {
	w := xmlstream.NewWriter(nil)
	w.AtMost(raw.MaxBytes)
	w.Tree("", el, "")
	b, err := w.Result()
	return string(b), err == nil
}
