package xmppserver

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mellium.im/xmpp/stream"
)

// signIn negotiates the stream on a goroutine of its own, whose stack grows with the TLS
// handshake, and hands over to serve.
func (c *Conn) signIn() {
	defer c.recovered()
	_ = c.raw.SetDeadline(time.Now().Add(c.srv.o.SignInTimeout))
	if err := c.negotiate(); err != nil {
		c.refuse(err)
		c.leave()
		return
	}
	c.srv.wg.Go(c.serve)
}

// recovered keeps a fault in one connection from ending the process.
func (c *Conn) recovered() {
	if v := recover(); v != nil {
		c.log.Error("connection failed", "panic", fmt.Sprint(v))
		c.Cut()
		c.leave()
	}
}

// leave tells the Handler, once, and releases the connection.
func (c *Conn) leave() {
	c.handler.Leave()
	c.finish()
}

// negotiate reads one XML stream after the other (RFC 6120, 4.3.3): before TLS and after it; the
// Handler restarts it after SASL. The deadline of signIn bounds it, and Cut closes the socket. What a
// client sends before it may, together with what ends a stream, stays in the buffer of that stream's
// decoder and is never read.
func (c *Conn) negotiate() error {
	c.in = newMeter(c.raw, maxUnauthed)
	if !c.framed {
		if err := c.Open(); err != nil {
			return err
		}
		if err := c.startTLS(); err != nil {
			return err
		}
	}
	if err := c.Open(); err != nil {
		return err
	}
	return c.handler.SignIn()
}

// startTLS offers nothing but STARTTLS (RFC 6120, 5).
func (c *Conn) startTLS() error {
	if err := c.handler.BeforeTLS(); err != nil {
		return err
	}
	c.Write([]byte("<stream:features><starttls xmlns='" + NSTLS + "'><required/></starttls></stream:features>"))
	e, err := c.Next()
	if err != nil {
		return err
	}
	if e.Name.Space != NSTLS || e.Name.Local != "starttls" {
		return stream.PolicyViolation
	}
	c.Write([]byte("<proceed xmlns='" + NSTLS + "'/>"))
	t := tls.Server(c.raw, c.srv.o.TLS)
	c.opened = false
	if err := t.HandshakeContext(context.Background()); err != nil {
		return err
	}
	c.conn, c.in = t, newMeter(t, maxUnauthed)
	return nil
}

// Open begins a stream, or restarts it after SASL (RFC 6120, 6.4.6): it reads the client's header and
// answers with ours.
func (c *Conn) Open() error {
	if c.xml == nil || !c.framed { // a WebSocket has its messages one after another in one decoder
		c.xml = xml.NewDecoder(c.in)
	}
	c.opened = false
	if c.framed {
		return c.openFramed()
	}
	start, err := nextStart(c.xml, true)
	if err != nil {
		return err
	}
	in := stream.Info{To: c.to} // a host that one header has named holds for the next ones
	err = in.FromStartElement(start)
	c.to, c.from = in.To, in.From
	b := []byte("<?xml version='1.0'?><stream:stream version='1.0' xml:lang='en'")
	b = AppendAttr(b, "id", streamID())
	b = AppendAttr(b, "from", c.srv.o.Domain)
	b = AppendAttr(b, "xmlns", NSClient)
	b = AppendAttr(b, "xmlns:stream", NSStream)
	c.Write(append(b, '>'))
	c.opened = true
	switch {
	case start.Name.Space != NSStream || start.Name.Local != "stream":
		return stream.InvalidNamespace
	case err != nil:
		return err
	case in.XMLNS != NSClient:
		return stream.InvalidNamespace
	case in.Version.Major != 1:
		return stream.UnsupportedVersion
	case !strings.EqualFold(in.To.String(), c.srv.o.Domain):
		return stream.HostUnknown
	}
	return nil
}

// streamID is unpredictable, as RFC 6120, 4.7.3 wants it.
func streamID() string {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// Authenticated lets the client send stanzas of their full size from now on.
func (c *Conn) Authenticated() { c.in.max = maxStanza; c.in.reset() }

// Write is for SignIn before Bound, where nothing else is written and the deadline of the sign-in
// stands; b is one element. An error shows at the next read.
func (c *Conn) Write(b []byte) {
	if c.framed {
		b = frame(b)
	}
	_, _ = c.conn.Write(b)
}

// Next reads one whole element while the stream is negotiated.
func (c *Conn) Next() (*Element, error) {
	start, err := nextStart(c.xml, false)
	if err != nil {
		return nil, err
	}
	e, err := readElement(c.xml, start, 1)
	if err == nil && c.framed && e.Name.Space == NSFraming { // <close/>, or a second <open/>
		return nil, io.EOF
	}
	return e, err
}

// nextStart returns the next start tag. Only white space, and before a header the XML
// declaration, may come before it.
func nextStart(r xml.TokenReader, header bool) (xml.StartElement, error) {
	for {
		t, err := r.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t.Copy(), nil
		case xml.CharData:
			if strings.Trim(string(t), " \t\r\n") != "" {
				return xml.StartElement{}, stream.BadFormat
			}
		case xml.ProcInst:
			if !header || t.Target != "xml" {
				return xml.StartElement{}, stream.RestrictedXML
			}
		case xml.EndElement: // </stream:stream>: the client gives up
			return xml.StartElement{}, io.EOF
		default:
			return xml.StartElement{}, stream.RestrictedXML
		}
	}
}

// refuse ends a stream that failed, with the condition that the error stands for.
func (c *Conn) refuse(err error) {
	if c.Ending() {
		if !isTimeout(err) { // the time to hang up is over already
			c.drain()
		}
		return
	}
	condition, content, lost := c.conditionOf(err)
	if lost || !c.opened {
		c.Cut()
		return
	}
	c.log.Debug("stream refused", "condition", condition)
	own, _ := errors.AsType[Error](err)
	c.endStream(streamError(condition, content, own.Application))
	c.drain()
}

// conditionOf maps what reading or negotiating gave to a stream error (RFC 6120, 4.9.3).
// lost means that the connection is gone, and no error can be sent. While it is not, an error
// that has no condition of its own is what the XML decoder says of what the client has sent.
func (c *Conn) conditionOf(err error) (condition, content string, lost bool) {
	if se, ok := errors.AsType[stream.Error](err); ok {
		return se.Err, se.Content, false
	}
	if own, ok := errors.AsType[Error](err); ok {
		return own.Condition, "", false
	}
	if errors.Is(err, errTooBig) {
		return "policy-violation", "", false
	}
	if c.in.lost || errors.Is(err, io.EOF) {
		return "", "", true
	}
	if _, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return "not-well-formed", "", false
	}
	return "bad-format", "", false
}

// drain reads what the client still sends, until it closes or closeWait is over.
func (c *Conn) drain() {
	c.writers.Wait()
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.Copy(io.Discard, c.conn)
}
