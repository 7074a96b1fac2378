package sessions_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

const (
	alice = perch.JID("alice@example.net")
	bob   = perch.JID("bob@example.net")
	carol = perch.JID("carol@example.net")
)

var goodToken = perch.NewSecret(canary.Mark + "good-token")

func init() { canary.Note(goodToken.Reveal(), freshToken.Reveal()) }

// tb is what tests and properties have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
	Error(args ...any)
}

// must ends the test when what it has called returned an error.
func must(t tb, called string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got error %v, want none", called, err)
	}
}

// world is a manager with fakes around it. It lives inside a synctest
// bubble: time stands still until all goroutines wait.
type world struct {
	t     tb
	up    *upstream
	store *store
	m     *sessions.Manager
	opts  sessions.Options
	said  int // messages, see say
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, f func(w *world), change ...func(*sessions.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, change...)
		defer w.close()
		f(w)
	})
}

func newWorld(t tb, change ...func(*sessions.Options)) *world {
	w := &world{t: t, up: newUpstream(), store: &store{Store: cache.NewMemory(cache.MemoryOptions{})}}
	w.opts = sessions.Options{
		Dial: w.up.dial, Verify: w.up.Verify, EndToken: w.up.EndToken, Store: w.store, Secret: []byte(canary.Mark + "0123456789abcdef"), DefaultUpstream: "net",
		Upstreams: map[string]sessions.Upstream{
			"net":   {Name: "net", TokenBearer: true},
			"named": {Name: "named", NeedsJID: true},
		},
		Logger: canary.Logger(),
	}
	for _, c := range change {
		c(&w.opts)
	}
	w.start()
	return w
}

// start begins a process; after close it is the next one, with the same store.
func (w *world) start() {
	w.t.Helper()
	m, err := sessions.NewManager(w.opts)
	must(w.t, "sessions.NewManager", err)
	w.m = m
}

func (w *world) close() {
	w.t.Helper()
	w.store.set(func(s *store) { s.down, s.held = nil, false })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.m.Close(ctx); err != nil {
		w.t.Errorf("Close: got error %v, want none", err)
	}
}

func (w *world) ctx() context.Context { return context.Background() }

// open signs in with the good token.
func (w *world) open() *sessions.Session {
	w.t.Helper()
	s, err := w.m.Authenticate(w.ctx(), goodToken)
	must(w.t, "Authenticate", err)
	synctest.Wait()
	return s
}

// conn is the newest connection.
func (w *world) conn() *conn {
	synctest.Wait()
	return w.up.newest()
}

// deliver delivers stanzas and waits until they are applied.
func (w *world) deliver(in ...perch.Inbound) {
	c := w.conn()
	for _, i := range in {
		c.Deliver(i)
	}
	synctest.Wait()
}

// roster gives the account buddies with both subscriptions.
func (w *world) roster(jids ...perch.JID) {
	w.up.Edit(func(d *fakexmpp.Data) {
		d.Roster = nil
		for _, j := range jids {
			d.Roster = append(d.Roster, perch.Buddy{JID: j, Name: j.Local(), Subscription: perch.SubscriptionBoth})
		}
	})
}

// lose ends the newest connection and waits for the next one to be online.
func (w *world) lose(err error) {
	old := w.conn()
	old.Fail(err)
	for range 600 {
		if pass(100 * time.Millisecond); w.conn() != old {
			return
		}
	}
	w.t.Fatal("the connection lost: got no other within a minute, want one online")
}

var linkLost = perch.Errorf(perch.KindLinkLost, "reset")

// event is an envelope as a client reads it.
type event struct {
	ID   string
	Type perch.EventType
	Data json.RawMessage
}

func (e event) into(t tb, v any) {
	t.Helper()
	if err := json.Unmarshal(e.Data, v); err != nil {
		t.Fatalf("data of %s: got error %v, want none", e.Type, err)
	}
}

func decode(t tb, evs []*perch.Event) []event {
	t.Helper()
	list := make([]event, len(evs))
	for i, e := range evs {
		must(t, "json.Unmarshal", json.Unmarshal(e.Wire, &list[i]))
		if list[i].ID != e.Position.String() || list[i].Type != e.Type {
			t.Fatalf("got envelope %s, want ID %s, type %s", e.Wire, e.Position, e.Type)
		}
	}
	return list
}

// client is a subscriber that has read its preamble.
type client struct {
	t        tb
	sub      *sessions.Subscription
	preamble []event
}

func (w *world) attach(s *sessions.Session, o sessions.SubscribeOptions) *client {
	w.t.Helper()
	synctest.Wait() // what is under way is published before, not to this client
	sub, err := s.Subscribe(w.ctx(), o)
	must(w.t, "Subscribe", err)
	c := &client{t: w.t, sub: sub}
	var evs []*perch.Event
	must(w.t, "Preamble", sub.Preamble(w.ctx(), func(e *perch.Event) error { evs = append(evs, e); return nil }))
	c.preamble = decode(w.t, evs)
	synctest.Wait()
	return c
}

