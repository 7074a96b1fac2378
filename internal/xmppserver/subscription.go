package xmppserver

import "slices"

// Subscribe is a's request to see the presence of another address (RFC 6121, 3.1). An address outside
// of the service goes into the roster too but never answers.
func (d *Directory) Subscribe(a *Account, to Address, nick, message string) {
	if to.Account == nil && !to.Foreign {
		return // RFC 6121, 8.5.1: looks like an account that does not answer
	}
	k := a.Ensure(to.Bare, to.Account)
	if k.To || k.Ask {
		return
	}
	k.Ask = true
	a.Push(k)
	b := to.Account
	if b == nil {
		return
	}
	// b already lets a see it, or accepts every request
	if back := b.Contact(a.Bare); (back != nil && back.From) || b.Accepts {
		d.grant(b, a)
		return
	}
	if nick == "" {
		nick = a.Nick
	}
	p := Pending{a, nick, message}
	if i := b.PendingFrom(a); i >= 0 {
		b.Pending[i] = p
	} else {
		b.Pending = append(b.Pending, p)
	}
	b.ToAvailable(func() []byte { return p.stanza(b) })
}

// stanza is the request as its receiver gets it, with the nickname (XEP-0172).
func (p Pending) stanza(to *Account) []byte {
	b := AppendAttr([]byte("<presence type='subscribe'"), "from", p.From.Bare)
	b = append(AppendAttr(b, "to", to.Bare), '>')
	b = AppendTag(b, "status", p.Message)
	if p.Nick != "" {
		b = append(b, "<nick xmlns='"+NSNick+"'>"...)
		b = append(AppendText(b, p.Nick), "</nick>"...)
	}
	return append(b, "</presence>"...)
}

// Accept answers a's pending request from b (3.1.5). Without a request it has no effect.
func (d *Directory) Accept(a, b *Account) {
	i := a.PendingFrom(b)
	if i < 0 {
		return
	}
	a.Pending = slices.Delete(a.Pending, i, i+1)
	d.grant(a, b)
}

// grant lets b see the presence of a: both rosters change, and b gets the news and then
// the presence.
func (d *Directory) grant(a, b *Account) {
	k := a.Ensure(b.Bare, b)
	if !k.From {
		k.From = true
		a.Push(k)
	}
	back := b.Ensure(a.Bare, a)
	back.Ask, back.To = false, true
	b.toInterested(func() []byte { return subscriptionStanza("subscribed", a, b) })
	b.Push(back)
	for _, r := range a.Resources {
		if r.Available && !d.hidden(a, b) {
			b.ToAvailable(func() []byte { return d.PresenceStanza(a, r.Full, b.Bare, "", r.Presence) })
		}
	}
}

// Decline refuses a's pending request from b, and reports whether there was one (3.2).
func (d *Directory) Decline(a, b *Account) bool {
	i := a.PendingFrom(b)
	if i < 0 {
		return false
	}
	a.Pending = slices.Delete(a.Pending, i, i+1)
	if back := b.Contact(a.Bare); back != nil && back.Ask {
		back.Ask = false
		b.toInterested(func() []byte { return subscriptionStanza("unsubscribed", a, b) })
		b.Push(back)
	}
	return true
}

// TakeBack ends a's own unanswered request (3.3). The contact stays in the roster.
func (d *Directory) TakeBack(a *Account, k *Contact) {
	k.Ask = false
	a.Push(k)
	if b := k.Account; b != nil {
		if i := b.PendingFrom(a); i >= 0 {
			b.Pending = slices.Delete(b.Pending, i, i+1)
			b.toInterested(func() []byte { return subscriptionStanza("unsubscribe", a, b) })
		}
	}
}

// Unsubscribed declines b's request, or ends that b sees the presence of a (3.2).
func (d *Directory) Unsubscribed(a, b *Account) {
	if !d.Decline(a, b) {
		d.cancel(a, b)
	}
}

// cancel ends that b sees the presence of a.
func (d *Directory) cancel(a, b *Account) {
	k := a.Contact(b.Bare)
	if k == nil || !k.From {
		return
	}
	d.hide(a, b)
	k.From = false
	a.Push(k)
	back := b.Ensure(a.Bare, a)
	back.To, back.Ask = false, false
	b.toInterested(func() []byte { return subscriptionStanza("unsubscribed", a, b) })
	b.Push(back)
}

// Unsubscribe ends that a sees the presence of an address, or its request to (3.3).
func (d *Directory) Unsubscribe(a *Account, to Address) {
	k := a.Contact(to.Bare)
	switch {
	case k == nil:
	case !k.To && k.Ask:
		d.TakeBack(a, k)
	case k.To && k.Account != nil:
		d.unsubscribe(a, k.Account)
	}
}

// unsubscribe ends that a sees the presence of b.
func (d *Directory) unsubscribe(a, b *Account) {
	k := a.Contact(b.Bare)
	if k == nil || !k.To {
		if k != nil && k.Ask {
			d.TakeBack(a, k)
		}
		return
	}
	k.To, k.Ask = false, false
	a.Push(k)
	back := b.Ensure(a.Bare, a)
	back.From = false
	b.toInterested(func() []byte { return subscriptionStanza("unsubscribe", a, b) })
	b.Push(back)
	d.hide(b, a)
}

// hide shows b that the resources of a are unavailable: it sees them no more.
func (d *Directory) hide(a, b *Account) {
	for _, r := range a.Resources {
		if r.Available {
			b.ToAvailable(func() []byte { return d.PresenceStanza(a, r.Full, b.Bare, "unavailable", nil) })
		}
	}
}

func subscriptionStanza(kind string, from, to *Account) []byte {
	b := AppendAttr([]byte("<presence"), "type", kind)
	b = AppendAttr(b, "from", from.Bare)
	return append(AppendAttr(b, "to", to.Bare), "/>"...)
}
