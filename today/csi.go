package today

import (
	"bytes"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsCSI = "urn:xmpp:csi:0"

// What is held for an inactive client; over either it is sent.
const (
	maxHeld      = 256
	maxHeldBytes = 64 << 10
)

// clientState is what a client has said of its user (XEP-0352), and what is held while nobody looks.
type clientState struct {
	inactive bool
	held     []held
	bytes    int
}

// held is a stanza that can wait. A later one of the same key makes it void.
type held struct {
	key    string
	stanza []byte
}

// setState handles <active/> and <inactive/>.
func (x *session) setState(e *xmppserver.Element) error {
	switch e.Name.Local {
	case "active":
		x.csi.inactive = false
		x.flushHeld()
	case "inactive":
		x.csi.inactive = true
	default:
		return xmppserver.Error{Condition: "unsupported-stanza-type"}
	}
	return nil
}

// hold keeps a stanza back that an inactive client can do without for now, and reports whether it did. What is
// held goes out before the next one that cannot wait: order holds.
func (x *session) hold(b []byte) bool {
	if !x.csi.inactive {
		return false
	}
	key := ""
	if bytes.HasPrefix(b, []byte("<presence")) || bytes.Contains(b, []byte(xmppserver.NSStates)) {
		if e, err := xmppserver.Parse(b); err == nil {
			key = waits(e)
		}
	}
	if key == "" {
		x.flushHeld()
		return false
	}
	c := &x.csi
	for i, o := range c.held {
		if o.key == key {
			c.bytes -= len(o.stanza)
			c.held = append(c.held[:i], c.held[i+1:]...)
			break
		}
	}
	c.held = append(c.held, held{key, b})
	if c.bytes += len(b); len(c.held) > maxHeld || c.bytes > maxHeldBytes {
		x.flushHeld()
	}
	return true
}

// flushHeld sends what is held.
func (x *session) flushHeld() {
	list := x.csi.held
	x.csi.held, x.csi.bytes = nil, 0
	for _, h := range list {
		x.put(h.stanza)
	}
}

// waits is the key of a stanza that can wait, "" for all others: presence of others, and chat states.
func waits(e *xmppserver.Element) string {
	if e.Name.Local == "presence" {
		if kind := e.Get("type"); kind != "" && kind != "unavailable" {
			return ""
		}
		for _, s := range e.Child(nsMUCUser, "x").Elements() {
			if s.Name.Local == "status" && s.Get("code") == "110" { // the client itself, in a room
				return ""
			}
		}
		return "presence " + e.Get("from")
	}
	if e.Name.Local != "message" {
		return ""
	}
	for _, kind := range [...]string{"received", "sent"} {
		if copied := e.Child(nsCarbons, kind); copied != nil {
			if m := copied.Child(nsForward, "forwarded").Child(xmppserver.NSClient, "message"); m != nil && isState(m) {
				return kind + " " + m.Get("from") + " " + m.Get("to")
			}
		}
	}
	if isState(e) {
		return "state " + e.Get("from")
	}
	return ""
}

// isState reports whether a message says nothing but that somebody is typing or has stopped (XEP-0085).
func isState(e *xmppserver.Element) bool {
	state := false
	for _, k := range e.Elements() {
		switch k.Name.Space {
		case xmppserver.NSStates:
			state = true
		case nsHints, nsSID, nsOccupantID, xmppserver.NSDelay:
		default:
			if k.Name.Local != "thread" {
				return false
			}
		}
	}
	return state
}
