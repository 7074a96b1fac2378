package messenger

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// vcard answers XEP-0054: get only, of oneself and of contacts (M9). A contact is one
// whose invitation, or ours to it, has been accepted; of any other account there is no card.
func (s *Service) vcard(c *client, e *xmppserver.Element, at xmppserver.Address, set bool) {
	if set {
		c.fail(e, "not-allowed")
		return
	}
	a := s.of(at)
	if a != c.acct {
		k := c.acct.Contact(at.Bare)
		if a == nil || k == nil || !(k.To || k.From) {
			c.fail(e, "item-not-found")
			return
		}
	}
	b := append(s.resultHead(c, e, 256+len(a.card)), a.card...)
	c.send(append(b, "</iq>"...))
}

// setCard renders a vCard once for all who will ask.
func (a *account) setCard(v perch.VCard) {
	v.Nickname = defaultTo(v.Nickname, a.Nick)
	a.card, a.photoHash = xmppserver.VCard(v).Append(nil, xmppserver.NSClient), ""
	if v.Photo != nil && len(v.Photo.Data) > 0 {
		a.photoHash = xmppserver.PhotoHash(v.Photo.Data)
	}
}

// Portrait draws a small PNG for a name, the same one each time.
func Portrait(name string) *perch.Photo { return xmppserver.Portrait(name) }

// SetVCard replaces the vCard of an account. With Options.PhotoHashes its contacts learn
// of the new photo by presence.
func (s *Service) SetVCard(name string, v perch.VCard) error {
	a, err := s.find(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.setCard(v)
	if s.o.PhotoHashes {
		for _, r := range a.Resources {
			if r.Available {
				s.dir.Broadcast(a.Account, r.Full, "", r.Presence)
			}
		}
	}
	return nil
}
