package testkit

// SetNick publishes a nickname as the peer's own (XEP-0172, 4.5); "" takes it back.
func (p *Peer) SetNick(t TB, nick string) {
	t.Helper()
	p.Do(t, "nick_set", map[string]any{"nick": nick})
}

// Nick fetches what an account has published as its nickname (XEP-0172), and the nickname of its card (XEP-0054).
func (p *Peer) Nick(t TB, jid string) (nick, card string) {
	t.Helper()
	items := p.Do(t, "nick_get", map[string]any{"jid": jid}).Items
	if len(items) != 2 {
		t.Fatalf("got %+v of %s, want a nickname and that of a card", items, jid)
	}
	return items[0].Body, items[1].Body
}
