package xmppserver

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch"
)

// Available takes a resource's own presence (RFC 6121, 4.2 and 4.4), shows it to all who may see it,
// and sends what the resource has missed if it was not available before: then first is true. It
// returns the condition of a stanza error, or "".
func (d *Directory) Available(r *Resource, e *Element) (first bool, condition string) {
	priority := 0
	if p := strings.TrimSpace(e.Child(NSClient, "priority").Text()); p != "" {
		var err error
		if priority, err = strconv.Atoi(p); err != nil || priority < -128 || priority > 127 {
			return false, "bad-request"
		}
	}
	if _, ok := perch.ParseShow(strings.TrimSpace(e.Child(NSClient, "show").Text())); !ok {
		return false, "bad-request"
	}
	first = !r.Available
	r.Available, r.Priority = true, int8(priority)
	r.Presence = e.AppendKids(nil)
	d.Broadcast(r.Account, r.Full, "", r.Presence)
	if first {
		d.sendMissed(r)
	}
	if r.Priority >= 0 {
		r.FlushOffline()
	}
	return first, ""
}

// sendMissed sends a resource that has come online what it missed: the presence of its contacts, of
// its own other resources, and the requests that wait for an answer.
func (d *Directory) sendMissed(r *Resource) {
	for i := range r.Account.Roster {
		if k := &r.Account.Roster[i]; k.To && k.Account != nil && !d.hidden(r.Account, k.Account) {
			for _, other := range k.Account.Resources {
				if other.Available {
					r.Send(d.PresenceStanza(k.Account, other.Full, r.Account.Bare, "", other.Presence))
				}
			}
		}
	}
	for _, other := range r.Account.Resources {
		if other != r && other.Available {
			r.Send(d.PresenceStanza(r.Account, other.Full, r.Full, "", other.Presence))
		}
	}
	for _, p := range r.Account.Pending {
		r.Send(p.stanza(r.Account))
	}
}

// Unavailable ends a resource's presence. e is nil when the stream just ended.
func (d *Directory) Unavailable(r *Resource, e *Element) {
	r.Available, r.Presence = false, nil
	var inner []byte
	if e != nil {
		inner = e.AppendKids(nil)
		r.Send(d.PresenceStanza(r.Account, r.Full, r.Full, "unavailable", inner))
	}
	d.Broadcast(r.Account, r.Full, "unavailable", inner)
}

// Broadcast sends the presence of one resource to all who may see it, the account's own
// resources included (RFC 6121, 4.2.2).
func (d *Directory) Broadcast(a *Account, full, kind string, inner []byte) {
	for i := range a.Roster {
		if k := &a.Roster[i]; k.From && k.Account != nil && !d.hidden(a, k.Account) {
			k.Account.ToAvailable(func() []byte { return d.PresenceStanza(a, full, k.JID, kind, inner) })
		}
	}
	a.ToAvailable(func() []byte { return d.PresenceStanza(a, full, a.Bare, kind, inner) })
}

func (d *Directory) hidden(a, b *Account) bool { return d.Hidden != nil && d.Hidden(a, b) }

// ToAvailable sends to every available resource; the stanza is made only if there is one.
func (a *Account) ToAvailable(stanza func() []byte) {
	var b []byte
	for _, r := range a.Resources {
		if !r.Available || r.Send == nil {
			continue
		}
		if b == nil {
			b = stanza()
		}
		r.Send(b)
	}
}

// PresenceStanza makes a presence of a; a kind of "" is available.
func (d *Directory) PresenceStanza(a *Account, from, to, kind string, inner []byte) []byte {
	b := make([]byte, 0, 64+len(from)+len(to)+len(inner))
	b = AppendAttr(append(b, "<presence"...), "from", from)
	b = AppendAttr(b, "to", to)
	if kind != "" {
		b = AppendAttr(b, "type", kind)
	}
	b = append(append(b, '>'), inner...)
	if kind == "" && d.Decorate != nil {
		b = d.Decorate(a, b)
	}
	return append(b, "</presence>"...)
}

// PresenceInner writes what is inside of a presence that a service itself shows.
func PresenceInner(p perch.OwnPresence) []byte {
	b := AppendTag(nil, "show", p.Show.String())
	b = AppendTag(b, "status", p.Status)
	if p.Priority != 0 {
		b = AppendTag(b, "priority", strconv.Itoa(int(p.Priority)))
	}
	return b
}
