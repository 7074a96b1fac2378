package xmppserver

import (
	"crypto/sha1" // what XEP-0153 names
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"

	"github.com/perch-im/perch"
)

// NSVCard is the namespace of cards.
const NSVCard = "vcard-temp"

// VCard makes the card of an account (XEP-0054).
func VCard(v perch.VCard) *Element {
	c := NewElement(NSVCard, "vCard")
	c.add("FN", v.FullName)
	if v.FamilyName != "" || v.GivenName != "" {
		n := c.group("N")
		n.add("FAMILY", v.FamilyName)
		n.add("GIVEN", v.GivenName)
	}
	c.add("NICKNAME", v.Nickname)
	for _, m := range v.Emails {
		e := c.group("EMAIL")
		e.group("INTERNET")
		e.add("USERID", m)
	}
	for _, p := range v.Phones {
		t := c.group("TEL")
		t.group("VOICE")
		t.add("NUMBER", p)
	}
	if v.Organization != "" {
		c.group("ORG").add("ORGNAME", v.Organization)
	}
	c.add("TITLE", v.Title)
	c.add("BDAY", v.Birthday)
	c.add("URL", v.URL)
	c.add("DESC", v.Description)
	if v.Photo != nil {
		c.Kids = append(c.Kids, Node{El: PhotoElement(*v.Photo)})
	}
	return c
}

// PhotoElement makes the picture of a card: its bytes, or where they are.
func PhotoElement(p perch.Photo) *Element {
	e := NewElement(NSVCard, "PHOTO")
	if len(p.Data) == 0 {
		e.add("EXTVAL", p.URL)
		return e
	}
	e.add("TYPE", p.Type)
	e.add("BINVAL", base64.StdEncoding.EncodeToString(p.Data))
	return e
}

// PhotoHash is what the presence of an account says of its picture (XEP-0153).
func PhotoHash(data []byte) string {
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])
}

// add puts an element with a text into a card; a text of "" is left out.
func (e *Element) add(name, text string) {
	if text != "" {
		e.group(name).Kids = []Node{{Text: text}}
	}
}

// group puts an empty element into a card.
func (e *Element) group(name string) *Element {
	g := &Element{Name: xml.Name{Space: NSVCard, Local: name}}
	e.Kids = append(e.Kids, Node{El: g})
	return g
}
