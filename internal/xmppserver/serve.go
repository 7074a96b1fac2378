package xmppserver

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"time"
)

// serve reads elements until the stream ends.
func (c *Conn) serve() {
	defer c.recovered()
	c.log.Debug("signed in")
	_ = c.raw.SetReadDeadline(time.Time{})
	if c.Ending() { // ended while it was bound: the line above has undone its deadline
		_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
	}
	err := c.read()
	switch {
	case errors.Is(err, io.EOF) && !c.in.lost: // </stream:stream>
		c.End("", "")
		c.writers.Wait()
	case isTimeout(err) && !c.Ending():
		c.idle = true
		c.End(c.why, "")
		c.drain()
	default:
		c.refuse(err)
	}
	c.leave()
}

// read returns why the stream ended; io.EOF is the client's own end tag.
func (c *Conn) read() error {
	last := time.Now()
	for {
		c.armDeadline(last)
		e, err := c.nextStanza()
		if err != nil {
			return err
		}
		c.in.reset()
		last = time.Now()
		if err := c.handler.Element(e); err != nil {
			return err
		}
	}
}

// nextStanza skips white space: it does not reset the idle timeout. A client that ends its stream
// with an error is answered as one that ends it without (RFC 6120, 4.9.1.1).
func (c *Conn) nextStanza() (*Element, error) {
	start, err := nextStart(c.xml, false)
	if err != nil {
		return nil, err
	}
	if c.endsStream(start) {
		return nil, io.EOF
	}
	return readElement(c.xml, start, 1)
}

func (c *Conn) endsStream(start xml.StartElement) bool {
	return start.Name.Space == NSStream && start.Name.Local == "error" || c.framed && start.Name.Space == NSFraming
}

// armDeadline sets when the stream is idle or over.
func (c *Conn) armDeadline(last time.Time) {
	at, why := c.handler.Deadline(last)
	if !at.IsZero() && !c.Ending() {
		c.why = why
		_ = c.raw.SetReadDeadline(at)
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