// next returns what has come since.
func (c *client) next() []event {
	c.t.Helper()
	synctest.Wait()
	var all []*perch.Event
	for {
		evs, err := c.sub.Take()
		if err != nil {
			c.t.Fatalf("Take: got error %v, want none", err)
		}
		if len(evs) == 0 {
			return decode(c.t, all)
		}
		all = append(all, evs...)
	}
}

func types(evs []event) []perch.EventType {
	list := []perch.EventType{}
	for _, e := range evs {
		list = append(list, e.Type)
	}
	return list
}

func (c *client) wantTypes(want ...perch.EventType) []event {
	c.t.Helper()
	evs := c.next()
	if !slices.Equal(types(evs), want) {
		c.t.Fatalf("got events %v, want %v", types(evs), want)
	}
	return evs
}

// durable reads all of the log.
func (w *world) durable(s *sessions.Session) []event {
	w.t.Helper()
	synctest.Wait()
	page, err := w.store.Log(w.ctx(), s.ID(), 0, 100000)
	must(w.t, "Log", err)
	return decode(w.t, page.Events)
}

func kindOf(t tb, err error, want perch.Kind) {
	t.Helper()
	if err == nil || perch.KindOf(err) != want {
		t.Errorf("got error %v, want kind %s", err, want)
	}
}

// upstream is fakexmpp with connections that can do more.
type upstream struct {
	*fakexmpp.Server
	mu     sync.Mutex
	conns  []*conn
	resume bool // streams can be resumed
	pages  func(perch.ArchiveQuery) (perch.ArchivePage, error)
	heard  bool // bytes come all the time
	known  func() (map[string]uint64, bool)
	muc    *muc // nil: there are no rooms

	slowBlocks   bool          // a block list is never answered
	slowPassword chan struct{} // until it is closed no change of a password is answered; nil: at once
}

func newUpstream() *upstream {
	u := &upstream{Server: fakexmpp.New()}
	u.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive = "" })
	return u
}

func (u *upstream) set(f func(*upstream)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(u)
}

// conn is a connection that may be resumable, and have an archive with pages.
type conn struct {
	*fakexmpp.Conn
	up      *upstream
	resumed bool
	mu      sync.Mutex
	queries []perch.ArchiveQuery
	in      chan perch.Inbound // of its service

	delivered []perch.Inbound // of that
}

func (c *conn) Login() perch.Login {
	l := c.Conn.Login()
	l.Resumed = c.resumed
	return l
}

func (c *conn) StreamState() []byte {
	c.up.mu.Lock()
	defer c.up.mu.Unlock()
	if !c.up.resume {
		return nil
	}
	return []byte("stream")
}

// StreamStateAt makes conn a sessions.ResumeCheckpointer.
func (c *conn) StreamStateAt(seq uint64) []byte {
	if c.StreamState() == nil {
		return nil
	}
	return fmt.Append(nil, "stream ", seq)
}

func (c *conn) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	c.mu.Lock()
	c.queries = append(c.queries, q)
	c.mu.Unlock()
	c.up.mu.Lock()
	pages := c.up.pages
	c.up.mu.Unlock()
	if pages == nil {
		return c.Conn.Archive(ctx, q)
	}
	p, err := pages(q)
	if err == errSilent {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
		case <-c.Done():
			return p, perch.Errorf(perch.KindSessionOffline, "the connection has ended")
		}
	}
	return p, err
}

// FetchBlockList makes conn a sessions.BlockingConn that may be silent.
func (c *conn) FetchBlockList(ctx context.Context) error {
	c.up.mu.Lock()
	slow := c.up.slowBlocks
	c.up.mu.Unlock()
	if slow {
		<-ctx.Done()
		return ctx.Err()
	}
	return c.Conn.FetchBlockList(ctx)
}

// ChangePassword makes conn a sessions.PasswordChanger whose server takes its time.
func (c *conn) ChangePassword(ctx context.Context, fresh perch.Secret) error {
	c.up.mu.Lock()
	slow := c.up.slowPassword
	c.up.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return perch.Wrap(perch.KindUpstreamTimeout, ctx.Err(), "the request was canceled")
		}
	}
	return c.Conn.ChangePassword(ctx, fresh)
}

// errSilent is what pages returns for no answer.
var errSilent error = perch.Errorf(perch.KindUpstreamTimeout, "the server did not answer in time")

func (c *conn) Stats() perch.ConnStats {
	c.up.mu.Lock()
	defer c.up.mu.Unlock()
	if c.up.heard {
		return perch.ConnStats{LastStanzaAt: perch.At(time.Now())}
	}
	return c.Conn.Stats()
}

