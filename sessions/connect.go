package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// link is one connection in use, or about to be. The owner has everything but conn.
type link struct {
	conn     Conn
	login    perch.Login
	since    time.Time
	live     bool      // the initial presence is out: stanzas may be sent
	owned    bool      // the Store has taken a write since it is online, so the session is ours: messages may be written
	ownedAt  time.Time // when that write was made
	inactive bool      // the server was notified that no client is attached (XEP-0352)

	number uint16

	// While the archive is read, messages wait in buffered.
	buffering     bool
	unread        bool // the archive could not be read; the gap, if any, is reported already
	buffered      []delivery
	bufferedBytes int
	overflow      bool       // buffered was full: what was dropped is in the archive, read it again
	caughtUp      perch.Time // when the archive was read to its end
	overlap       perch.Time // see overlap.since
	behind        overlapWindow
	lastSeq       uint64 // of the last delivery

	resumedOnline bool   // an earlier stream that was online: nothing has to be announced again
	savedSeq      uint64 // lastSeq of the state that was saved last
}

// state is what resuming this connection needs, as of everything that was delivered. It is
// committed after that, and is used only when all of it is stored.
func (l *link) state() []byte {
	state := l.conn.StreamState()
	if at, ok := l.conn.(ResumeCheckpointer); ok && state != nil && len(l.buffered) == 0 {
		return at.StreamStateAt(l.lastSeq)
	}
	return state
}

// saveStream puts the state of the stream into the record, for the case that this process is
// killed. Only a stream that is online is worth it, and only a Store that outlives us.
func (s *Session) saveStream() {
	l := s.link
	if l == nil || !l.live || !s.m.o.Store.Durable() {
		return
	}
	if s.rec.Stream = l.state(); s.rec.Stream == nil {
		return
	}
	l.savedSeq = l.lastSeq
	s.rec.Handled = l.lastSeq
	s.saveRecord()
	if len(l.buffered) == 0 {
		s.log.cover(l, l.lastSeq)
	}
}

// dialRequest is a login with an account that resumes the stream of before, if there is one.
func (s *Session) dialRequest(acc perch.Account) DialRequest {
	req := DialRequest{Account: acc, Resume: s.rec.Stream}
	if req.Resume == nil {
		req.Resume = s.partialResume
	}
	if req.Account.JID == "" && !s.upstream.TokenBearer {
		req.Account.JID = s.rec.JID.Bare()
	}
	return req
}

// connect signs in and takes the session through the login sequence. It runs in a
// goroutine of its own that ends with it: the stack that a TLS handshake needs goes with
// it, and the connection's reader begins on a small one.
func (s *Session) connect(ctx context.Context, req DialRequest) {
	conn, err := s.dial(ctx, req)
	if err != nil {
		s.post(func() { s.supervisor.dialling = false; s.supervisor.failed(err) })
		return
	}
	s.enter(ctx, conn)
}

// enter is the login sequence on a connection that is signed in.
func (s *Session) enter(ctx context.Context, conn Conn) {
	l := &link{conn: conn, login: conn.Login(), since: time.Now()}
	attached, first, refused := false, false, false
	err := s.call(ctx, func() { attached, first, refused = s.attach(l), !s.rec.RosterKnown, s.ending.signOut })
	switch {
	case refused && !attached: // nothing will resume the stream: the server need not keep it
		s.hangUpOn(conn)
		return
	case err != nil || !attached:
		conn.Abort()
		return
	}
	if first && !s.m.claim(ctx, s) {
		s.post(s.superseded)
		return
	}
	conn.Start(func(seq uint64, in perch.Inbound) {
		select {
		case s.in <- delivery{link: l, seq: seq, in: in}:
		case <-s.ctx.Done():
		}
	})
	if err := s.signIn(ctx, l); err != nil && ctx.Err() == nil {
		// The connection itself may be well: without a roster it is of no use.
		s.post(func() { s.drop(l, err) })
		return
	}
	if !first {
		s.m.bindAll(ctx, s)
	}
}

// superseded ends a session that no token leads to: they were given to another one while it
// signed in. Callers that wait for it look again and find that one.
func (s *Session) superseded() {
	s.end(endSignedOut)
	s.forgotten.Store(false)
	s.openingDone(errGone)
}

// dial waits for its turn among the logins of the upstream and signs in.
func (s *Session) dial(ctx context.Context, req DialRequest) (Conn, error) {
	slots := s.m.logins[req.Account.Upstream]
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, defaultDialing)
	defer cancel()
	conn, err := s.m.o.Dial(ctx, req)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && perch.KindOf(err) == perch.KindInternal {
		err = perch.Wrap(perch.KindUpstreamTimeout, err, "upstream login timed out")
	}
	return conn, err
}

