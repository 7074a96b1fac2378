package messenger

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"mellium.im/xmpp/stream"

	"github.com/perch-im/perch"
)

// register binds a resource (RFC 6120, 7) and answers the bind request. It returns the
// condition of a stanza error, or "".
func (s *Service) register(c *client, iq *element, wanted string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	resource := ""
	if s.o.KeepResource && wanted != "" {
		if len(wanted) > 1023 {
			return "bad-request"
		}
		resource = wanted
		for _, old := range slices.Clone(c.acct.clients) {
			if old.resource == resource { // RFC 6120, 7.7.2.2: the new one wins
				s.signOut(old)
				old.end("conflict", "")
			}
		}
	} else {
		b := make([]byte, 8)
		rand.Read(b) // never fails
		resource = "messenger-" + hex.EncodeToString(b)
	}
	if len(c.acct.clients) >= s.o.MaxResources {
		return "resource-constraint"
	}
	c.resource, c.full, c.bound = resource, c.acct.bare+"/"+resource, true
	c.acct.clients = append(c.acct.clients, c)
	c.mu.Lock()
	c.live = true
	c.mu.Unlock()
	c.acct.logins.Add(1)
	s.stats.logins.Add(1)

	b := appendAttr([]byte("<iq type='result'"), "id", iq.get("id"))
	b = append(b, "><bind xmlns='"+nsBind+"'>"...)
	c.send(append(appendTag(b, "jid", c.full), "</bind></iq>"...))
	return ""
}

// serve reads stanzas until the stream ends.
func (c *client) serve() {
	defer c.recovered()
	c.log.Debug("signed in")
	_ = c.raw.SetReadDeadline(time.Time{})
	if c.ending() { // ended between bind and here: the line above has undone its deadline
		_ = c.raw.SetReadDeadline(time.Now().Add(closeWait))
	}
	err := c.read()
	switch {
	case errors.Is(err, io.EOF): // </stream:stream>
		c.end("", "")
		c.writers.Wait()
	case isTimeout(err) && !c.ending():
		c.end(c.deadlineCondition(), "")
		c.drain()
	default:
		c.refuse(err)
	}
	c.leave()
}

// read returns why the stream ended; io.EOF is the client's own end tag.
func (c *client) read() error {
	last := time.Now()
	for {
		c.armDeadline(last)
		e, err := nextStanza(c.xml)
		if err != nil {
			return err
		}
		c.in.reset()
		last = time.Now()
		if err := c.s.dispatch(c, e); err != nil {
			return err
		}
	}
}

// nextStanza skips white space: it does not reset the idle timeout (M16). A client that ends its
// stream with an error is answered as one that ends it without (RFC 6120, 4.9.1.1).
func nextStanza(r xml.TokenReader) (*element, error) {
	start, err := nextStart(r, false)
	if err != nil {
		return nil, err
	}
	if start.Name.Space == nsStream && start.Name.Local == "error" {
		return nil, io.EOF
	}
	return readElement(r, start, 1)
}

// armDeadline sets when the stream is idle (M16) or, with CloseOnExpiry, its token is
// over (M17), whichever comes first.
func (c *client) armDeadline(last time.Time) {
	var at time.Time
	if c.s.o.IdleTimeout > 0 {
		at = last.Add(c.s.o.IdleTimeout)
	}
	if c.s.o.CloseOnExpiry && !c.expires.IsZero() && (at.IsZero() || c.expires.Before(at)) {
		at = c.expires
	}
	if !at.IsZero() && !c.ending() {
		_ = c.raw.SetReadDeadline(at)
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// deadlineCondition is why armDeadline's moment came.
func (c *client) deadlineCondition() string {
	if c.s.o.CloseOnExpiry && !c.expires.IsZero() && !time.Now().Before(c.expires) {
		return "not-authorized"
	}
	return "connection-timeout"
}

// leave signs out and releases the connection.
func (c *client) leave() {
	c.s.mu.Lock()
	c.s.signOut(c)
	c.s.mu.Unlock()
	c.finish()
}

// signOut takes a client off its account; s.mu is held.
func (s *Service) signOut(c *client) {
	if !c.bound {
		return
	}
	c.bound = false
	c.acct.clients = slices.DeleteFunc(c.acct.clients, func(x *client) bool { return x == c })
	if c.available {
		s.unavailable(c, nil)
	}
}

// dispatch handles one stanza. An error ends the stream.
func (s *Service) dispatch(c *client, e *element) error {
	if e.name.Space != nsClient {
		return stream.UnsupportedStanzaType
	}
	if f := e.get("from"); f != "" && !c.ownAddress(f) {
		return stream.InvalidFrom
	}
	s.stats.stanzas.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.bound { // ended while the stanza was on its way
		return nil
	}
	switch e.name.Local {
	case "message":
		c.acct.messages.Add(1)
		s.message(c, e)
	case "presence":
		c.acct.presence.Add(1)
		s.presence(c, e)
	case "iq":
		c.acct.iqs.Add(1)
		return s.iq(c, e)
	default:
		return stream.UnsupportedStanzaType
	}
	return nil
}

// ownAddress reports whether a client may call itself so: by its JID or, as the examples of
// the historical documentation do, by its account id.
func (c *client) ownAddress(from string) bool {
	return from == c.full || strings.EqualFold(from, c.acct.bare) || c.s.ids[strings.ToLower(from)] == c.acct
}

// stanzaError makes the error answer to a stanza (RFC 6120, 8.3). A from or to of "" is
// left out.
func stanzaError(e *element, from, to, condition string) []byte {
	kind := "cancel"
	switch condition {
	case "bad-request", "jid-malformed", "not-acceptable":
		kind = "modify"
	case "resource-constraint":
		kind = "wait"
	case "forbidden", "not-authorized":
		kind = "auth"
	}
	b := append(append([]byte{'<'}, e.name.Local...), " type='error'"...)
	for _, a := range [...][2]string{{"id", e.get("id")}, {"from", from}, {"to", to}} {
		if a[1] != "" {
			b = appendAttr(b, a[0], a[1])
		}
	}
	b = appendAttr(append(b, "><error"...), "type", kind)
	b = append(append(append(b, "><"...), condition...), " xmlns='"+nsStanzas+"'/></error></"...)
	return append(append(b, e.name.Local...), '>')
}

// bounce answers a message or presence with an error from where it was sent to.
func (c *client) bounce(e *element, condition string) {
	c.send(stanzaError(e, e.get("to"), c.full, condition))
}

// address is where a stanza goes to.
type address struct {
	acct     *account // nil: see bare
	bare     string
	resource string
	domain   bool // the service itself
	foreign  bool // another domain
}

// resolve finds the target of a stanza; ok is false for an address that is no JID.
// Addresses in the form that the service hands out are found without being parsed.
func (s *Service) resolve(to string) (address, bool) {
	j := perch.JID(to)
	if a := s.locals[j.Local()]; a != nil && j.Domain() == s.o.Domain {
		return address{acct: a, bare: a.bare, resource: j.Resource()}, true
	}
	p, err := perch.ParseJID(to)
	if err != nil {
		return address{}, false
	}
	at := address{bare: string(p.Bare()), resource: p.Resource()}
	switch {
	case p.Domain() != s.o.Domain:
		at.foreign = true
	case p.Local() == "":
		at.domain = true
	default:
		at.acct = s.locals[p.Local()]
	}
	return at, true
}
