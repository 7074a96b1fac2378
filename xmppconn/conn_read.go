package xmppconn

import (
	"errors"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// read is the reader goroutine: frames in, things that the session understands out. It is
// the only caller of the sink and of the framer.
func (c *Conn) read() {
	defer c.wg.Done()
	defer c.rescue("reader")
	for i := range c.early {
		if err := c.take(&c.early[i]); err != nil {
			c.hangUpFor(err)
			return
		}
	}
	c.early = nil
	c.fr.takesLarge, c.fr.skipping = c.takesLarge, c.skippingAnswer
	c.beginCounting()
	for {
		f, err := c.fr.next()
		if err != nil {
			c.readFailed(err)
			return
		}
		err = c.take(&f)
		f.release()
		if err != nil {
			c.hangUpFor(err)
			return
		}
	}
}

// readFailed ends the connection after a broken read. When a write had failed before, that is
// the reason: the read only waited for a last word of the server.
func (c *Conn) readFailed(err error) {
	if _, ok := errors.AsType[*framingError](err); ok {
		c.hangUpFor(err)
		return
	}
	c.mu.Lock()
	if c.writeErr != nil {
		err = c.writeErr
	}
	c.mu.Unlock()
	c.end(c.lost(err, "reading"))
}

// hangUpFor ends the stream because of what the server sent, and says so (RFC 6120, 4.9 and
// 4.4).
func (c *Conn) hangUpFor(err error) {
	tail := "</stream:stream>"
	if isFraming(err) {
		c.d.faults.add(c.account, time.Now())
	}
	if fe, ok := errors.AsType[*framingError](err); ok {
		c.d.counters.Malformed.Add(1)
		tail = "<stream:error><" + fe.condition + " xmlns='" + nsStreams + "'/>" + fe.more + "</stream:error>" + tail
	}
	c.finish(c.lost(err, "reading"), tail)
}

// lost gives an error of a connection that was up its kind: KindLinkLost, when it has
// none.
func (c *Conn) lost(err error, doing string) error {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e
	}
	return perch.Wrap(perch.KindLinkLost, err, "%s: the connection is lost", doing)
}

var errStreamClosed = perch.Errorf(perch.KindLinkLost, "the server closed the stream")

// handle deals with one frame. An error ends the connection.
func (c *Conn) handle(f *frame) error {
	c.d.counters.FramesIn.Add(1)
	switch f.kind {
	case frameEnd:
		return errStreamClosed
	case frameSkipped:
		c.handleSkipped(f.skipped)
		return nil
	case framePart, frameLastPart:
		return c.handlePart(f)
	case frameElement:
	default:
		return &framingError{condition: "bad-format", detail: "a second stream header"}
	}
	if f.local == "message" || f.local == "presence" {
		return c.handleStanza(f)
	}
	el, err := f.parse()
	if err != nil {
		return err
	}
	switch {
	case el.is(nsStream, "error"):
		return c.streamError(el, StageMidSession)
	case el.is(nsClient, "iq"):
		c.handleIQ(el)
	case el.space == nsSM:
		return c.handleSM(el)
	default:
		c.d.counters.Malformed.Add(1) // features we did not ask for, and the like
	}
	return nil
}

// handleStanza delivers what a message or presence says, if its sender may say it.
func (c *Conn) handleStanza(f *frame) error {
	d, err := decodeFrame(f, c.login.JID, perch.At(time.Now()))
	if err != nil {
		return err
	}
	f.release()
	if d.forged != "" {
		c.d.counters.ForgedOther.Add(1)
		c.d.log.Debug("dropped a forgery", "what", d.forged)
	}
	if d.mam != nil {
		c.archiveResult(d.mam)
	}
	if d.silent {
		c.d.counters.Silent.Add(1)
	}
	if c.replaying() {
		d.in = replayed(d.in)
	}
	if d.stanza {
		c.count(len(d.in))
	}
	for _, in := range d.in {
		c.deliver(in)
	}
	return nil
}

// replayed is what a stanza says when the server sends it again after a resume. Chat states
// are left out: they were about a moment that is over.
func replayed(in []perch.Inbound) []perch.Inbound {
	return slices.DeleteFunc(in, func(in perch.Inbound) bool {
		switch in := in.(type) {
		case *perch.MessageIn:
			in.Source = perch.SourceResumed
		case *perch.DroppedIn:
			in.Of.Source = perch.SourceResumed
		}
		_, state := in.(*perch.ChatStateIn)
		return state
	})
}

// beginCounting is called when everything from before stream management is dealt with.
func (c *Conn) beginCounting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sm != nil {
		c.sm.counting = true
	}
}

// replaying reports whether the server may still be sending again what it sent before.
func (c *Conn) replaying() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sm != nil && c.sm.replay
}

// handleSkipped reports a stanza that was too large or too deep. One that was an answer fails
// its request; a request of another entity is dropped without an event.
func (c *Conn) handleSkipped(s *skipped) {
	c.d.counters.Skipped.Add(1)
	if s.counted {
		return
	}
	archived := c.archivedSkipped(s)
	tells := !archived && (s.local == "message" || s.local == "presence" || s.local == "")
	switch {
	case tells:
		c.count(1)
	case s.local == "iq" || archived:
		c.count(0)
	}
	switch {
	case s.local == "iq":
		c.skippingAnswer(s)
	case tells:
		c.deliverSkipped(s)
	}
}

// deliverSkipped reports a stanza that was left out to the session.
func (c *Conn) deliverSkipped(s *skipped) {
	in := &perch.DroppedIn{Dropped: perch.Dropped{Reason: s.reason, From: s.from, StanzaID: s.id}}
	if c.replaying() {
		in.Of.Source = perch.SourceResumed
	}
	c.deliver(in)
}

// deliver hands one thing to the session. While the sink blocks, silence is our own doing
// and not the server's.
func (c *Conn) deliver(in perch.Inbound) {
	c.mu.Lock()
	mute := c.closing || c.err != nil
	c.mu.Unlock()
	if mute {
		return
	}
	c.delivering.Store(true)
	c.sink(c.delivered.Add(1), in)
	c.delivering.Store(false)
}

// streamError reads a stream error (RFC 6120, 4.9). A redirect in mid-session is remembered
// for the next Dial.
func (c *Conn) streamError(el *element, stage Stage) error {
	x, content := parseConditions(el, nsStreams)
	if x.Condition != "see-other-host" {
		return streamFailure(x, content)
	}
	err := c.d.up.redirect(content, stage, c.direct)
	if re, ok := errors.AsType[*RedirectError](err); ok && stage == StageMidSession && err.Kind == perch.KindLinkLost {
		c.d.redirects.remember(c.account, c.d.up.redirectTarget(re), time.Now())
	}
	return err
}
