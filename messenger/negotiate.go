package messenger

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

// Mechanism is the one SASL mechanism (M4). Its name stands with a trailing blank in the
// features, as the service's documentation prints it.
const Mechanism = "X-MESSENGER-OAUTH2"

// maxTries is how often a client may offer a token on one stream (RFC 6120, 6.4.5).
const maxTries = 3

// signIn negotiates the stream on a goroutine of its own, whose stack grows with the TLS
// handshake, and hands over to serve.
func (c *client) signIn() {
	defer c.recovered()
	_ = c.raw.SetDeadline(time.Now().Add(c.s.o.SignInTimeout))
	if err := c.negotiate(); err != nil {
		c.refuse(err)
		c.leave()
		return
	}
	c.s.wg.Go(c.serve)
}

// recovered keeps a fault in one connection from ending the process.
func (c *client) recovered() {
	if v := recover(); v != nil {
		c.log.Error("connection failed", "panic", fmt.Sprint(v))
		c.cut()
		c.leave()
	}
}

// refuse ends a stream that failed, with the condition that the error stands for.
func (c *client) refuse(err error) {
	if c.ending() {
		if !isTimeout(err) { // the time to hang up is over already
			c.drain()
		}
		return
	}
	condition, content, lost := c.conditionOf(err)
	if lost || !c.opened {
		c.cut()
		return
	}
	c.log.Debug("stream refused", "condition", condition)
	c.endStream(condition, content)
	c.drain()
}

