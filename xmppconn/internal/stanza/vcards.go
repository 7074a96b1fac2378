package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// maxEntries bounds each list of a card, such as its telephone numbers.
const maxEntries = 50

// EncodeVCardGet is the payload of a get to whom the card belongs (XEP-0054, 3.1).
func EncodeVCardGet() []byte { return []byte("<vCard xmlns='" + nsVCard + "'/>") }

// EncodeVCardSet is the payload of a set to the own account. It replaces the whole card.
func EncodeVCardSet(card perch.VCard) ([]byte, error) {
	var w writer
	w.Raw("<vCard xmlns='" + nsVCard + "'>")
	w.Element("/full_name", "FN", card.FullName)
	if card.GivenName != "" || card.FamilyName != "" {
		w.Raw("<N>")
		w.Element("/family_name", "FAMILY", card.FamilyName)
		w.Element("/given_name", "GIVEN", card.GivenName)
		w.Raw("</N>")
	}
	w.Element("/nickname", "NICKNAME", card.Nickname)
	w.photo(card.Photo)
	w.Element("/birthday", "BDAY", card.Birthday)
	for _, tel := range card.Phones {
		w.wrapped("/phones", "TEL", "NUMBER", tel)
	}
	for _, email := range card.Emails {
		w.wrapped("/emails", "EMAIL", "USERID", email)
	}
	w.Element("/title", "TITLE", card.Title)
	w.wrapped("/organization", "ORG", "ORGNAME", card.Organization)
	w.Element("/description", "DESC", card.Description)
	w.Element("/url", "URL", card.URL)
	w.Raw("</vCard>")
	return w.Result()
}

func (w *writer) wrapped(field, outer, inner, text string) {
	if text == "" {
		return
	}
	w.Raw("<" + outer + ">")
	w.Element(field, inner, text)
	w.Raw("</" + outer + ">")
}

func (w *writer) photo(p *perch.Photo) {
	switch {
	case p == nil:
	case len(p.Data) > 0:
		typ := sniffPhoto(p.Data)
		if typ == "" {
			w.fail("/photo", "a photo must be PNG, JPEG, GIF or WebP")
			return
		}
		w.Raw("<PHOTO><TYPE>" + typ + "</TYPE><BINVAL>")
		w.Base64(p.Data)
		w.Raw("</BINVAL></PHOTO>")
	case p.URL != "":
		w.wrapped("/photo/url", "PHOTO", "EXTVAL", p.URL)
	}
}

// ParseVCard reads a card of jid. An empty answer is an empty card.
func ParseVCard(payload *xmlstream.Element, jid perch.JID) perch.VCard {
	card := perch.VCard{JID: jid}
	if !payload.Is(nsVCard, "vCard") {
		return card
	}
	var photos []*xmlstream.Element
	for _, c := range payload.Children() {
		if c.Space() != nsVCard {
			continue
		}
		switch c.Local() {
		case "FN":
			setFirst(&card.FullName, c)
		case "NICKNAME":
			setFirst(&card.Nickname, c)
		case "N":
			setFirst(&card.GivenName, c.Child(nsVCard, "GIVEN"))
			setFirst(&card.FamilyName, c.Child(nsVCard, "FAMILY"))
		case "EMAIL":
			card.Emails = appendEntry(card.Emails, c, "USERID")
		case "TEL":
			card.Phones = appendEntry(card.Phones, c, "NUMBER")
		case "ORG":
			setFirst(&card.Organization, c.Child(nsVCard, "ORGNAME"))
		case "TITLE":
			setFirst(&card.Title, c)
		case "BDAY":
			setFirst(&card.Birthday, c)
		case "URL":
			setFirst(&card.URL, c)
		case "DESC":
			setFirst(&card.Description, c)
		case "PHOTO":
			photos = append(photos, c)
		}
	}
	card.Photo = parsePhotos(photos)
	return card
}

// setFirst sets a field that is still empty.
func setFirst(field *string, el *xmlstream.Element) {
	if *field == "" {
		*field = strings.Clone(el.InnerText())
	}
}

// appendEntry appends the value of an EMAIL or TEL. Some clients put the text right into it.
func appendEntry(list []string, el *xmlstream.Element, local string) []string {
	text := el.Child(nsVCard, local).InnerText()
	if text == "" && len(el.Children()) == 0 {
		text = el.InnerText()
	}
	if text == "" || len(list) >= maxEntries {
		return list
	}
	return append(list, strings.Clone(text))
}
