package today

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// maxRoomCard bounds the card of a room with its photo.
const maxRoomCard = 128 << 10

// roomCard is the vCard of a room (XEP-0486, and XEP-0054), with the hash of its photo (XEP-0153).
type roomCard struct {
	inner []byte
	hash  string // hex; "": no photo
}

// vcard answers with the card, or lets an owner set it: then all learn of it.
func (r *room) vcard(q *request) {
	switch {
	case !q.set:
		q.result(append(append([]byte("<vCard xmlns='"+xmppserver.NSVCard+"'>"), r.card.inner...), "</vCard>"...))
	case rank(r.affiliation(q.from.acct.Bare)) < rank(perch.AffiliationOwner):
		q.fail("forbidden")
	default:
		card, ok := parseRoomCard(q.payload)
		if !ok {
			q.fail("not-acceptable")
			return
		}
		changed := card.hash != r.card.hash
		r.card = card
		q.result(nil)
		if changed {
			r.photoChanged()
		}
	}
}

// parseRoomCard reports false for one that is too large, or has a photo that is not in base64.
func parseRoomCard(e *xmppserver.Element) (roomCard, bool) {
	card := roomCard{inner: e.AppendKids(nil)}
	if len(card.inner) > maxRoomCard {
		return card, false
	}
	text := e.Child(xmppserver.NSVCard, "PHOTO").Child(xmppserver.NSVCard, "BINVAL").Text()
	if strings.TrimSpace(text) == "" {
		return card, true
	}
	photo := decodeBase64(text)
	if photo == nil {
		return card, false
	}
	card.hash = xmppserver.PhotoHash(photo)
	return card, true
}

// newRoomCard is a card with a photo, or none.
func newRoomCard(png []byte) roomCard {
	if len(png) == 0 {
		return roomCard{}
	}
	photo := xmppserver.PhotoElement(perch.Photo{Type: "image/png", Data: png})
	return roomCard{inner: photo.Append(nil, xmppserver.NSVCard), hash: xmppserver.PhotoHash(png)}
}

// photoChanged tells all who are in the room (XEP-0486, 3).
func (r *room) photoChanged() {
	r.notify([]int{codeChanged})
	for _, o := range r.occupants {
		for _, v := range o.visits {
			v.x.Send(r.photoTo(v.x))
		}
	}
}

// sendPhoto tells one who has joined which photo the room has.
func (r *room) sendPhoto(x *session) {
	if r.card.hash != "" {
		x.Send(r.photoTo(x))
	}
}

// photoTo is presence of the room itself.
func (r *room) photoTo(x *session) []byte {
	b := xmppserver.AppendAttr([]byte("<presence"), "from", r.jid)
	b = xmppserver.AppendAttr(b, "to", x.Full)
	b = append(b, "><x xmlns='"+xmppserver.NSPhoto+"'><photo>"...)
	return append(append(b, r.card.hash...), "</photo></x></presence>"...)
}
