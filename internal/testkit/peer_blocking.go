package testkit

// Block has the server block an address for the peer's account (XEP-0191).
func (p *Peer) Block(t TB, jid string) {
	t.Helper()
	p.Do(t, "block", map[string]any{"jid": jid})
}

// Unblock is the opposite of Block.
func (p *Peer) Unblock(t TB, jid string) {
	t.Helper()
	p.Do(t, "unblock", map[string]any{"jid": jid})
}

// Blocked fetches whom the peer's account blocks. Some servers tell a client of changes only from then on.
func (p *Peer) Blocked(t TB) (list []string) {
	t.Helper()
	for _, item := range p.Do(t, "blocked", nil).Items {
		list = append(list, item.JID)
	}
	return list
}

// ExpectBlock waits until the server has reported a change of the block list: "block" or "unblock", and of
// whom.
func (p *Peer) ExpectBlock(t TB, change, jid string) {
	t.Helper()
	p.Expect(t, change+" of "+jid, func(e PeerEvent) bool {
		return e.Event == "blocked" && e.Type == change && len(e.Items) == 1 && e.Items[0].JID == jid
	})
}
