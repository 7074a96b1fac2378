package sessions_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func TestManyRequestsOneLogin(t *testing.T) {
	inWorld(t, func(w *world) {
		gate := make(chan struct{})
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(context.Context, sessions.DialRequest) (perch.Login, error) {
				<-gate
				return perch.Login{JID: alice + "/perch"}, nil
			}
		})
		var wg sync.WaitGroup
		ids := make([]sessions.ID, 50)
		for i := range ids {
			wg.Go(func() {
				if s, err := w.m.Authenticate(w.ctx(), goodToken); err != nil {
					t.Errorf("Authenticate: got error %v, want none", err)
				} else {
					ids[i] = s.ID()
				}
			})
		}
		synctest.Wait()
		close(gate)
		wg.Wait()
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Fatalf("Authenticate by many at once: got sessions %v, want one and the same", ids)
			}
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins for many requests at once, want 1", n)
		}
		if s := w.open(); s.ID() != ids[0] || w.up.logins() != 1 {
			t.Errorf("a later request: got session %s after %d logins, want %s after 1", s.ID(), w.up.logins(), ids[0])
		}
		info := w.open().Info()
		if info.JID != alice || info.Resource != "perch" || info.State != perch.StateOnline || info.Reason != "" {
			t.Errorf("Info: got %+v, want %s/perch, online", info, alice)
		}
	})
}

func TestRefusedTokenIsRemembered(t *testing.T) {
	inWorld(t, func(w *world) {
		bad := perch.NewSecret("bad-token")
		for range 3 {
			_, err := w.m.Authenticate(w.ctx(), bad)
			kindOf(t, err, perch.KindUnauthorized)
		}
		if n := w.up.logins(); n != 1 {
			t.Errorf("got %d logins for one refused token, want 1", n)
		}
		synctest.Wait()
		if n := w.m.Len(); n != 0 {
			t.Errorf("got %d sessions after a refused token, want none", n)
		}
		pass(time.Minute)
		_, err := w.m.Authenticate(w.ctx(), bad)
		kindOf(t, err, perch.KindUnauthorized)
		if n := w.up.logins(); n != 2 {
			t.Errorf("got %d logins after a minute, want 2", n)
		}
	})
}

func TestInvalidTokens(t *testing.T) {
	inWorld(t, func(w *world) {
		for name, token := range map[string]string{"empty": "", "minted elsewhere": "perch_AAAA"} {
			_, err := w.m.Authenticate(w.ctx(), perch.NewSecret(token))
			if kindOf(t, err, perch.KindUnauthorized); w.up.logins() != 0 {
				t.Errorf("%s: got %d logins, want none", name, w.up.logins())
			}
		}
	})
	inWorld(t, func(w *world) {
		_, err := w.m.Authenticate(w.ctx(), goodToken)
		if kindOf(t, err, perch.KindUnauthorized); w.up.logins() != 0 {
			t.Errorf("got %d logins at an upstream that takes no access tokens, want none", w.up.logins())
		}
	}, func(o *sessions.Options) { o.DefaultUpstream = "named" })
}

// A login that fails for another reason than the credential leaves no session.
func TestFailedLoginLeavesNoSession(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want perch.Kind
		in   time.Duration
	}{
		"no route":     {linkLost, perch.KindSessionOffline, 15 * time.Second},
		"try later":    {perch.Errorf(perch.KindTryLater, ""), perch.KindSessionOffline, 15 * time.Second},
		"TLS":          {perch.Errorf(perch.KindUpstreamTLS, "expired"), perch.KindUpstreamTLS, 0},
		"host unknown": {perch.Errorf(perch.KindUpstreamConfig, ""), perch.KindUpstreamConfig, 0},
		"mechanism":    {perch.Invalid("/mechanism", "not here"), perch.KindValidation, 0},
		"redirect":     {perch.Errorf(perch.KindRedirectRefused, ""), perch.KindRedirectRefused, 0},
		"disabled":     {perch.Errorf(perch.KindForbidden, ""), perch.KindForbidden, 0},
		"no kind":      {errors.New("odd"), perch.KindSessionOffline, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.up.Edit(func(d *fakexmpp.Data) {
					d.SignIn = func(context.Context, sessions.DialRequest) (perch.Login, error) { return perch.Login{}, c.err }
				})
				start := time.Now()
				_, err := w.m.Authenticate(w.ctx(), goodToken)
				kindOf(t, err, c.want)
				if took := time.Since(start); took != c.in {
					t.Errorf("Authenticate: got an answer after %v, want it after %v", took, c.in)
				}
				synctest.Wait()
				if w.m.Len() != 0 {
					t.Errorf("got %d sessions after a login that failed, want none", w.m.Len())
				}
			})
		})
	}
}

