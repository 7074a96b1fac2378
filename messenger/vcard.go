package messenger

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"

	"github.com/perch-im/perch"
)

// vcard answers XEP-0054: get only, of oneself and of contacts (M9). A contact is one
// whose invitation, or ours to it, has been accepted; of any other account there is no card.
func (s *Service) vcard(c *client, e *element, at address, set bool) {
	if set {
		c.fail(e, "not-allowed")
		return
	}
	a := at.acct
	if a != c.acct {
		k := c.acct.contact(at.bare)
		if a == nil || k == nil || !(k.to || k.from) {
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
	b = appendTag(b, "FN", v.FullName)
	if v.FamilyName != "" || v.GivenName != "" {
		b = append(b, "<N>"...)
		b = appendTag(b, "FAMILY", v.FamilyName)
		b = append(appendTag(b, "GIVEN", v.GivenName), "</N>"...)
	}
	b = appendTag(b, "NICKNAME", defaultTo(v.Nickname, a.nick))
	for _, m := range v.Emails {
		b = append(appendTag(append(b, "<EMAIL><INTERNET/>"...), "USERID", m), "</EMAIL>"...)
	}
	for _, p := range v.Phones {
		b = append(appendTag(append(b, "<TEL><VOICE/>"...), "NUMBER", p), "</TEL>"...)
	}
	if v.Organization != "" {
		b = append(appendTag(append(b, "<ORG>"...), "ORGNAME", v.Organization), "</ORG>"...)
	}
	b = appendTag(b, "TITLE", v.Title)
	b = appendTag(b, "BDAY", v.Birthday)
	b = appendTag(b, "URL", v.URL)
	b = appendTag(b, "DESC", v.Description)
	a.photoHash = ""
	if v.Photo != nil {
		b = append(b, "<PHOTO>"...)
		if len(v.Photo.Data) > 0 {
			sum := sha1.Sum(v.Photo.Data) // XEP-0153 names the hash
			a.photoHash = hex.EncodeToString(sum[:])
			b = appendTag(b, "TYPE", v.Photo.Type)
			b = append(b, "<BINVAL>"...)
			b = append(base64.StdEncoding.AppendEncode(b, v.Photo.Data), "</BINVAL>"...)
		} else {
			b = appendTag(b, "EXTVAL", v.Photo.URL)
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
		a.eachPresence(func(full string, inner []byte) { s.broadcast(a, full, "", inner) })
	}
	return nil
}
