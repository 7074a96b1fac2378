package stanza

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// presenceBox is a presence and what it points to, in one piece of memory: presences are
// most of what arrives.
type presenceBox struct {
	perch.PresenceIn
	hash string
	in   [1]perch.Inbound
}

// presence decodes a presence (RFC 6121, 4), a subscription stanza (3) or an error
// (4.3.2.1). Probes are for servers only: it returns nil.
func (r decoder) presence(el *xmlstream.Borrowed) []perch.Inbound {
	switch typ := el.Attr("type"); typ.Peek() {
	case "":
		return r.availability(el, true)
	case "unavailable":
		return r.availability(el, false)
	case "error":
		return []perch.Inbound{r.presenceError(el)}
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return []perch.Inbound{&perch.SubscriptionIn{
			From: sender(el, r.self).Bare(), Type: typ.Copy(), Nick: nickOf(el), Message: r.preferred(el, "status").Copy(),
		}}
	}
	return nil
}

func (r decoder) availability(el *xmlstream.Borrowed, available bool) []perch.Inbound {
	said := presenceRead{available: available}
	said.read(el)
	if said.several {
		said.text = r.preferred(el, "status")
	}
	if said.delayed {
		said.delay = delayOf(el, r.now)
	}
	if said.room != nil && !peekSender(el, r.self).IsBare() {
		return r.occupant(el, &said)
	}
	p := &presenceBox{}
	var t texts
	t.grow(el.Attr("from"), said.text, said.photo.hash)
	p.From = t.sender(el, r.self)
	said.copyInto(&p.PresenceIn, &p.hash, &t)
	p.in[0] = &p.PresenceIn
	return p.in[:]
}

// presenceRead is what the children of a presence say, while it lies in the buffer.
type presenceRead struct {
	available, several, delayed bool // several: there is more than one status
	show                        perch.Show
	priority                    int8
	text                        xmlstream.Text // of the status
	photo                       photoHash
	delay                       *perch.Delay
	room                        *xmlstream.Borrowed // what a room says of its occupant
	occupantID                  xmlstream.Text
}

func (p *presenceRead) read(el *xmlstream.Borrowed) {
	var status *xmlstream.Borrowed
	for c := range el.Children() {
		switch {
		case c.Is(nsClient, "show") && p.available:
			p.show = parseShow(c.Text().Peek())
		case c.Is(nsClient, "status"):
			p.several, status = status != nil, c
		case c.Is(nsClient, "priority") && p.available:
			p.priority = parsePriority(c.Text().Peek())
		case c.Is(nsVCardUpd, "x"):
			p.photo.read(c)
		case c.Is(nsDelay, "delay") || c.Is(nsDelayOld, "x"):
			p.delayed = true
		case c.Is(nsMUCUser, "x"):
			p.room = c
		case c.Is(nsOccupantID, "occupant-id"):
			p.occupantID = c.Attr("id")
		}
	}
	p.text = status.Text()
}

// copyInto sets all of a presence but From. Its texts are in t, which has room for them, and the hash
// of the photo is kept where the caller says.
func (p *presenceRead) copyInto(in *perch.PresenceIn, hash *string, t *texts) {
	in.Available, in.Show, in.Priority, in.Status = p.available, p.show, p.priority, t.copy(p.text)
	if p.delay != nil {
		in.Delay, in.Delayed = p.delay.Stamp, true
	}
	if p.photo.said {
		if *hash = t.copy(p.photo.hash); p.photo.capitals {
			*hash = strings.ToLower(*hash)
		}
		in.PhotoHash = hash
	}
}

// photoHash is XEP-0153: nothing is said when the sender says nothing about a photo, and the hash
// is "" when there is none. A hash that is not SHA-1 in hex says nothing either.
type photoHash struct {
	hash     xmlstream.Text
	said     bool
	capitals bool // among its letters
}

func (h *photoHash) read(update *xmlstream.Borrowed) {
	photo := update.Child(nsVCardUpd, "photo")
	if photo == nil {
		return
	}
	hash := photo.InnerText()
	if capitals, ok := isSHA1(hash.Peek()); ok || hash.Empty() {
		h.hash, h.said, h.capitals = hash, true, capitals
	}
}

// parseShow takes what is not one of the four values for plainly available.
func parseShow(s string) perch.Show {
	show, _ := perch.ParseShow(strings.TrimSpace(s))
	return show
}

// parsePriority is 0 for anything but an integer from -128 to 127 (RFC 6121, 4.7.2.3).
func parsePriority(s string) int8 {
	if len(s) == 1 && s[0] >= '0' && s[0] <= '9' {
		return int8(s[0] - '0')
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 8)
	if err != nil {
		return 0
	}
	return int8(n)
}

// hexDigits has a bit for each kind of digit.
var hexDigits = func() (t [256]uint8) {
	for c := range t {
		switch {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f':
			t[c] = 1
		case 'A' <= c && c <= 'F':
			t[c] = 2
		default:
			t[c] = 4
		}
	}
	return t
}()

// isSHA1 reports whether s is 40 digits, and whether some of them are capitals.
func isSHA1(s string) (capitals, ok bool) {
	if len(s) != 40 {
		return false, false
	}
	even, odd := uint8(0), uint8(0) // two chains, which do not wait for each other
	for i := 0; i < 40; i += 2 {
		even |= hexDigits[s[i]]
		odd |= hexDigits[s[i+1]]
	}
	kinds := even | odd
	return kinds&2 != 0, kinds < 4
}

// appendPresenceOut writes the own presence, with what this client can do if caps says so.
func appendPresenceOut(w *writer, p *perch.PresenceOut, caps bool) {
	if !p.Show.Valid() {
		w.fail("/show", "%q is not one of away, chat, dnd, xa", p.Show.String())
		return
	}
	if !p.Available {
		w.Raw("<presence type='unavailable'>")
		w.Element("/status", "status", p.Status)
		w.Raw("</presence>")
		return
	}
	w.Raw("<presence>")
	w.availability(&p.OwnPresence)
	if caps {
		w.caps()
	}
	w.Raw("</presence>")
}

// availability writes what says that the account is available.
func (w *writer) availability(p *perch.OwnPresence) {
	w.Element("/show", "show", p.Show.String())
	w.Element("/status", "status", p.Status)
	if p.Priority != 0 {
		w.Raw("<priority>")
		w.Int(int64(p.Priority))
		w.Raw("</priority>")
	}
}

// probe asks for the presence of an account (RFC 6121, 4.3).
func (w *writer) probe(p *perch.ProbeOut) {
	w.Raw("<presence")
	w.to(p.To.Bare())
	w.Raw(" type='probe'/>")
}

// appendSubscriptionOut writes a subscription stanza, always to the bare JID (RFC 6121, 3).
func appendSubscriptionOut(w *writer, s *perch.SubscriptionOut) {
	switch s.Type {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
	default:
		w.fail("/type", "%q is not a subscription type", s.Type)
		return
	}
	w.Raw("<presence")
	w.to(s.To.Bare())
	w.Raw(" type='" + s.Type + "'>")
	w.Element("/message", "status", s.Message)
	w.nick(s.Nick)
	w.Raw("</presence>")
}
