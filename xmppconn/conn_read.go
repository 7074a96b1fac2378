package xmppconn

import (
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// readState is what the reader notes, for the others to read.
type readState struct {
	sink      func(seq uint64, in perch.Inbound) // from Start, as ended is
	ended     func()
	delivered atomic.Uint64 // written by the reader alone

	lastRead   atomic.Int64 // since Dialer.epoch: when bytes last came
	rtt        atomic.Int64
	handled    atomic.Uint64
	delivering atomic.Bool // the reader waits in the sink
	unparkable bool        // parking has failed once; the reader alone uses it

	lastPosition  *perch.ReadIn // the last one that came; the reader alone uses it
	lastBookmarks uint64        // stands for the last ones that came; the reader alone uses it
}

// read is the first reader goroutine, which begins with what came before Start.
func (c *Conn) read() {
	defer c.wg.Done()
	defer c.recoverPanic("reader")
	for i := range c.early {
		if err := c.handleGuarded(&c.early[i]); err != nil {
			c.endWithError(err)
			return
		}
	}
	c.early = nil
	c.fr.TakesLarge, c.fr.Skipping = c.takesLarge, c.skippingAnswer
	c.beginCounting()
	c.readFrames()
}

// readFrames is what a reader does: frames in, things that the session understands out. It is
// the only caller of the sink and of the framer. It returns when the connection has ended, or is parked.
func (c *Conn) readFrames() {
	c.awaitSilence(0)
	for {
		f, err := c.fr.Next()
		if errors.Is(err, os.ErrDeadlineExceeded) && c.mayBeSilent() {
			if c.onSilence() {
				return
			}
			continue
		}
		if err != nil {
			c.readFailed(err)
			return
		}
		err = c.handleGuarded(&f)
		f.Release()
		if err != nil {
			c.endWithError(err)
			return
		}
	}
}

// readFailed ends the connection after a broken read. When a write had failed before, that is
// the reason: the read only waited for a stream error of the server.
func (c *Conn) readFailed(err error) {
	if _, ok := errors.AsType[*xmlstream.Error](err); ok {
		c.endWithError(err)
		return
	}
	if writeErr := c.writeFailure(); writeErr != nil {
		err = writeErr
	}
	c.end(c.linkLost(err, "reading"))
}

// writeFailure is why a write failed; nil while none has.
func (c *Conn) writeFailure() error {
	c.mu.Lock()
	defer c.unlock()
	return c.writeErr
}

// endWithError ends the stream because of what the server sent, with a stream error (RFC 6120,
// 4.9 and 4.4).
func (c *Conn) endWithError(err error) {
	tail := "</stream:stream>"
	if isStreamError(err) {
		c.d.crashes.add(c.account, time.Now())
	}
	if fe, ok := errors.AsType[*xmlstream.Error](err); ok {
		c.d.counters.Malformed.Add(1)
		tail = "<stream:error><" + fe.Condition + " xmlns='" + nsStreams + "'/>" + fe.More + "</stream:error>" + tail
	}
	c.finish(c.linkLost(err, "reading"), tail)
}

// linkLost gives an error of a connection that was up the kind KindLinkLost, when it has none.
func (c *Conn) linkLost(err error, doing string) error {
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e
	}
	return perch.Wrap(perch.KindLinkLost, err, "%s: the connection is lost", doing)
}

var errStreamClosed = perch.Errorf(perch.KindLinkLost, "the server closed the stream")

// handleFrame deals with one frame. An error ends the connection.
func (c *Conn) handleFrame(f *xmlstream.Frame) error {
	c.d.counters.FramesIn.Add(1)
	switch f.Kind {
	case xmlstream.KindEnd:
		return errStreamClosed
	case xmlstream.KindSkipped:
		c.handleSkipped(f.Skipped)
		return nil
	case xmlstream.KindPart, xmlstream.KindLastPart:
		return c.handlePart(f)
	case xmlstream.KindElement:
	default:
		return &xmlstream.Error{Condition: "bad-format", Detail: "second stream header"}
	}
	if f.Local == "message" || f.Local == "presence" {
		return c.handleStanza(f)
	}
	if f.Local == "iq" && c.takesParts() {
		if taken, err := c.lend(f); taken || err != nil {
			return err
		}
	}
	el, err := f.Parse()
	if err != nil {
		return err
	}
	switch {
	case el.Is(nsStream, "error"):
		return c.handleStreamError(el, StageMidSession)
	case el.Is(nsClient, "iq"):
		c.handleIQ(el)
	case el.Space() == nsSM:
		return c.handleSM(el)
	case el.Is(nsStream, "features") && c.login.Resumed: // which follow a resumption in one step, on some servers
	default:
		c.d.counters.Malformed.Add(1)
	}
	return nil
}

