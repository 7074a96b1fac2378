package today

import (
	"maps"
	"slices"
	"strconv"

	"github.com/perch-im/perch/internal/xmppserver"
)

// pepItems answers with items of a node (XEP-0060, 6.5): those that are named, or the newest ones, the
// oldest of them first.
func pepItems(r *request, e *xmppserver.Element) {
	a := r.s.of(r.to)
	n := r.readableNode(a, e.Get("node"))
	if n == nil {
		return
	}
	items, condition := n.wanted(e)
	if condition != "" {
		r.fail(condition)
		return
	}
	b := xmppserver.AppendAttr([]byte("<pubsub xmlns='"+nsPubSub+"'><items"), "node", n.name)
	b = append(b, '>')
	for i := range items {
		b = appendNodeItem(b, &items[i], nsPubSub)
	}
	r.result(append(b, "</items></pubsub>"...))
}

// readableNode is a node that the account that asks may read; if there is none, it has been answered.
func (r *request) readableNode(a *account, name string) *node {
	n := a.pep.nodes[name]
	switch {
	case name == "":
		r.failPubSub("bad-request", "nodeid-required")
	case n == nil:
		r.fail("item-not-found")
	case a.shows(n, r.from.acct):
		return n
	case n.config.access == accessPresence:
		r.failPubSub("not-authorized", "presence-subscription-required")
	default:
		r.failPubSub("not-allowed", "closed-node")
	}
	return nil
}

// shows reports whether another account may read a node of a.
func (a *account) shows(n *node, to *account) bool {
	if to == a {
		return true
	}
	switch n.config.access {
	case accessOpen:
		return true
	case accessPresence:
		k := a.Contact(to.Bare)
		return k != nil && k.From
	}
	return false
}

// maxItemsBytes bounds an answer: the queue of a connection has room for it.
const maxItemsBytes = 512 << 10

// wanted are the items that a request names, those there are; or the newest ones.
func (n *node) wanted(e *xmppserver.Element) (list []item, condition string) {
	bytes := 0
	fits := func(i int) bool {
		bytes += n.items[i].bytes
		return bytes <= maxItemsBytes
	}
	if named := e.Elements(); len(named) > 0 {
		for _, k := range named {
			if i := n.index(k.Get("id")); i >= 0 && fits(i) {
				list = append(list, n.items[i])
			}
		}
		return list, ""
	}
	most := len(n.items)
	if text := e.Get("max_items"); text != "" {
		max, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, "bad-request"
		}
		most = min(most, int(max))
	}
	from := len(n.items)
	for from > len(n.items)-most && fits(from-1) {
		from--
	}
	return n.items[from:], ""
}

// readableNodes are those of a that another account may read, by name.
func (a *account) readableNodes(to *account) []*node {
	var list []*node
	for _, name := range slices.Sorted(maps.Keys(a.pep.nodes)) {
		if n := a.pep.nodes[name]; a.shows(n, to) {
			list = append(list, n)
		}
	}
	return list
}
