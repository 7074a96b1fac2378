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
	return q != nil && q.part != nil && s.Type == "result" && answersFor(c.login.JID, q.to, s.From)
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
	el, err := f.Parse()
	if err != nil {
		return err
	}
	if f.Kind == xmlstream.KindLastPart {
		c.handleIQ(el)
		return nil
	}
	in, ok := stanza.ParseIQ(el)
	if part := c.partOf(in.ID); ok && part != nil {
		part(in)
	}
	return nil
}

// partOf returns what takes the parts of the answer to a request, and notes that one came.
func (c *Conn) partOf(id string) func(stanza.IQ) {
	c.mu.Lock()
	defer c.unlock()
	q := c.iqs[id]
	if q == nil {
		return nil
	}
	q.lastPart = c.d.now()
	return q.part
}
