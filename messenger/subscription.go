package messenger

import "github.com/perch-im/perch/internal/xmppserver"

// subscription handles the four subscription stanzas (RFC 6121, 3); s.mu is held. Asking,
// accepting, declining and taking one's own question back are all there is: what would
// end a subscription that exists changes the roster, and is refused (M6).
func (s *Service) subscription(c *client, e *xmppserver.Element, kind string) {
	at, ok := s.dir.Resolve(e.Get("to"))
	if !ok || at.Domain || at.Bare == c.acct.Bare {
		c.bounce(e, "bad-request")
		return
	}
	a := c.acct.Account
	k := a.Contact(at.Bare)
	switch kind {
	case "subscribe": // contacts have to be added by JID: an account id never answers (M14)
		s.dir.Subscribe(a, at, e.Child(xmppserver.NSNick, "nick").Text(), e.Child(xmppserver.NSClient, "status").Text())
	case "subscribed":
		if at.Account != nil {
			s.dir.Accept(a, at.Account)
		}
	case "unsubscribed":
		if at.Account != nil && s.dir.Decline(a, at.Account) {
			return
		}
		if k != nil && k.From {
			c.bounce(e, "not-allowed")
		}
	case "unsubscribe":
		switch {
		case k == nil:
		case k.To:
			c.bounce(e, "not-allowed")
		case k.Ask:
			s.dir.TakeBack(a, k)
		}
	}
}
