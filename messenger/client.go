package messenger

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// client is one connection to the service: an xmppserver.Handler.
type client struct {
	s    *Service
	conn *xmppserver.Conn

	// Guarded by Service.mu.
	acct    *account             // after SASL
	token   tokenKey             // signed in with
	expires time.Time            // of the token; zero: never
	res     *xmppserver.Resource // after bind
	bound   bool                 // from bind to the end
}

func (c *client) send(b []byte) { c.conn.Send(b) }

// BeforeTLS sends see-other-host there when the rule says so (M3).
func (c *client) BeforeTLS() error { return c.redirected(RedirectPreTLS) }

// Deadline is when the stream is idle (M16) or, with CloseOnExpiry, its token is over (M17),
// whichever comes first.
func (c *client) Deadline(last time.Time) (time.Time, string) {
	var at time.Time
	why := "connection-timeout"
	if c.s.o.IdleTimeout > 0 {
		at = last.Add(c.s.o.IdleTimeout)
	}
	if c.s.o.CloseOnExpiry && !c.expires.IsZero() && (at.IsZero() || c.expires.Before(at)) {
		at, why = c.expires, "not-authorized"
	}
	return at, why
}

// Leave signs out.
func (c *client) Leave() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.signOut(c)
}

// Element handles one stanza. An error ends the stream.
func (c *client) Element(e *xmppserver.Element) error {
	s := c.s
	if e.Name.Space != xmppserver.NSClient {
		return stream.UnsupportedStanzaType
	}
	if f := e.Get("from"); f != "" && !c.ownAddress(f) {
		return stream.InvalidFrom
	}
	s.stats.stanzas.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.bound { // ended while the stanza was on its way
		return nil
	}
	switch e.Name.Local {
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
	return from == c.res.Full || strings.EqualFold(from, c.acct.Bare) || c.s.ids[strings.ToLower(from)] == c.acct
}

// register binds a resource (RFC 6120, 7) and answers the bind request. It returns the
// condition of a stanza error, or "".
func (s *Service) register(c *client, iq *xmppserver.Element, wanted string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	resource := ""
	if s.o.KeepResource && wanted != "" {
		if len(wanted) > 1023 {
			return "bad-request"
		}
		resource = wanted
		for _, old := range slices.Clone(c.acct.clients) {
			if old.res.Name == resource { // RFC 6120, 7.7.2.2: the new one wins
				s.signOut(old)
				old.conn.End("conflict", "")
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
	c.res = &xmppserver.Resource{Account: c.acct.Account, Name: resource, Full: c.acct.Bare + "/" + resource, Send: c.send}
	c.bound = true
	c.acct.clients = append(c.acct.clients, c)
	c.acct.Bind(c.res)
	c.conn.Bound()
	c.acct.logins.Add(1)
	s.stats.logins.Add(1)

	b := xmppserver.AppendAttr([]byte("<iq type='result'"), "id", iq.Get("id"))
	b = append(b, "><bind xmlns='"+xmppserver.NSBind+"'>"...)
	c.send(append(xmppserver.AppendTag(b, "jid", c.res.Full), "</bind></iq>"...))
	return ""
}

// signOut takes a client off its account; s.mu is held.
func (s *Service) signOut(c *client) {
	if !c.bound {
		return
	}
	c.bound = false
	c.acct.clients = slices.DeleteFunc(c.acct.clients, func(x *client) bool { return x == c })
	s.dir.SignOut(c.res)
}

// bounce answers a message or presence with an error from where it was sent to.
func (c *client) bounce(e *xmppserver.Element, condition string) {
	c.send(xmppserver.StanzaError(e, e.Get("to"), c.res.Full, condition))
}
