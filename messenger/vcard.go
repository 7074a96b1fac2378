package messenger

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"

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
	b := append([]byte(nil), "<vCard xmlns='"+nsVCard+"'>"...)
	b = xmppserver.AppendTag(b, "FN", v.FullName)
	if v.FamilyName != "" || v.GivenName != "" {
		b = append(b, "<N>"...)
		b = xmppserver.AppendTag(b, "FAMILY", v.FamilyName)
		b = append(xmppserver.AppendTag(b, "GIVEN", v.GivenName), "</N>"...)
	}
	b = xmppserver.AppendTag(b, "NICKNAME", defaultTo(v.Nickname, a.Nick))
	for _, m := range v.Emails {
		b = append(xmppserver.AppendTag(append(b, "<EMAIL><INTERNET/>"...), "USERID", m), "</EMAIL>"...)
	}
	for _, p := range v.Phones {
		b = append(xmppserver.AppendTag(append(b, "<TEL><VOICE/>"...), "NUMBER", p), "</TEL>"...)
	}
	if v.Organization != "" {
		b = append(xmppserver.AppendTag(append(b, "<ORG>"...), "ORGNAME", v.Organization), "</ORG>"...)
	}
	b = xmppserver.AppendTag(b, "TITLE", v.Title)
	b = xmppserver.AppendTag(b, "BDAY", v.Birthday)
	b = xmppserver.AppendTag(b, "URL", v.URL)
	b = xmppserver.AppendTag(b, "DESC", v.Description)
	a.photoHash = ""
	if v.Photo != nil {
		b = append(b, "<PHOTO>"...)
		if len(v.Photo.Data) > 0 {
			sum := sha1.Sum(v.Photo.Data) // XEP-0153 names the hash
			a.photoHash = hex.EncodeToString(sum[:])
			b = xmppserver.AppendTag(b, "TYPE", v.Photo.Type)
			b = append(b, "<BINVAL>"...)
			b = append(base64.StdEncoding.AppendEncode(b, v.Photo.Data), "</BINVAL>"...)
		} else {
			b = xmppserver.AppendTag(b, "EXTVAL", v.Photo.URL)
		}
		b = append(b, "</PHOTO>"...)
	}
	a.card = append(b, "</vCard>"...)
}

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
