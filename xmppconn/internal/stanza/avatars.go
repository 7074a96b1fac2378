package stanza

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Nodes of avatars (XEP-0084), and what a server says that turns them into photos of cards and back (XEP-0398).
const (
	nodeAvatarData     = "urn:xmpp:avatar:data"
	nodeAvatarMetadata = "urn:xmpp:avatar:metadata"

	featureAvatarConversion = "urn:xmpp:pep-vcard-conversion:0"
)

// MaxAvatar bounds an avatar, in bytes.
const MaxAvatar = 96 << 10

// maxAvatarInfos is how many forms of an avatar are looked at.
const maxAvatarInfos = 16

// AvatarInfo is one form of an avatar (XEP-0084, 4.2).
type AvatarInfo struct {
	ID  string // the SHA-1 of the bytes, in lower-case hex
	URL string // where the bytes are; "": in a node of the account
}

// EncodeAvatarMetadataGet asks for the newest metadata.
func EncodeAvatarMetadataGet() []byte {
	return []byte("<pubsub xmlns='" + nsPubSub + "'><items node='" + nodeAvatarMetadata + "' max_items='1'/></pubsub>")
}

// EncodeAvatarDataGet asks for the bytes of an avatar, by the ID of an AvatarInfo.
func EncodeAvatarDataGet(id string) ([]byte, error) {
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><items node='" + nodeAvatarData + "'><item")
	w.Attr("/id", "id", id)
	w.Raw("/></items></pubsub>")
	return w.Result()
}

// ParseAvatarMetadata reads the first item of the answer: the forms of the avatar that can be shown, those whose
// bytes are in a node first. An item without any says that there is no avatar.
func ParseAvatarMetadata(payload *xmlstream.Element) (infos []AvatarInfo) {
	meta := payload.Child(nsPubSub, "items").Child(nsPubSub, "item").Child(nodeAvatarMetadata, "metadata")
	var elsewhere []AvatarInfo
	for _, el := range meta.Children() {
		id := strings.ToLower(el.Attr("id"))
		_, sound := isSHA1(id)
		if !el.Is(nodeAvatarMetadata, "info") || !sound || len(infos)+len(elsewhere) >= maxAvatarInfos {
			continue
		}
		if bytes, err := strconv.Atoi(el.Attr("bytes")); err == nil && bytes > MaxAvatar {
			continue
		}
		if link := el.Attr("url"); link == "" {
			infos = append(infos, AvatarInfo{ID: strings.Clone(id)})
		} else if u, err := url.Parse(link); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
			elsewhere = append(elsewhere, AvatarInfo{ID: strings.Clone(id), URL: strings.Clone(link)})
		}
	}
	return append(infos, elsewhere...)
}

// ParseAvatarData reads the bytes of an avatar; nil for what is none: other bytes than id names, more than
// MaxAvatar, or no picture of a type that is served.
func ParseAvatarData(payload *xmlstream.Element, id string) *perch.Photo {
	items := payload.Child(nsPubSub, "items")
	for _, item := range items.Children() {
		data := decodeBase64(item.Child(nodeAvatarData, "data").Text())
		if len(data) == 0 || len(data) > MaxAvatar || sniffPhoto(data) == "" {
			continue
		}
		if p := hashedPhoto(data); p.Hash == id {
			p.Type, p.Data = sniffPhoto(data), data
			return p
		}
	}
	return nil
}

// EncodeAvatarData publishes the bytes of an avatar (XEP-0084, 3.1), which its metadata follows.
func EncodeAvatarData(data []byte) ([]byte, error) {
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + nodeAvatarData + "'><item id='" + hashedPhoto(data).Hash + "'>")
	w.Raw("<data xmlns='" + nodeAvatarData + "'>")
	w.Base64(data)
	w.Raw("</data></item></publish></pubsub>")
	return w.Result()
}

// EncodeAvatarMetadata publishes what an avatar is (XEP-0084, 3.2), or without data that there is none (3.3).
func EncodeAvatarMetadata(data []byte) ([]byte, error) {
	var w writer
	w.Raw("<pubsub xmlns='" + nsPubSub + "'><publish node='" + nodeAvatarMetadata + "'>")
	if len(data) == 0 {
		w.Raw("<item><metadata xmlns='" + nodeAvatarMetadata + "'/></item></publish></pubsub>")
		return w.Result()
	}
	typ, hash := sniffPhoto(data), hashedPhoto(data).Hash
	if typ == "" {
		w.fail("/data", "a photo must be PNG, JPEG, GIF or WebP")
	}
	w.Raw("<item id='" + hash + "'><metadata xmlns='" + nodeAvatarMetadata + "'><info id='" + hash + "' type='" + typ + "' bytes='" + strconv.Itoa(len(data)) + "'/>")
	w.Raw("</metadata></item></publish></pubsub>")
	return w.Result()
}
