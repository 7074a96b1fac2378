package today

import "github.com/perch-im/perch/internal/xmppserver"

// discoNode answers for a node of an account that the one that asks may read (XEP-0060, 5.3).
func discoNode(r *request) {
	a := r.s.of(r.to)
	if a == nil {
		r.fail("item-not-found")
		return
	}
	n := a.pep.nodes[r.payload.Get("node")]
	if n == nil || !a.shows(n, r.from.acct) {
		r.fail("item-not-found")
		return
	}
	b := xmppserver.AppendAttr([]byte("<query xmlns='"+xmppserver.NSInfo+"'"), "node", n.name)
	b = append(b, "><identity category='pubsub' type='leaf'/><feature var='"+nsPubSub+"'/></query>"...)
	r.result(b)
}

// discoNodes lists the nodes of an account that the one that asks may read (5.2), or the items of one of
// them (5.5).
func discoNodes(r *request) {
	a := r.s.of(r.to)
	name := r.payload.Get("node")
	b := []byte("<query xmlns='" + nsItems + "'")
	if name != "" {
		n := a.pep.nodes[name]
		if n == nil || !a.shows(n, r.from.acct) {
			r.fail("item-not-found")
			return
		}
		b = append(xmppserver.AppendAttr(b, "node", name), '>')
		for i := range n.items {
			b = appendDiscoItem(b, a.Bare, "name", n.items[i].id)
		}
		r.result(append(b, "</query>"...))
		return
	}
	if !r.s.mayDiscover(r) {
		r.fail("service-unavailable") // XEP-0030, 8
		return
	}
	b = append(b, '>')
	for _, n := range a.readableNodes(r.from.acct) {
		b = appendDiscoItem(b, a.Bare, "node", n.name)
	}
	r.result(append(b, "</query>"...))
}

func appendDiscoItem(b []byte, bare, attr, value string) []byte {
	b = xmppserver.AppendAttr(append(b, "<item"...), "jid", bare)
	return append(xmppserver.AppendAttr(b, attr, value), "/>"...)
}
