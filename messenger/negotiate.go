package messenger

import (
	"strings"

	"mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// Mechanism is the one SASL mechanism (M4). Its name stands with a trailing blank in the
// features, as the service's documentation prints it.
const Mechanism = "X-MESSENGER-OAUTH2"

// maxTries is how often a client may offer a token on one stream (RFC 6120, 6.4.5).
const maxTries = 3

// SignIn reads one XML stream after the other (RFC 6120, 4.3.3): after TLS, and after SASL.
func (c *client) SignIn() error {
	if err := c.authenticate(); err != nil {
		return err
	}
	if err := c.conn.Open(); err != nil {
		return err
	}
	return c.bind()
}

// redirected ends the stream with see-other-host when the rule says so (M3).
func (c *client) redirected(stage RedirectStage) error {
	target, ok := c.redirectAt(stage)
	if !ok {
		return nil
	}
	c.s.stats.redirects.Add(1)
	return stream.Error{Err: "see-other-host", Content: target}
}

func (c *client) redirectAt(stage RedirectStage) (string, bool) {
	remote, local := c.conn.Addrs()
	return c.s.redirect.at(stage, remote, local)
}

// authenticate takes the token as it stands in <auth/>: raw text, no base64 (M4).
func (c *client) authenticate() error {
	if err := c.redirected(RedirectPostTLS); err != nil {
		return err
	}
	c.conn.Write([]byte("<stream:features><mechanisms xmlns='" + xmppserver.NSSASL + "'><mechanism>" + Mechanism + " </mechanism></mechanisms></stream:features>"))
	for range maxTries {
		e, err := c.conn.Next()
		if err != nil {
			return err
		}
		condition := c.try(e)
		switch condition {
		case "":
			c.conn.Write([]byte("<success xmlns='" + xmppserver.NSSASL + "'/>"))
			c.conn.Authenticated()
			return nil
		case "not-authorized":
			c.s.stats.failures.Add(1)
		case "policy-violation":
			return stream.NotAuthorized
		}
		c.conn.Write([]byte("<failure xmlns='" + xmppserver.NSSASL + "'><" + condition + "/></failure>"))
	}
	return stream.PolicyViolation
}

// try returns the condition of a failure (RFC 6120, 6.5), or "" once the client is in.
func (c *client) try(e *xmppserver.Element) string {
	switch {
	case e.Name.Space != xmppserver.NSSASL:
		return "policy-violation" // a stanza before sign-in
	case e.Name.Local == "abort":
		return "aborted"
	case e.Name.Local != "auth":
		return "malformed-request"
	case strings.TrimSpace(e.Get("mechanism")) != Mechanism:
		return "invalid-mechanism"
	}
	k, t, ok := c.s.tokens.check(strings.TrimSpace(e.Text()))
	if !ok {
		return "not-authorized"
	}
	c.s.mu.Lock() // endWhere may look at the token
	c.acct, c.token, c.expires = t.acct, k, t.expires
	c.s.mu.Unlock()
	return ""
}

// bind gives the client its JID (M5): identifier and resource are the service's choice.
func (c *client) bind() error {
	if err := c.redirected(RedirectPostAuth); err != nil {
		return err
	}
	c.conn.Write([]byte("<stream:features><bind xmlns='" + xmppserver.NSBind + "'><required/></bind><session xmlns='" + xmppserver.NSSession + "'><optional/></session></stream:features>"))
	for range maxTries {
		e, err := c.conn.Next()
		if err != nil {
			return err
		}
		b := e.Child(xmppserver.NSBind, "bind")
		if e.Name.Local != "iq" || e.Name.Space != xmppserver.NSClient || e.Get("type") != "set" || b == nil {
			return stream.NotAuthorized // RFC 6120, 7.1: nothing else before bind
		}
		if err := c.s.register(c, e, b.Child(xmppserver.NSBind, "resource").Text()); err != "" {
			c.conn.Write(xmppserver.StanzaError(e, "", "", err))
			continue
		}
		return nil
	}
	return stream.PolicyViolation
}
