package xmppconn

import (
	"encoding/base64"

	"github.com/perch-im/perch"
)

// mostEntries bounds each list of a card, such as its telephone numbers.
const mostEntries = 50

// encodeVCardGet is the payload of a get to whom the card belongs (XEP-0054, 3.1).
func encodeVCardGet() []byte { return []byte("<vCard xmlns='" + nsVCard + "'/>") }

// encodeVCardSet is the payload of a set to the own account. It replaces the whole card.
func encodeVCardSet(card perch.VCard) ([]byte, error) {
	var w writer
	w.raw("<vCard xmlns='" + nsVCard + "'>")
	w.element("/full_name", "FN", card.FullName)
	if card.GivenName != "" || card.FamilyName != "" {
		w.raw("<N>")
		w.element("/family_name", "FAMILY", card.FamilyName)
		w.element("/given_name", "GIVEN", card.GivenName)
		w.raw("</N>")
	}
	w.element("/nickname", "NICKNAME", card.Nickname)
	w.photo(card.Photo)
	w.element("/birthday", "BDAY", card.Birthday)
	for _, tel := range card.Phones {
		w.wrapped("/phones", "TEL", "NUMBER", tel)
	}
	for _, email := range card.Emails {
		w.wrapped("/emails", "EMAIL", "USERID", email)
	}
	w.element("/title", "TITLE", card.Title)
	w.wrapped("/organization", "ORG", "ORGNAME", card.Organization)
	w.element("/description", "DESC", card.Description)
	w.element("/url", "URL", card.URL)
	w.raw("</vCard>")
	return w.result()
}

func (w *writer) wrapped(field, outer, inner, text string) {
	if text == "" {
		return
	}
	w.raw("<" + outer + ">")
	w.element(field, inner, text)
	w.raw("</" + outer + ">")
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
		w.raw("<PHOTO><TYPE>" + typ + "</TYPE><BINVAL>")
		w.b = base64.StdEncoding.AppendEncode(w.b, p.Data)
		w.raw("</BINVAL></PHOTO>")
	case p.URL != "":
		w.wrapped("/photo/url", "PHOTO", "EXTVAL", p.URL)
	}
}

// parseVCard reads a card of jid. An empty answer is an empty card.
func parseVCard(payload *element, jid perch.JID) perch.VCard {
	card := perch.VCard{JID: jid}
	if !payload.is(nsVCard, "vCard") {
		return card
	}
	var photos []*element
	for _, c := range payload.children {
		if c.space != nsVCard {
			continue
		}
		switch c.local {
		case "FN":
			first(&card.FullName, c)
		case "NICKNAME":
			first(&card.Nickname, c)
		case "N":
			first(&card.GivenName, c.child(nsVCard, "GIVEN"))
			first(&card.FamilyName, c.child(nsVCard, "FAMILY"))
		case "EMAIL":
			card.Emails = entry(card.Emails, c, "USERID")
		case "TEL":
			card.Phones = entry(card.Phones, c, "NUMBER")
		case "ORG":
			first(&card.Organization, c.child(nsVCard, "ORGNAME"))
		case "TITLE":
			first(&card.Title, c)
		case "BDAY":
			first(&card.Birthday, c)
		case "URL":
			first(&card.URL, c)
		case "DESC":
			first(&card.Description, c)
		case "PHOTO":
			photos = append(photos, c)
		}
	}
	card.Photo = parsePhotos(photos)
	return card
}

// first sets a field that is still empty.
func first(field *string, el *element) {
	if *field == "" {
		*field = keep(el.innerText())
	}
}

// entry appends the value of an EMAIL or TEL. Some clients put the text right into it.
func entry(list []string, el *element, local string) []string {
	text := el.child(nsVCard, local).innerText()
	if text == "" && len(el.children) == 0 {
		text = el.innerText()
	}
	if text == "" || len(list) >= mostEntries {
		return list
	}
	return append(list, keep(text))
}
