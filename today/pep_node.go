package today

import (
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// Bounds of the nodes of one account. Over the items that a node may have, the oldest goes; over the
// others, what would be published is refused.
const (
	maxNodes     = 100
	maxNodeItems = 256 // what "max" is
	maxNodeBytes = 4 << 20
	maxNodeName  = 1023
	maxItemID    = 1023
)

// pep are the nodes of one account; guarded by Service.mu. Its zero value has none.
type pep struct {
	nodes map[string]*node
	bytes int // of the items, as item.bytes counts them
}

// node is one of them. Its items are the oldest first.
type node struct {
	name   string
	config nodeConfig
	items  []item
}

// item is what has been published under an id.
type item struct {
	id      string
	payload *xmppserver.Element // never changed
	bytes   int                 // what it counts for
}

func newItem(id string, payload *xmppserver.Element) item {
	return item{id, payload, 64 + len(id) + len(payload.Append(nil, ""))}
}

// index of the item with an id, or -1.
func (n *node) index(id string) int {
	return slices.IndexFunc(n.items, func(i item) bool { return i.id == id })
}

// create makes a node, or returns nil when there are too many.
func (p *pep) create(name string, c nodeConfig) *node {
	if len(p.nodes) >= maxNodes {
		return nil
	}
	if p.nodes == nil {
		p.nodes = make(map[string]*node)
	}
	n := &node{name: name, config: c}
	p.nodes[name] = n
	return n
}

// put stores an item, in place of one with the same id, as the newest one. It reports false, and stores
// nothing, when the account has no room for it.
func (p *pep) put(n *node, i item) bool {
	more := i.bytes
	old := n.index(i.id)
	if old >= 0 {
		more -= n.items[old].bytes
	}
	if p.bytes+more > maxNodeBytes {
		return false
	}
	p.bytes += more
	if old >= 0 {
		n.items = slices.Delete(n.items, old, old+1)
	}
	n.items = append(n.items, i)
	p.trim(n)
	return true
}

// trim keeps as many items as the node may have.
func (p *pep) trim(n *node) {
	most := n.config.maxItems
	if !n.config.persist {
		most = 0
	}
	for len(n.items) > most {
		p.remove(n, 0)
	}
}

// remove takes away the item at an index.
func (p *pep) remove(n *node, at int) {
	p.bytes -= n.items[at].bytes
	n.items = slices.Delete(n.items, at, at+1)
}

// empty takes away all items of a node.
func (p *pep) empty(n *node) {
	for len(n.items) > 0 {
		p.remove(n, len(n.items)-1)
	}
}

// drop takes away a node.
func (p *pep) drop(n *node) {
	p.empty(n)
	delete(p.nodes, n.name)
}

// appendNodeItem writes an item inside of an element whose namespace is ns.
func appendNodeItem(b []byte, i *item, ns string) []byte {
	b = append(xmppserver.AppendAttr(append(b, "<item"...), "id", i.id), '>')
	return append(i.payload.Append(b, ns), "</item>"...)
}
