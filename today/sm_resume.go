package today

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// maxEnded is how many sessions of an account that have ended are remembered for their count.
const maxEnded = 20

// endedSession is what is left of one that could be resumed.
type endedSession struct {
	id string
	in uint32
}

// park keeps a session whose connection is lost, as long as it may be resumed (XEP-0198, 5): its presence
// stays, and what comes for it waits.
func (x *session) park() {
	x.conn, x.sm.asked = nil, false
	x.lost = time.Now()
	x.expireIn(x.s.o.ResumeTimeout)
}

// expireIn ends a session that is not resumed; one job of a session is enough, however often it is lost.
func (x *session) expireIn(d time.Duration) {
	if x.expires {
		return
	}
	if x.expires = x.s.later.After(d, x.expire); !x.expires {
		x.s.signOut(x)
	}
}

// expire ends a session that has been lost for too long. One that was lost again since has its full time.
func (x *session) expire() {
	x.expires = false
	if x.over || x.conn != nil {
		return
	}
	if left := x.s.o.ResumeTimeout - time.Since(x.lost); left > 0 {
		x.expireIn(left)
		return
	}
	x.s.signOut(x)
}

// resumable finds the session of the account that a client wants to resume; x is nil where there is none, and
// refused is the answer then.
func (st *stream) resumable(e *xmppserver.Element) (x *session, refused []byte) {
	id := e.Get("previd")
	h, ok := count(e)
	if !ok || id == "" {
		return nil, failed("bad-request", "")
	}
	for _, y := range st.acct.sessions {
		if y.sm == nil || y.sm.id != id {
			continue
		}
		if !y.sm.acknowledge(h) {
			return nil, failed("bad-request", strconv.FormatUint(uint64(y.sm.in), 10))
		}
		return y, nil
	}
	for _, o := range st.acct.ended {
		if o.id == id {
			return nil, failed("item-not-found", strconv.FormatUint(uint64(o.in), 10))
		}
	}
	return nil, failed("item-not-found", "")
}

// resumeInstead answers a request in the place of a bind (XEP-0198, 5).
func (st *stream) resumeInstead(e *xmppserver.Element) {
	if e.Name.Local != "resume" {
		st.conn.Write(failed("unexpected-request", ""))
		return
	}
	if refused := st.resume(e); refused != nil {
		st.conn.Write(refused)
	}
}

// resume continues a session, or returns the refusal.
func (st *stream) resume(e *xmppserver.Element) (refused []byte) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	x, refused := st.resumable(e)
	if x == nil {
		return refused
	}
	st.x = x
	x.attach(st.conn)
	x.conn.Send(x.sm.resumed())
	x.resend()
	return nil
}

// attach gives a session another connection; the one that it still had is cut off.
func (x *session) attach(c *xmppserver.Conn) {
	old := x.conn
	x.conn, x.sm.asked = c, false
	if old != nil {
		old.End("conflict", "")
	}
	c.Bound()
}

// resumed is the answer: how much of the session has been handled.
func (m *management) resumed() []byte {
	b := xmppserver.AppendAttr([]byte("<resumed xmlns='"+nsSM+"'"), "previd", m.id)
	return fmt.Appendf(b, " h='%d'/>", m.in)
}

// resend writes again what the client has not had; it is active until it says otherwise (XEP-0352, 4).
func (x *session) resend() {
	for _, u := range x.sm.waiting {
		x.conn.Send(u.late(x.s.o.Domain))
	}
	x.csi.inactive = false
	x.flushHeld()
	x.ask()
}

// late is a stanza that comes later than it was sent: a message says since when it waited (XEP-0203).
func (u unacked) late(domain string) []byte {
	const end = "</message>"
	head := string(u.stanza)
	if len(head) < len(end) || head[:len("<message")] != "<message" || head[len(head)-len(end):] != end || time.Since(u.at) < time.Second {
		return u.stanza
	}
	if e, err := xmppserver.Parse(u.stanza); err != nil || e.Child(xmppserver.NSDelay, "delay") != nil {
		return u.stanza
	}
	b := xmppserver.AppendAttr([]byte(head[:len(head)-len(end)]+"<delay xmlns='"+xmppserver.NSDelay+"'"), "from", domain)
	b = xmppserver.AppendAttr(b, "stamp", u.at.UTC().Format(xmppserver.StampLayout))
	return append(b, "/>"+end...)
}

// remember keeps the count of a session that has ended.
func (a *account) remember(m *management) {
	if m == nil || m.id == "" {
		return
	}
	if len(a.ended) >= maxEnded {
		a.ended = slices.Delete(a.ended, 0, 1)
	}
	a.ended = append(a.ended, endedSession{m.id, m.in})
}
