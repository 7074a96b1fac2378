// Package fakexmpp is the XMPP side of a session without a socket, for tests of what
// stands above it: a Server whose Dial is a sessions.DialFunc, and the connections that it
// made. A test scripts what the upstream has (Server.Edit), what it says
// (Conn.Deliver), when it fails (Conn.Fail), and looks at what was sent to it (Conn.Sent,
// Conn.Next).
//
//	up := fakexmpp.New()
//	up.Edit(func(d *fakexmpp.Data) { d.Roster = append(d.Roster, perch.Buddy{JID: "bob@example.net"}) })
//	m, _ := sessions.NewManager(sessions.Options{Dial: up.Dial, Verify: up.Verify, ...})
//	... the first request signs in ...
//	conn := up.Accepted(ctx)
//	conn.Deliver(&perch.MessageIn{...})
//
// Nothing here starts a goroutine or measures time, so it works inside synctest bubbles.
package fakexmpp

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Data is what the simulated upstream has. Every answer is taken from it at the moment
// it is asked for.
type Data struct {
	// SignIn decides about a login; nil accepts every credential except those that begin
	// with "bad", and gives an account without a JID the local part "alice".
	SignIn func(ctx context.Context, req sessions.DialRequest) (perch.Login, error)

	Domain       string // of JIDs that SignIn makes; "example.net"
	Capabilities perch.Capabilities
	Roster       []perch.Buddy
	Cards        map[perch.JID]perch.VCard
	Archive      perch.ArchivePage
	JIDs         map[string]perch.JID // by account
	Password     perch.Secret         // that ChangePassword has set
	// Read are the read positions of the account: the answer of ReadPositions, and what PublishRead
	// changes. The Conns have it only with Capabilities.ReadSync.
	Read []perch.ReadIn
	// Refuse is asked before every request to the upstream, by the name of the Conn's
	// method; an error is the answer. nil refuses nothing.
	Refuse func(method string) error
	RoomData
	BlockingData
	StanzaData
	Search  bool        // the archive says after the login that it can be searched
	Uploads *UploadData // nil: there is no upload service

	// Archived answers queries of the archive; nil: Archive is the answer to each.
	Archived func(q perch.ArchiveQuery) (perch.ArchivePage, error)
}

// Server makes connections.
type Server struct {
	mu    sync.Mutex
	data  Data
	dials []sessions.DialRequest
	asked []perch.Account // by Verify
	ended []perch.Account // by EndToken
	conns chan *Conn
}

// New makes a server that can do everything but resume.
func New() *Server {
	return &Server{
		conns: make(chan *Conn, 1024),
		data: Data{
			Domain:       "example.net",
			Capabilities: perch.Capabilities{EditRoster: true, StoreVCard: true, LookupJID: true, Archive: "313"},
			Cards:        map[perch.JID]perch.VCard{},
			JIDs:         map[string]perch.JID{},
		},
	}
}

// Edit changes what the upstream has.
func (s *Server) Edit(f func(*Data)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.data)
}

func (s *Server) read(f func(*Data)) { s.Edit(f) }

// Dials returns every login that was tried, in order.
func (s *Server) Dials() []sessions.DialRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

// Accepted waits for the next connection that was made, oldest first; nil when ctx
// ends before there is one.
func (s *Server) Accepted(ctx context.Context) *Conn {
	select {
	case c := <-s.conns:
		return c
	case <-ctx.Done():
		return nil
	}
}

// Dial is a sessions.DialFunc.
func (s *Server) Dial(ctx context.Context, req sessions.DialRequest) (sessions.Conn, error) {
	s.mu.Lock()
	s.dials = append(s.dials, req)
	signIn, data := s.data.SignIn, s.data
	s.mu.Unlock()
	if signIn == nil {
		signIn = data.signIn
	}
	login, err := signIn(ctx, req)
	if err != nil {
		return nil, err
	}
	c := &Conn{server: s, login: login, done: make(chan struct{}), out: make(chan perch.Outbound, 4096)}
	s.conns <- c
	return c, nil
}

// EndToken is a sessions.EndTokenFunc, and Ended what it was called for.
func (s *Server) EndToken(_ context.Context, acc perch.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, acc)
	return nil
}

// Ended returns the accounts whose token was ended, in order.
func (s *Server) Ended() []perch.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ended)
}

// Verify is a sessions.VerifyFunc: it decides as a login would, and makes no connection.
func (s *Server) Verify(ctx context.Context, acc perch.Account) (perch.JID, error) {
	s.mu.Lock()
	s.asked = append(s.asked, acc)
	signIn, data := s.data.SignIn, s.data
	s.mu.Unlock()
	if signIn == nil {
		signIn = data.signIn
	}
	login, err := signIn(ctx, sessions.DialRequest{Account: acc})
	if err != nil {
		return "", err
	}
	return login.JID.Bare(), nil
}

// Verified returns every account that was asked for by Verify, in order.
func (s *Server) Verified() []perch.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (d Data) signIn(_ context.Context, req sessions.DialRequest) (perch.Login, error) {
	secret := req.Account.Token.Reveal() + req.Account.Password.Reveal()
	if strings.HasPrefix(secret, "bad") {
		return perch.Login{}, &perch.Error{Kind: perch.KindUnauthorized, Detail: "the upstream does not accept the credential",
			XMPP: &perch.XMPPError{Condition: "not-authorized"}}
	}
	jid := req.Account.JID
	if jid == "" {
		jid = perch.JID("alice@" + d.Domain)
	}
	resource := req.Account.Resource
	if resource == "" {
		resource = "perch"
	}
	return perch.Login{JID: jid.Bare() + perch.JID("/"+resource), Capabilities: d.Capabilities}, nil
}
