package sessions

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch"
)

// Session is one account's XMPP session. Its methods are safe for concurrent use; none
// of them waits for the upstream unless it says so.
type Session struct {
	m  *Manager
	id ID

	in      chan delivery // from the reader
	mail    chan func()   // turns that a caller waits for
	mailbox postbox       // turns that no caller waits for

	ctx       context.Context // ends with the session
	cancel    context.CancelFunc
	wg        sync.WaitGroup // the goroutines of background
	opened    chan struct{}  // closed when the first login is over, one way or the other
	openErr   error          // set before opened is closed; nil: there is a session
	gone      chan struct{}  // closed when nothing of it is left in this process
	forgotten atomic.Bool    // it was ended for good; else its record is served elsewhere
	goneErr   error          // set before gone is closed: what SignOut could not forget

	replacing chan struct{} // has room for one: who replaces the credential

	keys    []leading   // what leads here; guarded by m.mu
	retired []digest    // credentials that did, oldest first; guarded by m.mu
	counted perch.State // in m.states; guarded by m.mu
	account string      // that it counts for in m.caps, "" before the first login; guarded by m.mu
	address string      // likewise; "" for none

	// Everything below belongs to the owner goroutine.

	acc      perch.Account
	accAt    perch.Time // when the credential was given
	upstream Upstream
	caps     perch.Capabilities // of the last login; before it, of the configuration

	rec Record
	log eventLog

	link          *link // nil: no connection
	supervisor    supervisor
	out           outbox
	roster        roster
	catchup       catchup
	budgetWarned  perch.Time // when the client was last notified that something was left out
	partialResume []byte     // state of a stream that was lost before it was online
	links         uint16     // streams until now, to distinguish them
	subs          []*Subscription
	idle          idling
	waits         pendingCounts // counted in m.backlog

	opening *time.Timer // ends the wait for the first login
	touch   *time.Timer // keeps a quiet session from expiring in the Store
	closing bool        // shutdown: the end comes when the log is written
	ended   bool
	ending  ending
}

// status is what GET /v1/session says of the connection.
type status struct {
	state   perch.State
	reason  string
	since   perch.Time
	retryAt perch.Time
}

// ending is how a session goes.
type ending struct {
	signOut bool // </stream:stream>; else the connection is dropped
	forget  bool // the Store forgets it
}

var (
	endDropped   = ending{}
	endSignedOut = ending{signOut: true, forget: true}
)

func newSession(m *Manager, id ID, acc perch.Account) *Session {
	s := &Session{
		m: m, id: id, acc: acc, accAt: perch.At(time.Now()), upstream: m.o.Upstreams[acc.Upstream],
		in: make(chan delivery, 8), mail: make(chan func()),
		opened: make(chan struct{}), gone: make(chan struct{}), replacing: make(chan struct{}, 1),
	}
	s.log = eventLog{host: s, store: m.o.Store, id: id}
	s.catchup = catchup{host: s, log: &s.log, sent: &s.out, store: m.o.Store, id: id}
	s.roster = roster{host: s, journal: &s.log, words: &m.words}
	s.out = outbox{host: s, journal: &s.log, store: m.o.Store, id: id}
	s.supervisor = supervisor{host: s, journal: &s.log, state: status{state: perch.StateConnecting, since: perch.At(time.Now())}}
	s.counted = s.supervisor.state.state
	s.mailbox.wake = make(chan struct{}, 1)
	s.caps = s.upstream.Capabilities
	s.ctx, s.cancel = context.WithCancel(m.ctx)
	return s
}

// open loads what is kept and starts the owner. It runs in a goroutine of its own, which
// then signs in; its stack is given back, while the owner's stays small.
func (s *Session) open() {
	ctx, cancel := context.WithTimeout(s.ctx, s.m.o.OpenTimeout)
	defer cancel()
	saved, adopted, err := s.m.acquire(ctx, s.id)
	if err == nil {
		s.ours(saved, adopted)
		err = s.load(ctx, saved)
	}
	if err != nil {
		if s.m.nodes != nil && perch.KindOf(storeError(err)) == perch.KindStorageUnavailable {
			s.m.nodes.tryAgain()
		}
		s.openErr = storeError(err)
		s.cancel()
		s.m.remove(s) // first: who waits for it must not find it again
		close(s.opened)
		close(s.gone)
		s.m.wg.Done()
		return
	}
	wait := s.m.o.OpenTimeout
	if s.rec.RosterKnown {
		wait = min(wait, knownWait)
	}
	s.opening = s.after(wait, s.openingOver)
	s.post(s.supervisor.connectNow)
	s.post(s.stayKept)
	go s.run()
}

// knownWait is how long the first call waits for the login of a session that was online
// before: its caches answer meanwhile.
const knownWait = 2 * time.Second

