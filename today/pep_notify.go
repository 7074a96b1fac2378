package today

import "github.com/perch-im/perch/internal/xmppserver"

// notifyItems tells those who want it what is new in a node (XEP-0060, 7.1.2); items are elements.
func (s *Service) notifyItems(a *account, n *node, items []byte) { s.notify(a, n, "items", items) }

// notify sends an event of a node to those sessions of the account, and of contacts that may read it,
// whose caps name the node with +notify (XEP-0163, 4).
func (s *Service) notify(a *account, n *node, what string, inner []byte) {
	event := eventOf(n, what, inner)
	for _, x := range a.sessions {
		x.event(a, n, event)
	}
	for i := range a.Roster {
		b := s.of(xmppserver.Address{Account: a.Roster[i].Account})
		if b == nil || b == a || !a.shows(n, b) || s.blocks(a, b.Bare) {
			continue
		}
		for _, x := range b.sessions {
			x.event(a, n, event)
		}
	}
}

func eventOf(n *node, what string, inner []byte) []byte {
	b := append([]byte("<event xmlns='"+nsPubSubEvent+"'><"), what...)
	b = append(xmppserver.AppendAttr(b, "node", n.name), '>')
	b = append(append(b, inner...), "</"...)
	return append(append(b, what...), "></event></message>"...)
}

// event sends an event of a node of a, if the session wants it.
func (x *session) event(a *account, n *node, event []byte) {
	if !x.Available || !x.caps.wants[n.name] {
		return
	}
	b := xmppserver.AppendAttr([]byte("<message type='headline'"), "id", xmppserver.NewID())
	b = xmppserver.AppendAttr(b, "from", a.Bare)
	b = append(xmppserver.AppendAttr(b, "to", x.Full), '>')
	x.Send(append(b, event...))
}

// sendLast sends a session the last items of what it wants to know, of its own account and of those
// whose presence it sees (XEP-0163, 4.3.4).
func (s *Service) sendLast(x *session) {
	s.sendLastOf(x.acct, x)
	for i := range x.acct.Roster {
		if k := &x.acct.Roster[i]; k.To {
			if b := s.of(xmppserver.Address{Account: k.Account}); b != nil && b != x.acct {
				s.sendLastOf(b, x)
			}
		}
	}
}

// sendLastOf is sendLast for the nodes of one account.
func (s *Service) sendLastOf(a *account, x *session) {
	if len(x.caps.wants) == 0 || len(a.pep.nodes) == 0 || s.blocks(a, x.acct.Bare) {
		return
	}
	for _, n := range a.readableNodes(x.acct) {
		if last := len(n.items) - 1; last >= 0 && n.config.sendLast == sendOnPresence {
			x.event(a, n, eventOf(n, "items", appendNodeItem(nil, &n.items[last], nsPubSubEvent)))
		}
	}
}
