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
		return []perch.Inbound{&perch.PresenceError{From: sender(el, r.self), Error: *parseStanzaError(el)}}
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return []perch.Inbound{&perch.SubscriptionIn{
			From: sender(el, r.self).Bare(), Type: typ.Copy(), Nick: nickOf(el), Message: r.preferred(el, "status").Copy(),
		}}
	}
	return nil
}

func (r decoder) availability(el *xmlstream.Borrowed, available bool) []perch.Inbound {
	p := &presenceBox{PresenceIn: perch.PresenceIn{From: sender(el, r.self), Available: available}}
	status, delayed := false, false
	for c := range el.Children() {
		switch {
		case c.Is(nsClient, "show") && available:
			p.Show = parseShow(c.Text().Peek())
		case c.Is(nsClient, "status"):
			status = true
		case c.Is(nsClient, "priority") && available:
			p.Priority = parsePriority(c.Text().Peek())
		case c.Is(nsVCardUpd, "x"):
			p.photo(c)
		case c.Is(nsDelay, "delay") || c.Is(nsDelayOld, "x"):
			delayed = true
		}
	}
	if delayed {
		if d := delayOf(el, r.now); d != nil {
			p.Delay, p.Delayed = d.Stamp, true
		}
	}
	if status {
		p.Status = r.preferred(el, "status").Copy()
	}
	p.in[0] = &p.PresenceIn
	return p.in[:]
}

// photo reads XEP-0153: the hash stays nil when the sender says nothing about a photo, and
// is "" when there is none. A hash that is not SHA-1 in hex says nothing either.
func (p *presenceBox) photo(x *xmlstream.Borrowed) {
	photo := x.Child(nsVCardUpd, "photo")
	if photo == nil {
		return
	}
	hash := photo.InnerText()
	if !hash.Empty() && !isSHA1(hash.Peek()) {
		return
	}
	p.hash = strings.ToLower(hash.Copy())
	p.PhotoHash = &p.hash
}

// parseShow takes what is not one of the four values for plainly available.
func parseShow(s string) perch.Show {
	show, _ := perch.ParseShow(strings.TrimSpace(s))
	return show
}

// parsePriority is 0 for anything but an integer from -128 to 127 (RFC 6121, 4.7.2.3).
func parsePriority(s string) int8 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 8)
	if err != nil {
		return 0
	}
	return int8(n)
}

func isSHA1(s string) bool {
	if len(s) != 40 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func appendPresenceOut(w *writer, p *perch.PresenceOut) {
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
	w.Element("/show", "show", p.Show.String())
	w.Element("/status", "status", p.Status)
	if p.Priority != 0 {
		w.Raw("<priority>")
		w.Int(int64(p.Priority))
		w.Raw("</priority>")
	}
	w.Raw("</presence>")
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