func (u *upstream) dial(ctx context.Context, req sessions.DialRequest) (sessions.Conn, error) {
	c, err := u.Dial(ctx, req)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	k := &conn{Conn: c.(*fakexmpp.Conn), up: u, resumed: u.resume && req.Resume != nil}
	if u.muc != nil {
		k.in = make(chan perch.Inbound, 100_000)
		var before *conn
		if n := len(u.conns); n > 0 {
			before = u.conns[n-1]
		}
		u.muc.attach(k, before, req.Resume)
	}
	u.conns = append(u.conns, k)
	if u.known != nil {
		return knownConn{k, u.known}, nil
	}
	return k, nil
}

// knownConn is a conn that has the messages of the stream that it resumes.
type knownConn struct {
	*conn
	known func() (map[string]uint64, bool)
}

func (k knownConn) ResumedMessages() (map[string]uint64, bool) { return k.known() }

func (u *upstream) newest() *conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.conns) == 0 {
		return nil
	}
	return u.conns[len(u.conns)-1]
}

func (u *upstream) logins() int { return len(u.Dials()) }

// sent returns what a connection was given to write, of one type.
func sent[T perch.Outbound](c *conn) []T {
	var list []T
	for _, o := range c.Sent() {
		if v, ok := o.(T); ok {
			list = append(list, v)
		}
	}
	return list
}

// store is a Store that fails on demand.
type store struct {
	sessions.Store
	mu      sync.Mutex
	durable bool
	down    error // every write and look-up fails with it
	held    bool  // commits wait
	mute    bool  // no lease is renewed, and all else works
	stopped bool  // commits are made and their answers wait, and no lease is renewed: the process stands still
	waiting []func()
	commits int
	record  sessions.Record // the newest that was committed
	lost    int             // so many commits are made, and reported as failed
	later   error           // no session can be read for it
	slow    chan struct{}   // until it is closed no token is bound; nil: at once
	logDown error           // no log can be read for it

	heldFor func(*sessions.Commit) bool // these commits wait; nil: none for what is in it
	made    []*sessions.Commit          // if notes is set
	notes   bool
}

// count counts the commits that were made since it was called first.
func (s *store) count(which func(*sessions.Commit) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = true
	for _, c := range s.made {
		if which(c) {
			n++
		}
	}
	return n
}

func (s *store) set(f func(*store)) {
	s.mu.Lock()
	f(s)
	var run []func()
	if !s.held && !s.stopped {
		run, s.waiting = s.waiting, nil
	}
	s.mu.Unlock()
	for _, r := range run {
		r()
	}
}

func (s *store) Durable() bool { return s.durable }

func (s *store) Commit(id sessions.ID, c *sessions.Commit, done func(sessions.Result)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	if c.Record != nil && !s.held {
		s.record = *c.Record
	}
	if s.notes {
		s.made = append(s.made, c)
	}
	if s.heldFor != nil && s.heldFor(c) {
		s.held = true
	}
	switch {
	case s.stopped:
		s.Store.Commit(id, c, func(r sessions.Result) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.waiting = append(s.waiting, func() { done(r) })
		})
	case s.held:
		s.waiting = append(s.waiting, func() { s.Store.Commit(id, c, done) })
	case s.down != nil:
		err := s.down
		go done(sessions.Result{Err: err})
	case s.lost > 0:
		s.lost--
		s.Store.Commit(id, c, func(sessions.Result) { done(sessions.Result{Err: errDown}) })
	default:
		s.Store.Commit(id, c, done)
	}
}

func (s *store) failing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

func (s *store) Lookup(ctx context.Context, token string) (sessions.Binding, error) {
	if err := s.failing(); err != nil {
		return sessions.Binding{}, err
	}
	return s.Store.Lookup(ctx, token)
}

func (s *store) Bind(ctx context.Context, token string, b sessions.Binding) ([]string, error) {
	if err := s.failing(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow != nil {
		<-slow
	}
	return s.Store.Bind(ctx, token, b)
}

func (s *store) Log(ctx context.Context, id sessions.ID, after uint64, limit int) (sessions.LogPage, error) {
	s.mu.Lock()
	err := s.logDown
	s.mu.Unlock()
	if err != nil {
		return sessions.LogPage{}, err
	}
	return s.Store.Log(ctx, id, after, limit)
}

func (s *store) Beat(ctx context.Context, self sessions.Node) (sessions.Membership, error) {
	s.mu.Lock()
	stopped := s.stopped || s.mute
	s.mu.Unlock()
	if err := s.failing(); err != nil || stopped {
		return sessions.Membership{}, cmp.Or(err, error(errDown))
	}
	return s.Store.Beat(ctx, self)
}

func (s *store) Open(ctx context.Context, id sessions.ID, t sessions.OpenOptions) (*sessions.Saved, error) {
	if err := s.failing(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	later := s.later
	s.mu.Unlock()
	if later != nil {
		return nil, later
	}
	return s.Store.Open(ctx, id, t)
}

var errDown = perch.Errorf(perch.KindStorageUnavailable, "down")

// pass lets the bubble's time pass: nothing is really waited for.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// bubbled is a test inside a bubble, where a property must not ask for the deadline.
type bubbled struct{ testing.TB }

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
