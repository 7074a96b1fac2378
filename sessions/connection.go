package sessions

import (
	"cmp"
	"time"

	"github.com/perch-im/perch"
)

// connection is the stream of a session, which all parts share: the link in use, and what
// resuming it needs. It belongs to the owner.
type connection struct {
	state      *savedState
	log        *eventLog
	nodes      leases
	whyOffline interface{ errOffline() error }
	outbox     interface{ flush() }
	durable    bool   // the Store outlives this process
	agent      string // see perch.Account.Agent
	fast       fast

	link    *link              // nil: no connection
	caps    perch.Capabilities // of the last login; before it, of the configuration
	partial []byte             // state of a stream that was lost before it was online
	links   uint16             // streams until now, to distinguish them
}

// leases is what a session needs to know of the other nodes.
type leases interface {
	// shared reports whether other nodes use the Store too.
	shared() bool
	// leaseHolds reports whether no other node can have a session that was known at a moment
	// to be ours.
	leaseHolds(owned time.Time) bool
}

// stream is the link in use; nil: there is none.
func (c *connection) stream() *link { return c.link }

// Online implements sender.
func (c *connection) Online() bool { return c.link != nil && c.link.live }

// Send implements sender.
func (c *connection) Send(out ...perch.Outbound) error {
	if !c.Online() {
		return c.errOffline()
	}
	for _, o := range out {
		if _, err := c.link.conn.Send(o); err != nil {
			return err
		}
	}
	return nil
}

// errOffline is why the stream cannot be used.
func (c *connection) errOffline() error { return c.whyOffline.errOffline() }

// chatOnly reports whether the server takes chat messages only, without receipts.
func (c *connection) chatOnly() bool { return c.caps.ChatOnly }

// resumesPartly reports whether a stream that was lost before it was online may be resumed.
func (c *connection) resumesPartly() bool { return c.partial != nil }

// ifCurrent runs f when l is the link in use.
func (c *connection) ifCurrent(l *link, f func(*link)) {
	if c.link == l {
		f(l)
	}
}

// use takes a new link into use.
func (c *connection) use(l *link) {
	l.resumedOnline = l.login.Resumed && c.state.Stream != nil
	if !l.login.Resumed {
		l.told = toldActive
	}
	l.buffering = !l.resumedOnline && l.login.Capabilities.Archive == archivePaged
	c.link, c.caps, c.partial = l, l.login.Capabilities, nil
	c.state.JID = l.login.JID
	c.state.Mechanism = cmp.Or(l.login.Mechanism, c.state.Mechanism)
	c.fast.keep(l.login.Fast)
	c.links = max(c.links+1, 1) // 0 is that of an earlier process
	l.number = c.links
	if c.durable {
		_ = l.state() // from here on nothing is acknowledged to the server that is not stored
	}
}

// lost is the end of the link in use. What resuming its stream needs is saved.
func (c *connection) lost() *link {
	l := c.link
	c.link, c.state.Stream = nil, nil
	if l.live {
		c.state.Stream = l.state()
	} else {
		c.partial = l.state()
	}
	if l.live || c.state.OfflineSince == 0 { // else it is still the outage before
		c.state.OfflineSince = perch.At(time.Now())
		if at := l.conn.Stats().LastStanzaAt; at != 0 {
			c.state.OfflineSince = at
		}
	}
	c.state.saveRecord()
	return l
}

// ready reports whether a login may begin: there is no link, and everything that a login would
// acknowledge is committed. When only that is missing it calls again later.
func (c *connection) ready(again func()) bool {
	if c.link != nil {
		return false
	}
	if (c.state.Stream != nil || c.partial != nil || c.nodes.shared()) && !c.log.empty() {
		// To resume is to acknowledge: not before everything is committed. And a node that has
		// lost the session learns so by its write; its login would drive the new owner out.
		c.log.afterDrain(again)
		return false
	}
	return true
}

// dialRequest is a login with an account that resumes the stream of before, if there is one.
func (c *connection) dialRequest(acc perch.Account, tokenBearer bool) DialRequest {
	req := DialRequest{Account: acc, Resume: c.state.Stream}
	if req.Resume == nil {
		req.Resume = c.partial
	}
	req.Account.Proved, req.Account.Agent = c.state.Mechanism, c.agent
	req.Account.Fast = c.fast.next()
	req.Account.Archived = c.state.ArchiveID != "" // from there on nothing is missed
	if req.Account.JID == "" && !tokenBearer {
		req.Account.JID = c.state.JID.Bare()
	}
	return req
}

// requestConn returns the connection for a request to the upstream that needs a capability.
// What the upstream cannot do is refused before anything is sent, also while offline.
func (c *connection) requestConn(what string, can func(perch.Capabilities) bool) (Conn, error) {
	switch {
	case can != nil && !can(c.caps):
		return nil, perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot %s", what)
	case !c.Online():
		return nil, c.errOffline()
	}
	return c.link.conn, nil
}

// archiveKind is the archive that the server has, as far as it is known.
func (c *connection) archiveKind() string { return c.caps.Archive }
