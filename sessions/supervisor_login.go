package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// loginHost is what a login needs of the session.
type loginHost interface {
	over() bool
	// signingOut reports whether the session ends for good.
	signingOut() bool
	// refuse ends the session; err is for who waits for it.
	refuse(err error)
	superseded()
	// online says that the login sequence is over; lost, that the link is.
	online(resumed bool)
	lost(err error)
}

// loginManager is what a login needs of the Manager.
type loginManager interface {
	// admit counts the session for its account, and reports whether there was room.
	admit(jid perch.JID) bool
	// full is why there was none.
	full() error
	// claim writes the tokens of a new session to the Store, and reports whether any is still
	// bound to it; bindTokens does so after every later login.
	claim(ctx context.Context) bool
	bindTokens(ctx context.Context)
	// dial waits for its turn among the logins of the upstream and signs in.
	dial(ctx context.Context, req DialRequest) (Conn, error)
	// learnUploads finds out by what the server of a domain takes files, unless that is known.
	learnUploads(ctx context.Context, domain string, conn UploadConn)
}

// login is the sequence from dialling to being online.
type login struct {
	*services
	host       loginHost
	manager    loginManager
	supervisor *supervisor
	catchup    *catchup
	roster     *roster
	idle       *idlePolicy
	blocking   *blocking
}

// connect signs in and takes the session through the login sequence. It runs in a
// goroutine of its own that ends with it: the stack that a TLS handshake needs goes with
// it, and the connection's reader begins on a small one.
func (lg *login) connect(ctx context.Context, req DialRequest) {
	conn, err := lg.manager.dial(ctx, req)
	if err != nil {
		lg.post(func() { lg.supervisor.dialling = false; lg.supervisor.failed(err) })
		return
	}
	lg.enter(ctx, conn)
}

// enter is the login sequence on a connection that is signed in.
func (lg *login) enter(ctx context.Context, conn Conn) {
	l := &link{conn: conn, login: conn.Login(), since: time.Now()}
	attached, first, refused := false, false, false
	err := lg.call(ctx, func() { attached, first, refused = lg.attach(l), !lg.known(), lg.host.signingOut() })
	switch {
	case refused && !attached: // nothing will resume the stream: the server need not keep it
		closeStream(conn)
		return
	case err != nil || !attached:
		conn.Abort()
		return
	}
	if first && !lg.manager.claim(ctx) {
		lg.post(lg.host.superseded)
		return
	}
	conn.Start(func(seq uint64, in perch.Inbound) { lg.deliver(l, seq, in) }, lg.wake)
	if err := lg.signIn(ctx, l); err != nil && ctx.Err() == nil {
		// The connection itself may be well: without a roster it is of no use.
		lg.post(func() { lg.drop(l, err) })
		return
	}
	if !first {
		lg.manager.bindTokens(ctx)
	}
}

// attach takes a new connection into use, unless it is another account's.
func (lg *login) attach(l *link) bool {
	lg.supervisor.dialling, lg.supervisor.outdated = false, false
	if lg.host.over() || lg.stream() != nil {
		return false
	}
	if own := lg.ownJID(); own != "" && !l.login.JID.Bare().Equal(own.Bare()) {
		lg.supervisor.failed(perch.Errorf(perch.KindUnauthorized, "the credential belongs to another account"))
		return false
	}
	if !lg.manager.admit(l.login.JID) {
		lg.host.refuse(lg.manager.full())
		return false
	}
	lg.use(l)
	lg.catchup.unavailable = lg.catchup.unavailable && l.resumedOnline
	return true
}

// drop gives up a connection whose login sequence failed.
func (lg *login) drop(l *link, err error) {
	if lg.stream() != l {
		return
	}
	l.conn.Abort()
	if e := l.conn.Err(); e != nil && perch.KindOf(e) != perch.KindLinkLost {
		err = e
	}
	if k := perch.KindOf(err); k == perch.KindXMPP || k == perch.KindForbidden || k == perch.KindSessionOffline {
		// An answer to a request is no verdict about the credential.
		err = perch.Wrap(perch.KindLinkLost, err, "the login could not be completed")
	}
	lg.host.lost(err)
}

// signIn is the login sequence, from bind to online. It waits for answers of the upstream
// and changes the session by calls only, each of which looks whether l is still in use.
func (lg *login) signIn(ctx context.Context, l *link) error {
	looked := lg.lookForUploads(ctx, l)
	if l.resumedOnline {
		return lg.call(ctx, func() { lg.ifCurrent(l, lg.resumed) })
	}
	if err := lg.catchup.recall(ctx, l); err != nil {
		return err
	}
	if err := lg.catchup.catchUp(ctx, l, true); err != nil {
		return err
	}
	var version string
	var blockList <-chan struct{} // closed when it is there
	if err := lg.call(ctx, func() {
		blockList = lg.blocking.fetch(l)
		if version = lg.record().RosterVersion; !lg.known() {
			version = ""
		}
	}); err != nil {
		return err
	}
	res, rosterErr := l.conn.Roster(ctx, version)
	if rosterErr != nil && connectionLost(ctx, l, rosterErr) {
		return rosterErr
	}
	if err := lg.call(ctx, func() {
		lg.ifCurrent(l, func(l *link) {
			if rosterErr != nil {
				lg.roster.rosterFailed(rosterErr)
			} else {
				lg.roster.applyRoster(res)
			}
			lg.announce(l)
		})
	}); err != nil {
		return err
	}
	// What was archived while the presence was on its way was not delivered live.
	if err := lg.catchup.catchUp(ctx, l, false); err != nil {
		return err
	}
	looked()
	lg.blocking.await(ctx, blockList)
	return lg.call(ctx, func() { lg.ifCurrent(l, lg.bound) })
}

// resumed ends a login that resumed the stream (XEP-0198, 5): nothing was missed, so
// everything that was stale is right again.
func (lg *login) resumed(l *link) {
	l.live = true
	lg.host.online(true)
}

// announce sends the initial presence (RFC 6121, 4.2) and begins to wait for the buddies'.
func (lg *login) announce(l *link) {
	lg.catchup.gapBefore(l)
	lg.roster.settleSoon()
	if lg.record().Own.Available {
		_, _ = l.conn.Send(&perch.PresenceOut{OwnPresence: lg.idle.presence()}) // a connection that has ended says so itself
	}
}

// bound ends a login that bound a new resource. A server answers in order: what its archive can do is known
// since it has sent the roster.
func (lg *login) bound(l *link) {
	l.live = true
	if archive, ok := l.conn.(ArchiveSearcher); ok {
		lg.caps.Search = archive.SearchesArchive()
	}
	lg.catchup.releaseBuffered(l)
	lg.host.online(false)
}