// An error of the upstream's configuration is returned to the caller with its XMPP condition.
func TestUpstreamConfigErrorIsReturned(t *testing.T) {
	inWorld(t, func(w *world) {
		w.refuse(&perch.Error{Kind: perch.KindUpstreamConfig, Detail: "the server ended the stream", XMPP: &perch.XMPPError{Condition: "host-unknown"}})
		_, err := w.m.Authenticate(w.ctx(), goodToken)
		e, ok := errors.AsType[*perch.Error](err)
		if !ok || !strings.HasSuffix(e.Detail, ": the server ended the stream") || e.XMPP == nil || e.XMPP.Condition != "host-unknown" {
			t.Errorf("Authenticate: got error %+v, want host-unknown and the text of the server", err)
		}
	})
}

func TestLoginTimesOut(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) {
			d.SignIn = func(ctx context.Context, _ sessions.DialRequest) (perch.Login, error) {
				<-ctx.Done()
				return perch.Login{}, ctx.Err()
			}
		})
		start := time.Now()
		_, err := w.m.Authenticate(w.ctx(), goodToken)
		kindOf(t, err, perch.KindUpstreamTimeout)
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("Authenticate: got an answer after %v, want it after 15s", took)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.ctx(), time.Second)
		defer cancel()
		if _, err := w.m.Authenticate(ctx, goodToken); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Authenticate with a deadline: got error %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestMaxSessions(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		_, err := w.m.Authenticate(w.ctx(), perch.NewSecret("another"))
		kindOf(t, err, perch.KindSessionOffline)
		w.open()
	}, func(o *sessions.Options) { o.MaxSessions = 1 })
}

func TestDrainRefusesNewSessions(t *testing.T) {
	inWorld(t, func(w *world) {
		w.open()
		if err := w.m.Ready(w.ctx()); err != nil {
			t.Errorf("Ready: got error %v, want none", err)
		}
		w.m.Drain()
		w.open()
		_, err := w.m.Authenticate(w.ctx(), perch.NewSecret("another"))
		kindOf(t, err, perch.KindDraining)
		kindOf(t, w.m.Ready(w.ctx()), perch.KindDraining)
	})
}

func TestStoreDownAtOpening(t *testing.T) {
	inWorld(t, func(w *world) {
		w.store.set(func(s *store) { s.down = errDown })
		_, err := w.m.Authenticate(w.ctx(), goodToken)
		kindOf(t, err, perch.KindStorageUnavailable)
		if w.up.logins() != 0 {
			t.Errorf("got %d logins while nothing can be stored, want none", w.up.logins())
		}
		w.store.set(func(s *store) { s.down = nil })
		w.open()
	})
}

func TestOptionsAreChecked(t *testing.T) {
	good := newWorldOptions(t)
	for name, change := range map[string]func(*sessions.Options){
		"no dial":       func(o *sessions.Options) { o.Dial = nil },
		"no verify":     func(o *sessions.Options) { o.Verify = nil },
		"no store":      func(o *sessions.Options) { o.Store = nil },
		"short secret":  func(o *sessions.Options) { o.Secret = []byte("short") },
		"no upstream":   func(o *sessions.Options) { o.DefaultUpstream = "nowhere" },
		"negative":      func(o *sessions.Options) { o.MaxSessions = -1 },
		"seal key":      func(o *sessions.Options) { o.SealKeys = [][]byte{{1, 2, 3}} },
		"idle, no time": func(o *sessions.Options) { o.Idle.Action = sessions.IdleAway },
	} {
		o := good
		change(&o)
		if _, err := sessions.NewManager(o); perch.KindOf(err) != perch.KindValidation {
			t.Errorf("NewManager, %s: got error %v, want kind %s", name, err, perch.KindValidation)
		}
	}
}

func newWorldOptions(t *testing.T) sessions.Options { return newWorld(t).opts }
