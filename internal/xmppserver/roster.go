package xmppserver

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

// AppendRoster writes the whole roster as the payload of an answer (RFC 6121, 2.1.3). The resource
// that asked gets pushes once it is Interested.
func (a *Account) AppendRoster(b []byte) []byte {
	b = append(b, "<query xmlns='"+NSRoster+"'>"...)
	for i := range a.Roster {
		b = a.Roster[i].append(b)
	}
	return append(b, "</query>"...)
}

// Groups of a roster item, sorted, each once.
func (e *Element) Groups() []string {
	var g []string
	for _, k := range e.Elements() {
		if k.Name.Local == "group" && k.Name.Space == NSRoster {
			g = append(g, strings.TrimSpace(k.Text()))
		}
	}
	slices.Sort(g)
	return slices.Compact(g)
}

func (k *Contact) append(b []byte) []byte {
	b = AppendAttr(append(b, "<item"...), "jid", k.JID)
	b = AppendAttr(b, "subscription", k.Subscription().String())
	if k.Name != "" {
		b = AppendAttr(b, "name", k.Name)
	}
	if k.Ask {
		b = append(b, " ask='subscribe'"...)
	}
	b = append(b, '>')
	for _, g := range k.Groups {
		b = AppendTag(b, "group", g)
	}
	return append(b, "</item>"...)
}

// SetContact adds a roster item or changes its name and groups, and pushes it (RFC 6121, 2.3).
func (d *Directory) SetContact(a *Account, at Address, name string, groups []string) {
	k := a.Ensure(at.Bare, at.Account)
	k.Name, k.Groups, k.Added = name, groups, true
	a.Push(k)
}

// RemoveContact removes a roster item, ends both subscriptions, and pushes that it is gone
// (RFC 6121, 2.5). It reports whether there was one.
func (d *Directory) RemoveContact(a *Account, bare string) bool {
	k := a.Contact(bare)
	if k == nil {
		return false
	}
	if k.Account != nil {
		if k.To || k.Ask {
			d.unsubscribe(a, k.Account)
		}
		if k := a.Contact(bare); k != nil && k.From {
			d.cancel(a, k.Account)
		}
	}
	i, _ := a.search(bare)
	a.Roster = slices.Delete(a.Roster, i, i+1)
	item := AppendAttr([]byte("<item"), "jid", bare)
	a.pushItem(append(item, " subscription='remove'/>"...))
	return true
}

// Push notifies the account's resources of a changed item (RFC 6121, 2.1.6).
func (a *Account) Push(k *Contact) { a.pushItem(k.append(nil)) }

func (a *Account) pushItem(item []byte) {
	for _, r := range a.Resources {
		if !r.Interested {
			continue
		}
		id := make([]byte, 8)
		rand.Read(id) // never fails
		b := AppendAttr([]byte("<iq type='set'"), "id", "push-"+hex.EncodeToString(id))
		b = append(AppendAttr(b, "to", r.Full), "><query xmlns='"+NSRoster+"'>"...)
		r.Send(append(append(b, item...), "</query></iq>"...))
	}
}

// toInterested sends to the resources that have fetched the roster (RFC 6121, 3.1.6).
func (a *Account) toInterested(stanza func() []byte) {
	for _, r := range a.Resources {
		if r.Interested {
			r.Send(stanza())
		}
	}
}
