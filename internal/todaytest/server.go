// Package todaytest runs the embedded service of today as one of the servers of the tests: what is not
// about one product's quirks holds for it, too.
package todaytest

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/today"
)

// Server starts a service without accounts; it ends with the test.
func Server(t testkit.TB) *testkit.Server {
	t.Helper()
	return With(t, today.Options{})
}

// With is Server with options of the test's own.
func With(t testkit.TB, o today.Options) *testkit.Server {
	t.Helper()
	if o.Logger == nil {
		o.Logger = canary.Logger()
	}
	s, err := today.New(o)
	if err != nil {
		t.Fatalf("today.New: got error %v, want none", err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatalf("today: start: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("today: stop: got error %v, want none", err)
		}
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("today: got error %v, want none", err)
		}
	}
	return testkit.Embedded{
		Name: "today", Domain: s.Domain(), Addr: s.Addr().String(), CAPEM: s.CAPEM(),
		AddUser: func(local, password string) {
			must(s.AddAccount(today.Account{Local: local, Password: password}))
		},
		SetPassword: func(local, password string) { must(s.SetPassword(local, password)) },
		IssueToken: func(local string) string {
			token := canary.Secret() + rand.Text()
			canary.Note(token)
			must(s.AddToken(local, token))
			return token
		},
		RevokeToken: s.RevokeToken,
		Logins:      s.Logins,
	}.Server(t)
}
