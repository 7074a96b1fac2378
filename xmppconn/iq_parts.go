package xmppconn

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// takesLarge reports whether a stanza over the limit is the answer to an open request that
// may be as large. It is asked by the reader.
func (c *Conn) takesLarge(s *xmlstream.Skipped) bool {
	c.mu.Lock()
	defer c.unlock()
	q := c.iqs[s.ID]
	return q != nil && q.part != nil && s.Type == "result" && stanza.AnswersFor(c.login.JID, q.to, s.From)
}

// skippingAnswer fails the request that a stanza over a limit answers as soon as this is
// known: the rest of the stanza may take long, or never come.
func (c *Conn) skippingAnswer(s *xmlstream.Skipped) {
	if s.Space != nsClient || s.Local != "iq" || s.Type == "get" || s.Type == "set" || s.Answered {
		return
	}
	s.Answered = true
	c.answered(stanza.IQ{ID: s.ID, Type: "error", From: s.From},
		perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the answer exceeds the limits of this gateway"))
}

// handlePart takes a part of a large answer. The last one is the answer itself: with it the
// stanza is counted, and the request ends.
func (c *Conn) handlePart(f *xmlstream.Frame) error {
	taken, err := c.lend(f)
	if taken || err != nil || f.Kind == xmlstream.KindPart {
		return err
	}
	el, err := f.Parse()
	if err == nil {
		c.handleIQ(el)
	}
	return err
}

// lend gives the payload of an answer, or of a part of it, to the request that takes it as it lies
// in the buffer: a roster is the largest of what comes at a login. Taken is false for all else.
func (c *Conn) lend(f *xmlstream.Frame) (taken bool, err error) {
	err = f.Borrow(func(el *xmlstream.Borrowed) {
		in, payload := stanza.LentResult(el)
		part := c.partOf(in)
		if taken = part != nil; !taken {
			return
		}
		part(payload)
		if f.Kind != xmlstream.KindPart {
			c.count(0)
			c.answered(in, nil)
		}
	})
	return taken, err
}

// partOf is what takes the parts of an answer; nil: no request that may be answered so.
func (c *Conn) partOf(in stanza.IQ) func(*xmlstream.Borrowed) {
	c.mu.Lock()
	defer c.unlock()
	q := c.iqs[in.ID]
	if q == nil || !stanza.AnswersFor(c.login.JID, q.to, in.From) {
		return nil
	}
	q.lastPart = c.d.now()
	return q.part
}

// takesParts reports whether a request is open whose answer is lent to it.
func (c *Conn) takesParts() bool {
	c.mu.Lock()
	defer c.unlock()
	for _, q := range c.iqs {
		if q.part != nil {
			return true
		}
	}
	return false
}
