package messenger

import (
	"bytes"

	"github.com/perch-im/perch/internal/xmppserver"
)

// presence handles a presence stanza; s.mu is held.
func (s *Service) presence(c *client, e *xmppserver.Element) {
	switch t := e.Get("type"); t {
	case "", "unavailable":
		switch {
		case e.Get("to") != "": // directed presence: no source speaks of it
			c.bounce(e, "feature-not-implemented")
		case t == "":
			s.availability(c, e)
		case c.res.Available:
			s.dir.Unavailable(c.res, e)
		}
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		s.subscription(c, e, t)
	case "error":
	default: // probe (M8), and what RFC 6121 does not know
		c.bounce(e, "feature-not-implemented")
	}
}

// availability takes a client's own presence. Its contacts' presence comes the one time that it
// comes online (M8), and so do the requests that wait for an answer (M11).
func (s *Service) availability(c *client, e *xmppserver.Element) {
	first, condition := s.dir.Available(c.res, e)
	if condition != "" {
		c.bounce(e, condition)
		return
	}
	if !first {
		return
	}
	if target, ok := c.redirectAt(RedirectOnline); ok {
		s.stats.redirects.Add(1)
		s.signOut(c)
		c.conn.End("see-other-host", target)
	}
}

// addPhotoHash is the xmppserver.Directory's Decorate: the photo hash (XEP-0153), when the service
// is set to and the client did not say one itself.
func (s *Service) addPhotoHash(a *xmppserver.Account, presence []byte) []byte {
	if !s.o.PhotoHashes || bytes.Contains(presence, []byte(xmppserver.NSPhoto)) {
		return presence
	}
	b := append(presence, "<x xmlns='"+xmppserver.NSPhoto+"'><photo>"...)
	return append(append(b, s.locals[a.Local].photoHash...), "</photo></x>"...)
}