// attach takes a new connection into use, unless it is another account's.
func (s *Session) attach(l *link) bool {
	s.supervisor.dialling = false
	if s.ended || s.closing || s.link != nil {
		return false
	}
	if s.rec.JID != "" && !l.login.JID.Bare().Equal(s.rec.JID.Bare()) {
		s.supervisor.failed(perch.Errorf(perch.KindUnauthorized, "the credential belongs to another account"))
		return false
	}
	if !s.m.admit(s, l.login.JID, false) {
		s.end(endSignedOut)
		s.openingDone(errAccountFull)
		return false
	}
	l.resumedOnline = l.login.Resumed && s.rec.Stream != nil
	l.buffering = !l.resumedOnline && l.login.Capabilities.Archive == archivePaged
	s.link = l
	s.caps = l.login.Capabilities
	s.catchup.unavailable = s.catchup.unavailable && l.resumedOnline
	s.rec.JID = l.login.JID
	s.partialResume = nil
	s.links = max(s.links+1, 1) // 0 is that of an earlier process
	l.number = s.links
	if s.m.o.Store.Durable() {
		_ = l.state() // from here on nothing is acknowledged to the server that is not stored
	}
	return true
}

// drop gives up a connection whose login sequence failed.
func (s *Session) drop(l *link, err error) {
	if s.link != l {
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
	s.lost(err)
}

// signIn is the login sequence, from bind to online. It waits for answers of the upstream
// and changes the session by turns only, each of which looks whether l is still in use.
func (s *Session) signIn(ctx context.Context, l *link) error {
	if l.resumedOnline {
		return s.call(ctx, func() { s.ifCurrent(l, s.resumed) })
	}
	if err := s.catchup.recall(ctx, l); err != nil {
		return err
	}
	if err := s.catchup.catchUp(ctx, l, true); err != nil {
		return err
	}
	var version string
	if err := s.call(ctx, func() {
		if version = s.rec.RosterVersion; !s.rec.RosterKnown {
			version = ""
		}
	}); err != nil {
		return err
	}
	res, rosterErr := l.conn.Roster(ctx, version)
	if rosterErr != nil && connectionLost(ctx, l, rosterErr) {
		return rosterErr
	}
	if err := s.call(ctx, func() {
		s.ifCurrent(l, func(l *link) {
			if rosterErr != nil {
				s.roster.rosterFailed(rosterErr)
			} else {
				s.roster.applyRoster(res)
			}
			s.announce(l)
		})
	}); err != nil {
		return err
	}
	// What was archived while the presence was on its way was not delivered live.
	if err := s.catchup.catchUp(ctx, l, false); err != nil {
		return err
	}
	return s.call(ctx, func() { s.ifCurrent(l, s.online) })
}

func (s *Session) ifCurrent(l *link, f func(*link)) {
	if s.link == l {
		f(l)
	}
}

// resumed ends a login that resumed the stream (XEP-0198, 5): nothing was missed, so
// everything that was stale is right again.
func (s *Session) resumed(l *link) {
	s.roster.unmarkStale()
	l.live = true
	s.becomeOnline(true)
}

// announce sends the initial presence (RFC 6121, 4.2) and begins to settle the buddies'.
func (s *Session) announce(l *link) {
	s.catchup.gapBefore(l)
	s.roster.settleSoon()
	if s.rec.Own.Available {
		if _, err := l.conn.Send(&perch.PresenceOut{OwnPresence: s.shownPresence()}); err != nil {
			return // the connection has ended, and says so itself
		}
	}
}

// online ends the login sequence.
func (s *Session) online(l *link) {
	l.live = true
	s.catchup.releaseBuffered(l)
	s.becomeOnline(false)
}

func (s *Session) becomeOnline(resumed bool) {
	s.rec.RosterKnown = true
	s.rec.OfflineSince, s.rec.Stream = 0, nil
	s.supervisor.setState(perch.StateOnline, "", 0, resumed)
	s.out.reconcile(s.link.login.Resumed)
	s.saveStream()         // after the outbox: a state must not be ahead of it
	s.askOwnership(s.link) // the process may have been stopped while it signed in
	s.supervisor.answer(nil)
	// A caller that waited for the login sees its event in the log, and never as news.
	s.log.AfterCommit(func(Result) { s.openingDone(nil) })
	s.attended()
}
