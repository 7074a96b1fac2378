package today

import (
	"fmt"
	"strconv"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsSM = "urn:xmpp:sm:3"

// maxUnacked is how many stanzas may wait for the acknowledgement of a client. In bytes it is three quarters of
// what may wait to be written, so that they fit when a session is resumed; lateBytes are for what each says then.
const (
	maxUnacked = 5000
	lateBytes  = 128
)

// management is the stream management of a session (XEP-0198); guarded by Service.mu. Its counters
// go round at 2^32 (4).
type management struct {
	id      string // by which the session is resumed; "": it cannot be
	in      uint32 // stanzas of the client that were handled
	out     uint32 // stanzas for the client
	waiting []unacked
	bytes   int  // in waiting
	asked   bool // an <r/> has no answer yet
	full    bool // more than a bound waits: the session is about to end
}

// unacked is a stanza that the client has not acknowledged.
type unacked struct {
	stanza []byte
	at     time.Time
}

// manage handles an element of stream management on a bound stream.
func (x *session) manage(e *xmppserver.Element) error {
	switch {
	case e.Name.Local == "enable":
		x.conn.Send(x.enable(e))
	case e.Name.Local == "resume":
		x.conn.Send(failed("unexpected-request", "")) // 5: before a resource is bound
	case x.sm == nil:
		x.conn.Send(failed("unexpected-request", ""))
	case e.Name.Local == "r":
		x.conn.Send(fmt.Appendf(nil, "<a xmlns='"+nsSM+"' h='%d'/>", x.sm.in))
	case e.Name.Local == "a":
		h, ok := count(e)
		if !ok {
			return xmppserver.Error{Condition: "bad-format"}
		}
		if !x.sm.acknowledge(h) {
			return xmppserver.Error{Condition: "undefined-condition", Application: fmt.Sprintf(
				"<handled-count-too-high xmlns='"+nsSM+"' h='%d' send-count='%d'/>", h, x.sm.out)}
		}
		x.sm.asked = false
		x.ask()
	default:
		return xmppserver.Error{Condition: "unsupported-stanza-type"}
	}
	return nil
}

// enable turns stream management on (3) and returns the answer.
func (x *session) enable(e *xmppserver.Element) []byte {
	if x.sm != nil {
		return failed("unexpected-request", "")
	}
	x.sm = &management{}
	if resume := e.Get("resume"); resume != "true" && resume != "1" {
		return []byte("<enabled xmlns='" + nsSM + "'/>")
	}
	x.sm.id = xmppserver.NewID() + xmppserver.NewID()
	b := xmppserver.AppendAttr([]byte("<enabled xmlns='"+nsSM+"' resume='true'"), "id", x.sm.id)
	return append(xmppserver.AppendAttr(b, "max", strconv.Itoa(int(x.s.o.ResumeTimeout/time.Second))), "/>"...)
}

// add keeps a stanza until the client has acknowledged it; limit is in bytes.
func (m *management) add(b []byte, limit int) {
	m.out++
	m.waiting = append(m.waiting, unacked{b, time.Now()})
	if m.bytes += len(b) + lateBytes; m.bytes > limit || len(m.waiting) > maxUnacked {
		m.full = true
	}
}

// acknowledge takes the client's count; it reports false where that is more than was sent.
func (m *management) acknowledge(h uint32) bool {
	n := h - (m.out - uint32(len(m.waiting))) // modulo 2^32
	if n > uint32(len(m.waiting)) {
		return false
	}
	for _, u := range m.waiting[:n] {
		m.bytes -= len(u.stanza) + lateBytes
	}
	clear(m.waiting[:n])
	m.waiting = m.waiting[n:]
	return true
}

// ask wants an acknowledgement of what waits, once at a time.
func (x *session) ask() {
	if m := x.sm; m != nil && x.conn != nil && !m.asked && len(m.waiting) > 0 {
		m.asked = true
		x.conn.Send([]byte("<r xmlns='" + nsSM + "'/>"))
	}
}

// count is an h; ok is false for one that is none.
func count(e *xmppserver.Element) (h uint32, ok bool) {
	n, err := strconv.ParseUint(e.Get("h"), 10, 32)
	return uint32(n), err == nil
}

// failed refuses a request of stream management; h, if it is known, is how much of the session that was
// to be resumed had been handled.
func failed(condition, h string) []byte {
	b := []byte("<failed xmlns='" + nsSM + "'")
	if h != "" {
		b = xmppserver.AppendAttr(b, "h", h)
	}
	return []byte(string(b) + "><" + condition + " xmlns='" + xmppserver.NSStanzas + "'/></failed>")
}
