package today

import (
	"slices"
	"strconv"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	kindNodeConfig     = nsPubSub + "#node_config"
	kindPublishOptions = nsPubSub + "#publish-options"
)

// What a node can be configured to (XEP-0060, 16.4.3).
const (
	accessOpen      = "open"
	accessPresence  = "presence"
	accessWhitelist = "whitelist" // nobody but the account itself: there are no affiliations
	sendNever       = "never"
	sendOnPresence  = "on_sub_and_presence"
)

var (
	accessModels = []string{accessPresence, accessOpen, accessWhitelist}
	sendModels   = []string{sendOnPresence, sendNever}
)

// nodeConfig is how a node behaves.
type nodeConfig struct {
	title, typ    string
	persist       bool
	maxItems      int
	access        string
	sendLast      string
	notifyRetract bool
}

// defaultConfig is that of personal nodes (XEP-0163, 5).
func defaultConfig() nodeConfig {
	return nodeConfig{persist: true, maxItems: 1, access: accessPresence, sendLast: sendOnPresence, notifyRetract: true}
}

// fixedFields can be set to one value alone.
var fixedFields = map[string]bool{
	"pubsub#deliver_notifications": true, "pubsub#deliver_payloads": true,
	"pubsub#notify_config": false, "pubsub#notify_delete": true, "pubsub#presence_based_delivery": true,
}

// with is c with the fields of a form. It reports false for a field or a value that there is not.
func (c nodeConfig) with(f form) (nodeConfig, bool) {
	for name := range f.fields {
		v := f.text(name)
		if len(v) > maxNodeName || !c.set(name, v) {
			return c, false
		}
	}
	return c, true
}

func (c *nodeConfig) set(name, v string) (ok bool) {
	if want, fixed := fixedFields[name]; fixed {
		got, ok := parseBool(v)
		return ok && got == want
	}
	switch name {
	case "pubsub#title":
		c.title, ok = v, true
	case "pubsub#type":
		c.typ, ok = v, true
	case "pubsub#persist_items":
		c.persist, ok = parseBool(v)
	case "pubsub#notify_retract":
		c.notifyRetract, ok = parseBool(v)
	case "pubsub#max_items":
		c.maxItems, ok = parseMaxItems(v)
	case "pubsub#access_model":
		c.access, ok = v, slices.Contains(accessModels, v)
	case "pubsub#send_last_published_item":
		c.sendLast, ok = v, slices.Contains(sendModels, v)
	case "pubsub#publish_model":
		ok = v == "publishers"
	}
	return ok
}

// parseMaxItems takes max for the most that there can be.
func parseMaxItems(v string) (int, bool) {
	if v == "max" {
		return maxNodeItems, true
	}
	n, err := strconv.ParseUint(v, 10, 31)
	return int(n), err == nil && n >= 1 && n <= maxNodeItems
}

// parseBool reads a boolean of XML Schema.
func parseBool(s string) (value, ok bool) {
	switch s {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

// appendForm writes the form of a configuration, without its end.
func (c nodeConfig) appendForm(b []byte) []byte {
	b = appendForm(b, "form", kindNodeConfig)
	b = appendField(b, "text-single", "pubsub#title", c.title)
	b = appendField(b, "text-single", "pubsub#type", c.typ)
	b = appendField(b, "boolean", "pubsub#persist_items", boolText(c.persist))
	b = appendField(b, "text-single", "pubsub#max_items", strconv.Itoa(c.maxItems))
	b = appendOptions(b, "pubsub#access_model", c.access, accessModels...)
	b = appendOptions(b, "pubsub#send_last_published_item", c.sendLast, sendModels...)
	b = appendField(b, "boolean", "pubsub#notify_retract", boolText(c.notifyRetract))
	b = appendOptions(b, "pubsub#publish_model", "publishers", "publishers")
	return append(b, "</x>"...)
}

func boolText(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// pepConfigure answers with the configuration of a node, or changes it (XEP-0060, 8.2).
func pepConfigure(r *request, e *xmppserver.Element) {
	p := &r.from.acct.pep
	n := p.nodes[e.Get("node")]
	switch {
	case n == nil:
		r.fail("item-not-found")
	case !r.set:
		b := xmppserver.AppendAttr([]byte("<pubsub xmlns='"+nsPubSubOwner+"'><configure"), "node", n.name)
		b = n.config.appendForm(append(b, '>'))
		r.result(append(b, "</configure></pubsub>"...))
	case e.Child(nsForms, "x").Get("type") == "cancel": // 8.2.5.1
		r.result(nil)
	default:
		f, ok := parseForm(e.Child(nsForms, "x"))
		if !ok || f.kind != kindNodeConfig {
			r.fail("bad-request")
			return
		}
		c, ok := n.config.with(f)
		if !ok {
			r.fail("not-acceptable")
			return
		}
		n.config = c
		p.trim(n)
		r.result(nil)
	}
}
