package today

import "github.com/perch-im/perch/internal/xmppserver"

// pepPublish stores an item and notifies (XEP-0060, 7.1), in a node that is made when there is none
// (XEP-0163, 3).
func pepPublish(r *request, e *xmppserver.Element) {
	i, ok := r.published(e)
	if !ok {
		return
	}
	options, ok := publishOptions(r.payload)
	if !ok {
		r.fail("bad-request")
		return
	}
	p := &r.from.acct.pep
	n := p.nodes[e.Get("node")]
	config := defaultConfig()
	if n != nil {
		config = n.config
	}
	wanted, ok := config.with(options)
	if !ok || (n != nil && wanted != n.config) { // 7.1.5: what is wanted of a node that there is must hold
		r.failPubSub("conflict", "precondition-not-met")
		return
	}
	if condition := r.s.publish(r.from.acct, e.Get("node"), wanted, i); condition != "" {
		r.fail(condition)
		return
	}
	if e.Get("node") == nodeAvatarMetadata {
		r.s.avatarPublished(r.from.acct, i.payload)
	}
	if condition := r.s.nodeChanged(r.from.acct, e.Get("node")); condition != "" {
		r.fail(condition) // the item is there, and what has to say the same is not
		return
	}
	b := xmppserver.AppendAttr([]byte("<pubsub xmlns='"+nsPubSub+"'><publish"), "node", e.Get("node"))
	b = xmppserver.AppendAttr(append(b, "><item"...), "id", i.id)
	r.result(append(b, "/></publish></pubsub>"...))
}

// published reads the one item of a publication, or refuses it.
func (r *request) published(e *xmppserver.Element) (i item, ok bool) {
	items := e.Elements()
	switch name := e.Get("node"); {
	case name == "":
		r.failPubSub("bad-request", "nodeid-required")
		return i, false
	case len(name) > maxNodeName:
		r.fail("not-acceptable")
		return i, false
	case len(items) == 0:
		r.failPubSub("bad-request", "item-required")
		return i, false
	case len(items) > 1 || items[0].Name.Space != nsPubSub || items[0].Name.Local != "item":
		r.fail("bad-request")
		return i, false
	}
	payload := items[0].Elements()
	switch i.id = items[0].Get("id"); {
	case len(payload) == 0:
		r.failPubSub("bad-request", "payload-required")
	case len(payload) > 1:
		r.failPubSub("bad-request", "invalid-payload")
	case len(i.id) > maxItemID:
		r.fail("not-acceptable")
	default:
		if i.id == "" {
			i.id = xmppserver.NewID()
		}
		return newItem(i.id, payload[0]), true
	}
	return i, false
}

// publishOptions are what a publication wants of its node (7.1.5); none is an empty form.
func publishOptions(pubsub *xmppserver.Element) (form, bool) {
	e := pubsub.Child(nsPubSub, "publish-options")
	if e == nil {
		return form{}, true
	}
	f, ok := parseForm(e.Child(nsForms, "x"))
	return f, ok && f.kind == kindPublishOptions
}

// publish stores an item of an account and notifies those who want it; a node that there is not is made
// with that configuration. It returns the condition of a stanza error, or "".
func (s *Service) publish(a *account, name string, config nodeConfig, i item) string {
	n := a.pep.nodes[name]
	made := n == nil
	if made {
		if n = a.pep.create(name, config); n == nil {
			return "resource-constraint"
		}
	}
	if !a.pep.put(n, i) {
		if made { // nobody has asked for an empty one
			a.pep.drop(n)
		}
		return "resource-constraint"
	}
	s.notifyItems(a, n, appendNodeItem(nil, &i, nsPubSubEvent))
	return ""
}

// pepRetract takes an item away (7.2).
func pepRetract(r *request, e *xmppserver.Element) {
	p := &r.from.acct.pep
	id := e.Child(nsPubSub, "item").Get("id")
	n := p.nodes[e.Get("node")]
	switch {
	case e.Get("node") == "":
		r.failPubSub("bad-request", "nodeid-required")
	case id == "" || len(e.Elements()) != 1:
		r.failPubSub("bad-request", "item-required")
	case n == nil || n.index(id) < 0:
		r.fail("item-not-found")
	default:
		p.remove(n, n.index(id))
		if notify, _ := parseBool(e.Get("notify")); notify || n.config.notifyRetract {
			b := xmppserver.AppendAttr([]byte("<retract"), "id", id)
			r.s.notifyItems(r.from.acct, n, append(b, "/>"...))
		}
		r.mirrored(n.name)
	}
}

// mirrored answers a change of a node that has been made, once what has to say the same says it.
func (r *request) mirrored(node string) {
	if condition := r.s.nodeChanged(r.from.acct, node); condition != "" {
		r.fail(condition)
		return
	}
	r.result(nil)
}

// pepCreate makes a node (8.1), with a configuration if there is one (8.1.3).
func pepCreate(r *request, e *xmppserver.Element) {
	p, name, config := &r.from.acct.pep, e.Get("node"), defaultConfig()
	if x := r.payload.Child(nsPubSub, "configure").Child(nsForms, "x"); x != nil {
		f, ok := parseForm(x)
		if !ok || f.kind != kindNodeConfig {
			r.fail("bad-request")
			return
		}
		if config, ok = config.with(f); !ok {
			r.fail("not-acceptable")
			return
		}
	}
	if name == "" {
		name = xmppserver.NewID() // an instant node (8.1.2)
	}
	switch {
	case len(name) > maxNodeName:
		r.fail("not-acceptable")
	case p.nodes[name] != nil:
		r.fail("conflict")
	case p.create(name, config) == nil:
		r.fail("resource-constraint")
	default:
		b := xmppserver.AppendAttr([]byte("<pubsub xmlns='"+nsPubSub+"'><create"), "node", name)
		r.result(append(b, "/></pubsub>"...))
	}
}

// pepPurge takes all items of a node away (8.5).
func pepPurge(r *request, e *xmppserver.Element) {
	n := r.from.acct.pep.nodes[e.Get("node")]
	if n == nil {
		r.fail("item-not-found")
		return
	}
	r.from.acct.pep.empty(n)
	r.s.notify(r.from.acct, n, "purge", nil)
	r.mirrored(n.name)
}

// pepDelete takes a node away (8.4).
func pepDelete(r *request, e *xmppserver.Element) {
	n := r.from.acct.pep.nodes[e.Get("node")]
	if n == nil {
		r.fail("item-not-found")
		return
	}
	r.from.acct.pep.drop(n)
	r.s.notify(r.from.acct, n, "delete", nil)
	r.mirrored(n.name)
}
