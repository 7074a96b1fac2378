package today_test

import (
	"context"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

// world is a small service: ann and ben are contacts, cat is alone. The password of each is its name
// after canary.Mark.
func world() today.Options {
	return today.Options{Accounts: []today.Account{
		{Local: "ann", Password: canary.Mark + "ann", Tokens: []string{canary.Mark + "token-ann"}, Nickname: "Ann", Contacts: []today.Contact{{Local: "ben", Name: "Benny", Groups: []string{"B", "A"}}}},
		{Local: "ben", Password: canary.Mark + "ben", Nickname: "Ben"},
		{Local: "cat", Password: canary.Mark + "cat", Nickname: "Cat"},
	}}
}

// start runs a service for one test.
func start(t testing.TB, o today.Options) *today.Service {
	t.Helper()
	if o.Logger == nil {
		o.Logger = canary.Logger()
	}
	s, err := today.New(o)
	if err != nil {
		t.Fatalf("today.New: got error %v, want none", err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("s.Start: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("Stop: got error %v, want none", err)
		}
	})
	return s
}

func server(s *today.Service) xmpptest.Server {
	return xmpptest.Server{Addr: s.Addr(), Domain: s.Domain(), CA: s.CA()}
}

// signIn binds a resource of that name, and no more.
func signIn(t testing.TB, s *today.Service, user, resource string) *xmpptest.Client {
	t.Helper()
	return xmpptest.SignIn(t, server(s), user, canary.Mark+user, resource)
}

// online is signIn with roster and presence.
func online(t testing.TB, s *today.Service, user, resource string) *xmpptest.Client {
	t.Helper()
	return xmpptest.Online(t, server(s), user, canary.Mark+user, resource)
}

func at(user string) string { return user + "@" + today.DefaultDomain }
