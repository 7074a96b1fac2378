package messenger

import (
	"encoding/xml"
	"fmt"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// stats counts since New.
type stats struct {
	logins, failures, stanzas, redirects atomic.Int64
}

// Stats is what the service has counted since New.
type Stats struct {
	Connections int64 // TCP connections accepted
	Online      int   // connections now
	Logins      int64 // resources bound
	Failures    int64 // tokens refused
	Stanzas     int64 // stanzas received after sign-in
	Redirects   int64 // see-other-host sent
	Slow        int64 // clients cut because they did not read
}

// Stats returns the counters.
func (s *Service) Stats() Stats {
	n := s.srv.Stats()
	return Stats{
		Connections: n.Connections, Online: n.Online, Slow: n.Slow,
		Logins: s.stats.logins.Load(), Failures: s.stats.failures.Load(),
		Stanzas: s.stats.stanzas.Load(), Redirects: s.stats.redirects.Load(),
	}
}

// StanzaCount is what the clients of one account have sent after sign-in.
type StanzaCount struct{ Messages, Presences, IQs int64 }

// Total of all kinds.
func (n StanzaCount) Total() int64 { return n.Messages + n.Presences + n.IQs }

// Stanzas counts what the clients of an account have sent. As everywhere, the account is
// named by user id, identifier, bare JID or account id; an unknown one has sent nothing.
func (s *Service) Stanzas(name string) StanzaCount {
	a, err := s.find(name)
	if err != nil {
		return StanzaCount{}
	}
	return StanzaCount{a.messages.Load(), a.presence.Load(), a.iqs.Load()}
}

// Logins is how often an account has signed in.
func (s *Service) Logins(name string) int {
	a, err := s.find(name)
	if err != nil {
		return 0
	}
	return int(a.logins.Load())
}

// JID is the bare JID of an account, "" for an unknown one.
func (s *Service) JID(name string) perch.JID {
	a, err := s.find(name)
	if err != nil {
		return ""
	}
	return perch.JID(a.Bare)
}

// Resources are the bound resources of an account, oldest first.
func (s *Service) Resources(name string) []string {
	a, err := s.find(name)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, c := range a.clients {
		list = append(list, c.res.Name)
	}
	return list
}

// Kick closes all streams of an account with a stream error (RFC 6120, 4.9.3), such as
// conflict, reset or system-shutdown, and returns how many there were.
func (s *Service) Kick(name, condition string) int {
	return s.each(name, func(c *client) { c.conn.End(condition, "") })
}

// RedirectNow closes all streams of an account with see-other-host to target.
func (s *Service) RedirectNow(name, target string) int {
	return s.each(name, func(c *client) {
		s.stats.redirects.Add(1)
		c.conn.End("see-other-host", target)
	})
}

// Drop cuts the TCP connections of an account without a word, and returns how many.
func (s *Service) Drop(name string) int {
	return s.each(name, func(c *client) { c.conn.Cut() })
}

// each signs the clients of an account out and does f with them.
func (s *Service) each(name string, f func(*client)) int {
	a, err := s.find(name)
	if err != nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.eachClient(a, f)
}

// eachClient is each for who holds s.mu.
func (s *Service) eachClient(a *account, f func(*client)) int {
	list := append([]*client(nil), a.clients...)
	for _, c := range list {
		s.signOut(c)
		f(c)
	}
	return len(list)
}

// SetRedirect changes when see-other-host is sent, and forgets what has been counted.
func (s *Service) SetRedirect(r Redirect) error {
	if err := r.validate(); err != nil {
		return err
	}
	s.redirect.set(r)
	return nil
}

// SetPresence changes the presence of a bot, until it changes by itself.
func (s *Service) SetPresence(name string, p perch.OwnPresence) error {
	a, err := s.find(name)
	if err != nil {
		return err
	}
	if a.bot == nil {
		return fmt.Errorf("messenger: account %q is not a bot: its clients set its presence", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.showBot(a, p)
	return nil
}

// Deliver sends a chat message from one account to another as if a client had sent it,
// with the offline store and the archive.
func (s *Service) Deliver(from, to, body string) error {
	a, err := s.find(from)
	if err != nil {
		return err
	}
	b, err := s.find(to)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	full := a.Bare + "/" + serviceResource
	if !s.route(xmppserver.Address{Account: b.Account, Bare: b.Bare}, full, b.Bare, chatElement(body, "active", xmppserver.NewID()), body) {
		return fmt.Errorf("messenger: the offline store of %q is full", to)
	}
	s.keep(a, b, body)
	return nil
}

// SetChatState sends a chat state (XEP-0085) from one account to another.
func (s *Service) SetChatState(from, to string, state perch.ChatState) error {
	a, err := s.find(from)
	if err != nil {
		return err
	}
	b, err := s.find(to)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.route(xmppserver.Address{Account: b.Account, Bare: b.Bare}, a.Bare+"/messenger-service", b.Bare, chatElement("", string(state), ""), "")
	return nil
}

// Invite lets one account ask another for its presence, as its client could.
func (s *Service) Invite(from, to, nick, message string) error {
	a, err := s.find(from)
	if err != nil {
		return err
	}
	b, err := s.find(to)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dir.Subscribe(a.Account, xmppserver.Address{Account: b.Account, Bare: b.Bare}, nick, message)
	return nil
}

// chatElement is a message with a body, a chat state, or both.
func chatElement(body, state, id string) *xmppserver.Element {
	e := xmppserver.NewElement(xmppserver.NSClient, "message")
	if id != "" {
		e.Attr = []xml.Attr{{Name: xml.Name{Local: "id"}, Value: id}}
	}
	if body != "" {
		e.Kids = append(e.Kids, xmppserver.Node{El: xmppserver.NewElement(xmppserver.NSClient, "body", xmppserver.Node{Text: body})})
	}
	e.Kids = append(e.Kids, xmppserver.Node{El: xmppserver.NewElement(xmppserver.NSStates, state)})
	return e
}