// conditionOf maps what reading or negotiating gave to a stream error (RFC 6120, 4.9.3).
// lost means that the connection is gone, and no error can be sent. While it is not, an error
// that has no condition of its own is what the XML decoder says of what the client has sent.
func (c *client) conditionOf(err error) (condition, content string, lost bool) {
	if se, ok := errors.AsType[stream.Error](err); ok {
		return se.Err, se.Content, false
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
func (c *client) drain() {
	c.writers.Wait()
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.Copy(io.Discard, c.conn)
}

// negotiate reads one XML stream after the other (RFC 6120, 4.3.3): before TLS, after it, and
// after SASL. The deadline of signIn bounds it, and Stop closes the socket. What a client sends
// before it may, together with what ends a stream, stays in the buffer of that stream's decoder
// and is never read.
func (c *client) negotiate() error {
	c.in = newMeter(c.raw, maxUnauthed)
	var header stream.Info
	for _, stage := range [...]func() error{c.startTLS, c.authenticate, c.bind} {
		c.xml, c.opened = xml.NewDecoder(c.in), false
		if err := c.open(&header); err != nil {
			return err
		}
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}

// open reads the client's stream header and answers with ours. A host that one header has
// named holds for the next ones.
func (c *client) open(in *stream.Info) error {
	*in = stream.Info{To: in.To}
	start, err := nextStart(c.xml, true)
	if err != nil {
		return err
	}
	err = in.FromStartElement(start)
	id := make([]byte, 16)
	rand.Read(id) // never fails; RFC 6120, 4.7.3 wants it unpredictable
	b := []byte("<?xml version='1.0'?><stream:stream version='1.0' xml:lang='en'")
	b = appendAttr(b, "id", hex.EncodeToString(id))
	b = appendAttr(b, "from", c.s.o.Domain)
	b = appendAttr(b, "xmlns", nsClient)
	b = appendAttr(b, "xmlns:stream", nsStream)
	c.write(append(b, '>'))
	c.opened = true
	switch {
	case start.Name.Space != nsStream || start.Name.Local != "stream":
		return stream.InvalidNamespace
	case err != nil:
		return err
	case in.XMLNS != nsClient:
		return stream.InvalidNamespace
	case in.Version.Major != 1:
		return stream.UnsupportedVersion
	case !strings.EqualFold(in.To.String(), c.s.o.Domain):
		return stream.HostUnknown
	}
	return nil
}

// write is for the negotiation, where nothing else is written and the deadline of signIn
// stands. An error shows at the next read.
func (c *client) write(b []byte) { _, _ = c.conn.Write(b) }

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

// nextElement reads one whole element.
func nextElement(r xml.TokenReader) (*element, error) {
	start, err := nextStart(r, false)
	if err != nil {
		return nil, err
	}
	return readElement(r, start, 1)
}

// redirected ends the stream with see-other-host when the rule says so (M3).
func (c *client) redirected(stage RedirectStage) error {
	target, ok := c.s.redirect.at(stage, c.raw.RemoteAddr(), c.raw.LocalAddr())
	if !ok {
		return nil
	}
	c.s.stats.redirects.Add(1)
	return stream.Error{Err: "see-other-host", Content: target}
}

// startTLS offers nothing but STARTTLS (M2).
func (c *client) startTLS() error {
	if err := c.redirected(RedirectPreTLS); err != nil {
		return err
	}
	c.write([]byte("<stream:features><starttls xmlns='" + nsTLS + "'><required/></starttls></stream:features>"))
	e, err := nextElement(c.xml)
	if err != nil {
		return err
	}
	if e.name.Space != nsTLS || e.name.Local != "starttls" {
		return stream.PolicyViolation
	}
	c.write([]byte("<proceed xmlns='" + nsTLS + "'/>"))
	t := tls.Server(c.raw, &tls.Config{Certificates: []tls.Certificate{c.s.cert}, MinVersion: tls.VersionTLS12})
	c.opened = false
	if err := t.HandshakeContext(context.Background()); err != nil {
		return err
	}
	c.conn, c.secured, c.in = t, true, newMeter(t, maxUnauthed)
	return nil
}

// authenticate takes the token as it stands in <auth/>: raw text, no base64 (M4).
func (c *client) authenticate() error {
	if err := c.redirected(RedirectPostTLS); err != nil {
		return err
	}
	c.write([]byte("<stream:features><mechanisms xmlns='" + nsSASL + "'><mechanism>" + Mechanism + " </mechanism></mechanisms></stream:features>"))
	for range maxTries {
		e, err := nextElement(c.xml)
		if err != nil {
			return err
		}
		condition := c.try(e)
		switch condition {
		case "":
			c.write([]byte("<success xmlns='" + nsSASL + "'/>"))
			c.in.reset()
			return nil
		case "not-authorized":
			c.s.stats.failures.Add(1)
		case "policy-violation":
			return stream.NotAuthorized
		}
		c.write([]byte("<failure xmlns='" + nsSASL + "'><" + condition + "/></failure>"))
	}
	return stream.PolicyViolation
}

// try returns the condition of a failure (RFC 6120, 6.5), or "" once the client is in.
func (c *client) try(e *element) string {
	switch {
	case e.name.Space != nsSASL:
		return "policy-violation" // a stanza before sign-in
	case e.name.Local == "abort":
		return "aborted"
	case e.name.Local != "auth":
		return "malformed-request"
	case strings.TrimSpace(e.get("mechanism")) != Mechanism:
		return "invalid-mechanism"
	}
	k, t, ok := c.s.tokens.check(strings.TrimSpace(e.text()))
	if !ok {
		return "not-authorized"
	}
	c.s.connMu.Lock() // endWhere may look at the token
	c.acct, c.token, c.expires = t.acct, k, t.expires
	c.s.connMu.Unlock()
	return ""
}

// bind gives the client its JID (M5): identifier and resource are the service's choice.
func (c *client) bind() error {
	c.in.max = maxStanza
	if err := c.redirected(RedirectPostAuth); err != nil {
		return err
	}
	c.write([]byte("<stream:features><bind xmlns='" + nsBind + "'><required/></bind><session xmlns='" + nsSession + "'><optional/></session></stream:features>"))
	for range maxTries {
		e, err := nextElement(c.xml)
		if err != nil {
			return err
		}
		b := e.child(nsBind, "bind")
		if e.name.Local != "iq" || e.name.Space != nsClient || e.get("type") != "set" || b == nil {
			return stream.NotAuthorized // RFC 6120, 7.1: nothing else before bind
		}
		if err := c.s.register(c, e, b.child(nsBind, "resource").text()); err != "" {
			c.write(stanzaError(e, "", "", err))
			continue
		}
		return nil
	}
	return stream.PolicyViolation
}
