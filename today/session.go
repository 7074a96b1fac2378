package today

import (
	"crypto/rand"
	"encoding/hex"
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// session is a bound resource. It outlives its connection while it can be resumed (XEP-0198);
// guarded by Service.mu.
type session struct {
	*xmppserver.Resource
	s    *Service
	acct *account
	conn *xmppserver.Conn // nil: the connection is lost
	over bool

	sm      *management // nil: it is not on
	parked  int         // how often the connection was lost or got back: a timer of before is void
	csi     clientState
	carbons bool
	agent   string // id of the client, when it has bound in one step; or ""

	caps      caps // what it has said of itself (XEP-0115)
	blockList bool // has fetched the list, so it is told of changes
}

// bind makes a session of a connection that has signed in (RFC 6120, 7) and returns the condition of a
// stanza error, or "". An older session with the resource ends with conflict; a wanted resource of ""
// is made up. It is called with Service.mu held.
func (s *Service) bind(c *xmppserver.Conn, a *account, wanted string) (*session, string) {
	if len(wanted) > 1023 {
		return nil, "bad-request"
	}
	if wanted == "" {
		b := make([]byte, 8)
		rand.Read(b) // never fails
		wanted = "today-" + hex.EncodeToString(b)
	}
	for _, old := range slices.Clone(a.sessions) {
		if old.Name == wanted { // RFC 6120, 7.7.2.2: the new one wins
			old.end("conflict")
		}
	}
	if len(a.sessions) >= s.o.MaxResources {
		return nil, "resource-constraint"
	}
	x := &session{s: s, acct: a, conn: c}
	x.Resource = &xmppserver.Resource{Account: a.Account, Name: wanted, Full: a.Bare + "/" + wanted, Send: x.send}
	a.sessions = append(a.sessions, x)
	a.Bind(x.Resource)
	c.Bound()
	return x, ""
}

// send queues one whole stanza for the client, or keeps it for later. It never waits.
func (x *session) send(b []byte) {
	if !x.over && !x.hold(b) {
		x.put(b)
	}
}

// put queues one whole stanza for the client.
func (x *session) put(b []byte) {
	if x.sm != nil {
		full := x.sm.full
		x.sm.add(b, x.s.o.QueueBytes/4*3)
		if x.sm.full && !full {
			x.s.later.After(0, func() { x.end("resource-constraint") })
		}
	}
	if x.conn != nil {
		x.conn.Send(b)
	}
	x.ask()
}

// end ends a session and its stream with a stream error.
func (x *session) end(condition string) {
	c := x.conn
	x.s.signOut(x)
	if c != nil {
		c.End(condition, "")
	}
}

// signOut ends a session; its presence ends for rooms first, and then for contacts. Once is enough.
func (s *Service) signOut(x *session) {
	if x.over {
		return
	}
	x.over, x.conn = true, nil
	x.acct.remember(x.sm)
	x.acct.sessions = slices.DeleteFunc(x.acct.sessions, func(y *session) bool { return y == x })
	for _, c := range s.components {
		c.leave(x)
	}
	s.dir.SignOut(x.Resource)
	s.returnUnacked(x)
}

// of returns the session of a full JID, or nil.
func (s *Service) session(at xmppserver.Address) *session {
	a := s.of(at)
	if a == nil || at.Resource == "" {
		return nil
	}
	for _, x := range a.sessions {
		if x.Name == at.Resource {
			return x
		}
	}
	return nil
}
