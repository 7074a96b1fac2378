package today

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"mellium.im/xmpp/jid"

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
	lost    time.Time   // when the connection was lost last
	expires bool        // a job looks after ResumeTimeout whether it is still lost
	csi     clientState
	carbons bool
	shownTo []string // addresses that it has shown its presence to beside its contacts
	agent   string   // id of the client, when it has bound in one step; or ""

	caps      caps // what it has said of itself (XEP-0115)
	blockList bool // has fetched the list, so it is told of changes
}

// bind makes a session of a connection that has signed in (RFC 6120, 7) and returns the condition of a
// stanza error, or "". An older session with the resource ends with conflict, and so does one of the same
// client (XEP-0386, 4): agent is its id, or "". A wanted resource of "" is made up. Where there is no room,
// the session that has waited for its resumption for the longest gives way. It is called with Service.mu held.
func (s *Service) bind(c *xmppserver.Conn, a *account, wanted, agent string) (*session, string) {
	if wanted == "" {
		b := make([]byte, 8)
		rand.Read(b) // never fails
		wanted = "today-" + hex.EncodeToString(b)
	}
	full, err := jid.New(a.Local, s.o.Domain, wanted)
	if err != nil {
		return nil, "bad-request" // RFC 6120, 7.7.2.1: it cannot be prepared
	}
	name := full.Resourcepart()
	for _, old := range slices.Clone(a.sessions) {
		if old.Name == name || agent != "" && old.agent == agent { // RFC 6120, 7.7.2.2: the new one wins
			old.end("conflict")
		}
	}
	if len(a.sessions) >= s.o.MaxResources {
		old := a.lostLongest()
		if old == nil {
			return nil, "resource-constraint"
		}
		s.signOut(old)
	}
	x := &session{s: s, acct: a, conn: c, agent: agent}
	x.Resource = &xmppserver.Resource{Account: a.Account, Name: name, Full: full.String(), Send: x.send}
	a.sessions = append(a.sessions, x)
	a.Bind(x.Resource)
	c.Bound()
	return x, ""
}

// lostLongest is the session whose connection has been lost for the longest, or nil.
func (a *account) lostLongest() (oldest *session) {
	for _, x := range a.sessions {
		if x.sm != nil && x.conn == nil && (oldest == nil || x.lost.Before(oldest.lost)) {
			oldest = x
		}
	}
	return oldest
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
			x.s.later.Always(0, func() { x.end("resource-constraint") })
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
	s.endDirected(x, nil)
	s.dir.SignOut(x.Resource)
	s.returnUnacked(x)
}

// session returns the session of a full JID, or nil.
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
