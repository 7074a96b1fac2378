package contacts

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// A contact is encoded alike in a chunk and in a row:
//
//	octet   subscription, ask, approved, mutual; and in a chunk sharedDomain and sharedGroups, in
//	        a row its version
//	octet   what of the rest there is
//	text    in a chunk: the key, without the domain if that is shared
//	text    the JID, if it is not its own key
//	text    name
//	texts   groups, unless they are shared
//	text    name in the vCard
//	text    in a chunk: nickname
//	text    photo hash, the hex of it in half as many bytes
//	        presence, see presence.go
//
// A text has its length before it, as a varint.

// The first octet.
const (
	subscriptions = 0x07
	asking        = 0x08
	approved      = 0x10
	mutual        = 0x20

	sharedDomain = 0x40 // the domain is that of the chunk
	sharedGroups = 0x80 // the groups are those of the chunk

	rowVersion  = 0x80 // the version of a row: what begins with another one is no row
	rowVersions = 0xc0
)

// The second octet.
const (
	spelled     = 0x01
	cardName    = 0x02
	photoHex    = 0x04
	photoText   = 0x08
	groupCount  = 0x30 // 0 to 2, or 3: the number follows
	hasPresence = 0x40
	nickname    = 0x80 // in a chunk
)

// head is what the contacts of a chunk share. A row has none of it.
type head struct {
	domain string // with the @ before it
	groups string // as appendGroups writes them, with their number
}

// appendBody encodes a contact; h is nil in a row.
func appendBody(dst []byte, c *Contact, key perch.JID, h *head) []byte {
	b := &c.Buddy
	first := bit(b.Ask == perch.AskSubscribe, asking) | bit(b.Approved, approved) | bit(b.Mutual, mutual)
	if b.Subscription <= perch.SubscriptionRemove {
		first |= byte(b.Subscription)
	}
	second := bit(b.JID != key, spelled) | bit(c.CardName != "", cardName) | bit(c.Presence != nil, hasPresence)
	switch {
	case c.Photo == "":
	case packed.IsHex(c.Photo):
		second |= photoHex
	default:
		second |= photoText
	}
	local, grouped := string(key), true
	if h == nil {
		first |= rowVersion
	} else {
		second |= bit(c.Nick != "", nickname)
		if cut, ok := strings.CutSuffix(local, h.domain); ok && h.domain != "" {
			local, first = cut, first|sharedDomain
		}
		if h.shares(b.Groups) {
			grouped, first = false, first|sharedGroups
		}
	}
	if grouped {
		second |= byte(min(len(b.Groups), 3)) << 4
	}
	dst = append(dst, first, second)
	if h != nil {
		dst = packed.AppendText(dst, local)
	}
	if b.JID != key {
		dst = packed.AppendText(dst, b.JID)
	}
	dst = packed.AppendText(dst, b.Name)
	if grouped {
		if len(b.Groups) > 2 {
			dst = binary.AppendUvarint(dst, uint64(len(b.Groups)))
		}
		dst = appendTexts(dst, b.Groups)
	}
	if c.CardName != "" {
		dst = packed.AppendText(dst, c.CardName)
	}
	if second&nickname != 0 {
		dst = packed.AppendText(dst, c.Nick)
	}
	switch {
	case second&photoHex != 0:
		dst = packed.AppendHex(binary.AppendUvarint(dst, uint64(len(c.Photo)/2)), c.Photo)
	case second&photoText != 0:
		dst = packed.AppendText(dst, c.Photo)
	}
	if c.Presence != nil {
		dst = appendPresence(dst, c.Presence)
	}
	return dst
}

func bit(is bool, b byte) byte {
	if is {
		return b
	}
	return 0
}

func appendTexts(dst []byte, list []string) []byte {
	for _, s := range list {
		dst = packed.AppendText(dst, s)
	}
	return dst
}

func appendGroups(dst []byte, list []string) []byte {
	return appendTexts(binary.AppendUvarint(dst, uint64(len(list))), list)
}

// shares reports whether these are the groups of the chunk.
func (h *head) shares(list []string) bool {
	r := packed.Read(h.groups)
	if r.Number() != uint64(len(list)) {
		return false
	}
	for _, g := range list {
		if r.Text() != g {
			return false
		}
	}
	return !r.Bad()
}

// decodeBody reads a contact, all but its JID. In a row h is nil, and the key is read already
// where there is one.
func (m *maker) decodeBody(r *packed.Reader, c *Contact, first, second byte, h *head) {
	b := &c.Buddy
	b.Subscription = perch.Subscription(first & subscriptions)
	b.Ask, b.Approved, b.Mutual = perch.AskNone, first&approved != 0, first&mutual != 0
	if first&asking != 0 {
		b.Ask = perch.AskSubscribe
	}
	if b.Subscription > perch.SubscriptionRemove || h == nil && second&nickname != 0 {
		r.Fail()
	}
	b.Name = r.Text()
	if h != nil && first&sharedGroups != 0 {
		shared := packed.Read(h.groups)
		b.Groups = m.texts(&shared, shared.Count(1))
	} else {
		n := int(second & groupCount >> 4)
		if n == 3 {
			n = r.Count(1)
		}
		b.Groups = m.texts(r, n)
	}
	if c.CardName = ""; second&cardName != 0 {
		c.CardName = r.Text()
	}
	if c.Nick = ""; second&nickname != 0 {
		c.Nick = r.Text()
	}
	switch c.Photo = ""; second & (photoHex | photoText) {
	case photoHex:
		c.Photo = hex.EncodeToString([]byte(r.Text()))
	case photoText:
		c.Photo = r.Text()
	case photoHex | photoText:
		r.Fail()
	}
	if c.Presence = nil; second&hasPresence != 0 {
		c.Presence = m.presence(r, b.JID)
	}
}
