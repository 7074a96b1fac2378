package xmppconn

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch"
)

// presenceBox is a presence and what it points to, in one piece of memory: presences are
// most of what arrives.
type presenceBox struct {
	perch.PresenceIn
	hash string
	in   [1]perch.Inbound
}

// decodePresence decodes a presence (RFC 6121, 4), a subscription stanza (3) or an error
// (4.3.2.1). Probes are for servers only: it returns nil.
func decodePresence(el *element, r reading) []perch.Inbound {
	switch typ := el.attr("type"); typ {
	case "":
		return availability(el, r, true)
	case "unavailable":
		return availability(el, r, false)
	case "error":
		return []perch.Inbound{&perch.PresenceError{From: sender(el, r.self), Error: *parseStanzaError(el)}}
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return []perch.Inbound{&perch.SubscriptionIn{
			From: sender(el, r.self).Bare(), Type: keep(typ), Nick: nickOf(el), Message: keep(r.preferred(el, "status")),
		}}
	}
	return nil
}

func availability(el *element, r reading, available bool) []perch.Inbound {
	p := &presenceBox{PresenceIn: perch.PresenceIn{From: sender(el, r.self), Available: available}}
	status, delayed := false, false
	for _, c := range el.children {
		switch {
		case c.is(nsClient, "show") && available:
			p.Show = parseShow(c.text)
		case c.is(nsClient, "status"):
			status = true
		case c.is(nsClient, "priority") && available:
			p.Priority = parsePriority(c.text)
		case c.is(nsVCardUpd, "x"):
			p.photo(c)
		case c.is(nsDelay, "delay") || c.is(nsDelayOld, "x"):
			delayed = true
		}
	}
	if delayed {
		if d := delayOf(el, r.now); d != nil {
			p.Delay, p.Delayed = d.Stamp, true
		}
	}
	if status {
		p.Status = keep(r.preferred(el, "status"))
	}
	p.in[0] = &p.PresenceIn
	return p.in[:]
}

// photo reads XEP-0153: the hash stays nil when the sender says nothing about a photo, and
// is "" when there is none. A hash that is not SHA-1 in hex says nothing either.
func (p *presenceBox) photo(x *element) {
	photo := x.child(nsVCardUpd, "photo")
	if photo == nil {
		return
	}
	hash := photo.innerText()
	if hash != "" && !isSHA1(hash) {
		return
	}
	p.hash = keep(strings.ToLower(hash))
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
		w.fail("/show", "%q is none of away, chat, dnd, xa", p.Show.String())
		return
	}
	if !p.Available {
		w.raw("<presence type='unavailable'>")
		w.element("/status", "status", p.Status)
		w.raw("</presence>")
		return
	}
	w.raw("<presence>")
	w.element("/show", "show", p.Show.String())
	w.element("/status", "status", p.Status)
	if p.Priority != 0 {
		w.raw("<priority>")
		w.int(int64(p.Priority))
		w.raw("</priority>")
	}
	w.raw("</presence>")
}

// appendSubscriptionOut writes a subscription stanza, always to the bare JID (RFC 6121, 3).
func appendSubscriptionOut(w *writer, s *perch.SubscriptionOut) {
	switch s.Type {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
	default:
		w.fail("/type", "%q is no subscription", s.Type)
		return
	}
	w.raw("<presence")
	w.to(s.To.Bare())
	w.raw(" type='" + s.Type + "'>")
	w.element("/message", "status", s.Message)
	w.nick(s.Nick)
	w.raw("</presence>")
}