// await waits for the first login. errGone says that the session has ended since.
func (s *Session) await(ctx context.Context) error {
	select {
	case <-s.opened:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.openErr == nil && s.ctx.Err() != nil {
		return errGone
	}
	return s.openErr
}

// openingDone answers those who wait in await, once.
func (s *Session) openingDone(err error) {
	select {
	case <-s.opened:
		return
	default:
	}
	stop(s.opening)
	s.opening = nil
	s.openErr = err
	close(s.opened)
	if err != nil {
		// No login ever succeeded: keep neither a connection nor a record that a guess made.
		s.end(ending{forget: true})
	}
}

// openingOver ends the wait because there is no login, in time or for good.
func (s *Session) openingOver() {
	if s.rec.RosterKnown {
		s.openingDone(nil)
		return
	}
	s.openingDone(s.supervisor.why())
}

// touchEvery is well below the time after which a Store may drop a record.
const touchEvery = 12 * time.Hour

// stayKept writes the record now and then, so that a session in which nothing happens does
// not expire in the Store.
func (s *Session) stayKept() {
	s.touch = s.after(touchEvery, func() {
		s.saveRecord()
		s.stayKept()
	})
}

// end makes this turn the last one.
func (s *Session) end(e ending) {
	if !s.ended {
		s.ended, s.ending = true, e
		s.forgotten.Store(e.forget)
	}
}

// finish runs after the last turn, in the goroutine that was the owner and may wait now.
func (s *Session) finish() {
	s.updateGauges(pendingCounts{})
	stop(s.opening)
	stop(s.touch)
	s.supervisor.stop()
	stop(s.idle.timer)
	stop(s.idle.release)
	s.log.stop()
	s.catchup.stop()
	s.roster.stop()
	select {
	case <-s.opened:
	default:
		s.openErr = ErrEnded
		close(s.opened)
	}
	why := ErrEnded
	if !s.forgotten.Load() {
		why = ErrMoved
	}
	for _, sub := range s.subs {
		sub.cut(why)
	}
	s.cancel() // releases a reader that waits for the owner: Close may wait for the reader
	s.hangUp()
	s.wg.Wait()
	if s.ending.forget {
		ctx, cancel := context.WithTimeout(context.Background(), forgetTime)
		if s.goneErr = s.m.o.Store.Forget(ctx, s.id); s.goneErr != nil {
			s.m.log.Warn("failed to delete session from store", "session", s.short(), "error", s.goneErr)
		}
		cancel()
	}
	s.m.remove(s)
	close(s.gone)
}

const (
	forgetTime = 10 * time.Second
	hangUpTime = 5 * time.Second
)

// hangUp ends the connection.
func (s *Session) hangUp() {
	if s.link == nil {
		return
	}
	if !s.ending.signOut {
		s.link.conn.Abort()
		return
	}
	s.hangUpOn(s.link.conn)
}

// hangUpOn closes a stream for good.
func (s *Session) hangUpOn(conn Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), hangUpTime)
	defer cancel()
	if err := conn.Close(ctx); err != nil {
		conn.Abort()
	}
}

// shutdown ends the session without forgetting anything: when everything is written, the
// state of the stream and the end of the lease are, in one commit after which no other
// comes. A session that is released is looked for by the other nodes.
func (s *Session) shutdown(release bool) {
	if s.closing || s.ended {
		return
	}
	s.closing = true
	s.openingDoneQuiet()
	s.supervisor.stop()
	s.log.afterDrain(func() {
		if s.ended {
			return
		}
		e := s.lastWrite(release)
		s.log.afterDrain(func() { s.closed(e, release) })
	})
}

// lastWrite queues the last commit, and says how the connection is to end.
func (s *Session) lastWrite(release bool) ending {
	e := ending{signOut: true}
	if s.link != nil {
		s.rec.Stream = nil
		if state := s.link.state(); state != nil && s.link.live && s.m.o.Store.Durable() {
			s.rec.Stream = state
			e.signOut = false
		}
		s.rec.OfflineSince = s.now()
		s.saveRecord()
	}
	if release && s.m.Self().ID != "" {
		s.log.Change().Release = true
	}
	return e
}

// closed is the end of shutdown.
func (s *Session) closed(e ending, released bool) {
	if released && s.m.Self().ID != "" && !s.ended {
		s.m.o.Observer.Owner(OwnerReleased)
	}
	s.end(e)
}

func (s *Session) openingDoneQuiet() {
	select {
	case <-s.opened:
	default:
		stop(s.opening)
		s.openErr = errDraining
		close(s.opened)
	}
}

// ours notes that this process owns the session from now on: one process for each pair of
// epoch and fence, which is what operators, and tests, can hold the log against.
func (s *Session) ours(v *Saved, adopted bool) {
	how := OwnerTaken
	if adopted {
		how = OwnerAdopted
	}
	s.m.o.Observer.Owner(how)
	if v.Stale {
		s.tellStale(v.StaleSince)
	}
	if self := s.m.Self().ID; self != "" {
		s.m.log.Info("session ownership acquired", "session", s.short(), "epoch", v.Epoch, "fence", v.Fence, "node", self, "how", how)
	}
}

// fenced implements logHost: it ends the session because another owner has it.
func (s *Session) fenced() {
	if s.ended {
		return
	}
	s.m.o.Observer.Owner(OwnerFenced)
	s.m.log.Info("session ownership lost", "session", s.short())
	s.end(endDropped)
}

// ID names the session in the Store.
func (s *Session) ID() ID { return s.id }

// short is what logs call a session.
func (s *Session) short() string { return string(s.id[:min(8, len(s.id))]) }

func (s *Session) now() perch.Time { return perch.At(time.Now()) }

func (s *Session) logDebug(msg string, args ...any) {
	if s.m.log.Enabled(s.ctx, slog.LevelDebug) {
		s.m.log.Debug(msg, append(args, "session", s.short())...) //nolint:sloglint // constant at every caller
	}
}
