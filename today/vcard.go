package today

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nodeAvatarData     = "urn:xmpp:avatar:data"
	nodeAvatarMetadata = "urn:xmpp:avatar:metadata"
	nsConversion       = "urn:xmpp:pep-vcard-conversion:0"
)

// vcardFeature is the card of an account (XEP-0054), whose picture is in its presence (XEP-0153), and
// the same as its avatar (XEP-0084), by XEP-0398.
var vcardFeature = feature{iq: map[xml.Name]func(*request){
	{Space: xmppserver.NSVCard, Local: "vCard"}: vcard,
}, server: []string{xmppserver.NSVCard}, account: []string{xmppserver.NSVCard, nsConversion}}

// vcard answers with a card, or replaces the own one. An account without one is as no account.
func vcard(r *request) {
	a := r.s.of(r.to)
	switch {
	case r.to.Domain:
		r.fail("service-unavailable")
	case r.set && !r.own():
		r.fail("forbidden")
	case r.set:
		a.card = r.payload
		r.s.photoChanged(a, photoOf(r.payload))
		r.result(nil)
		r.s.publishAvatar(a)
	case a == nil || a.card == nil:
		r.fail("item-not-found")
	default:
		r.result(a.card.Append(nil, xmppserver.NSClient))
	}
}

// photoOf are the bytes of the picture of a card, or nil.
func photoOf(card *xmppserver.Element) []byte {
	return decodeBase64(card.Child(xmppserver.NSVCard, "PHOTO").Child(xmppserver.NSVCard, "BINVAL").Text())
}

// decodeBase64 reads base64 with white space in it; nil for anything else.
func decodeBase64(text string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}

// photoChanged keeps the hash of a picture, and shows it with the presence of the account.
func (s *Service) photoChanged(a *account, data []byte) {
	hash := ""
	if data != nil {
		hash = xmppserver.PhotoHash(data)
	}
	if hash == a.photoHash {
		return
	}
	a.photoHash = hash
	for _, r := range a.Resources {
		if r.Available {
			s.dir.Broadcast(a.Account, r.Full, "", r.Presence)
		}
	}
}

// decorate is the xmppserver.Directory's Decorate: the hash of the picture (XEP-0153, 4.2).
func (s *Service) decorate(a *xmppserver.Account, b []byte) []byte {
	own := s.accounts[a.Local]
	if own == nil {
		return b
	}
	b = append(b, "<x xmlns='"+xmppserver.NSPhoto+"'>"...)
	if own.photoHash == "" {
		return append(b, "<photo/></x>"...)
	}
	return append(xmppserver.AppendTag(b, "photo", own.photoHash), "</x>"...)
}

// withoutPhoto takes away what a client says itself of its picture (XEP-0398, 4).
func withoutPhoto(e *xmppserver.Element) {
	e.Kids = slices.DeleteFunc(e.Kids, func(k xmppserver.Node) bool { return k.El != nil && k.El.Name.Space == xmppserver.NSPhoto })
}

// avatarPublished puts the avatar of an account into its card (XEP-0398, 3).
func (s *Service) avatarPublished(a *account, metadata *xmppserver.Element) {
	info := metadata.Child(nodeAvatarMetadata, "info")
	var photo perch.Photo
	if n := a.pep.nodes[nodeAvatarData]; n != nil && info != nil {
		if i := n.index(info.Get("id")); i >= 0 {
			photo = perch.Photo{Type: info.Get("type"), Data: decodeBase64(n.items[i].payload.Text())}
		}
		if photo.Data == nil {
			return // elsewhere, or not what it says: the card stays
		}
	}
	card := xmppserver.NewElement(xmppserver.NSVCard, "vCard")
	if a.card != nil {
		card.Attr = a.card.Attr
		card.Kids = slices.DeleteFunc(slices.Clone(a.card.Kids), func(k xmppserver.Node) bool { return k.El != nil && k.El.Name.Local == "PHOTO" })
	}
	if photo.Data != nil {
		card.Kids = append(card.Kids, xmppserver.Node{El: xmppserver.PhotoElement(photo)})
	}
	a.card = card
	s.photoChanged(a, photo.Data)
}

// publishAvatar publishes the picture of the card of an account (XEP-0398, 2). A card without one empties
// the avatar.
func (s *Service) publishAvatar(a *account) {
	metadata := xmppserver.NewElement(nodeAvatarMetadata, "metadata")
	id := a.photoHash
	if data := photoOf(a.card); data != nil {
		text := xmppserver.Node{Text: base64.StdEncoding.EncodeToString(data)}
		if s.publish(a, nodeAvatarData, avatarConfig(), newItem(id, xmppserver.NewElement(nodeAvatarData, "data", text))) != "" {
			return // there is no room for it
		}
		info := xmppserver.NewElement(nodeAvatarMetadata, "info")
		for _, attr := range [...][2]string{{"id", id}, {"type", http.DetectContentType(data)}, {"bytes", strconv.Itoa(len(data))}} {
			info.Attr = append(info.Attr, xml.Attr{Name: xml.Name{Local: attr[0]}, Value: attr[1]})
		}
		metadata.Kids = []xmppserver.Node{{El: info}}
	} else if a.pep.nodes[nodeAvatarMetadata] == nil {
		return // there has been none
	} else {
		id = "none"
	}
	s.publish(a, nodeAvatarMetadata, avatarConfig(), newItem(id, metadata))
}

// avatarConfig lets everybody see an avatar who may see the card.
func avatarConfig() nodeConfig {
	c := defaultConfig()
	c.access = accessOpen
	return c
}