// handleStanza delivers what a message or presence says, if its sender may say it.
func (c *Conn) handleStanza(f *xmlstream.Frame) error {
	d, err := stanza.Decode(f, c.login.JID, perch.At(time.Now()))
	if err != nil {
		return err
	}
	given := c.hearing.Unshown(f, &d)
	f.Release()
	d.DropRepeat(&c.lastPosition)
	d.DropBookmarks(&c.lastBookmarks, c.Hears)
	if d.Forged != "" {
		c.d.counters.ForgedOther.Add(1)
		c.d.log.Debug("dropped spoofed stanza", "what", d.Forged)
	}
	if d.Archived != nil {
		c.archiveResult(d.Archived)
	}
	if d.Silent && given == nil {
		c.d.counters.Silent.Add(1)
	}
	if c.replaying() {
		d.In = stanza.Resumed(d.In)
	}
	if given != nil {
		d.In = append(d.In, given)
	}
	if d.Counted {
		c.count(len(d.In))
	}
	for _, in := range d.In {
		c.deliver(in)
	}
	return nil
}

// beginCounting is called when everything from before stream management is dealt with.
func (c *Conn) beginCounting() {
	c.mu.Lock()
	defer c.unlock()
	if c.sm != nil {
		c.sm.counting = true
	}
}

// replaying reports whether the server may still be sending again what it sent before.
func (c *Conn) replaying() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.sm != nil && c.sm.replay
}

// handleSkipped reports a stanza that was too large or too deep. One that was an answer fails
// its request; a request of another entity is dropped without an event.
func (c *Conn) handleSkipped(s *xmlstream.Skipped) {
	c.d.counters.Skipped.Add(1)
	if s.Counted {
		return
	}
	archived := c.skippedResult(s)
	reported := !archived && (s.Local == "message" || s.Local == "presence" || s.Local == "")
	switch {
	case reported:
		c.count(1)
	case s.Local == "iq" || archived:
		c.count(0)
	}
	switch {
	case s.Local == "iq":
		c.skippingAnswer(s)
	case reported:
		c.deliverSkipped(s)
	}
}

// deliverSkipped reports a stanza that was left out to the session.
func (c *Conn) deliverSkipped(s *xmlstream.Skipped) {
	in := &perch.DroppedIn{Dropped: perch.Dropped{Reason: s.Reason, From: s.From, StanzaID: s.ID}}
	if c.replaying() {
		in.Of.Source = perch.SourceResumed
	}
	c.deliver(in)
}

// deliver gives the session one thing. While the sink blocks nothing is read, so that silence
// says nothing about the server.
func (c *Conn) deliver(in perch.Inbound) {
	if c.ending() {
		return
	}
	c.delivering.Store(true)
	c.sink(c.delivered.Add(1), in)
	c.delivering.Store(false)
}

// ending reports whether nothing is delivered any more.
func (c *Conn) ending() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.closing || c.err != nil
}

// handleStreamError reads a stream error (RFC 6120, 4.9). A redirect in mid-session is remembered
// for the next Dial.
func (c *Conn) handleStreamError(el *xmlstream.Element, stage Stage) error {
	x, content := stanza.ParseConditions(el, nsStreams)
	if x.Condition != "see-other-host" {
		return diagnosis.Stream(x, content)
	}
	err := c.d.up.redirect(content, stage, c.direct)
	if re, ok := errors.AsType[*RedirectError](err); ok && stage == StageMidSession && err.Kind == perch.KindLinkLost {
		c.d.redirects.remember(c.account, c.d.up.redirectTarget(re), time.Now())
	}
	return err
}
