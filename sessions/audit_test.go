package sessions_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// evictingStore has room for one token of a session.
type evictingStore struct {
	sessions.Store
	last string
}

func (s *evictingStore) Bind(ctx context.Context, token string, b sessions.Binding) ([]string, error) {
	evicted, err := s.Store.Bind(ctx, token, b)
	if s.last != "" && s.last != token {
		evicted = append(evicted, s.last)
	}
	s.last = token
	return evicted, err
}

// TestAuditLines are about what no client has asked for.
func TestAuditLines(t *testing.T) {
	var log strings.Builder
	logged := func(o *sessions.Options) {
		o.Logger = canary.Logger(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	wantLine := func(t *testing.T, msg, session string) {
		t.Helper()
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, fmt.Sprintf(`"msg":%q`, msg)) && strings.Contains(line, `"session":"`+session+`"`) && strings.Contains(line, `"audit":true`) {
				return
			}
		}
		t.Errorf("got %s, want an audit line %q of the session %s", log.String(), msg, session)
	}
	t.Run("idle", func(t *testing.T) {
		log.Reset()
		inWorld(t, func(w *world) {
			id := w.open().ID()
			pass(11 * time.Minute)
			wantLine(t, "signed out: no client was attached", id.Short())
		}, idle(sessions.IdleSignOut), logged)
	})
	t.Run("too many tokens", func(t *testing.T) {
		log.Reset()
		inWorld(t, func(w *world) {
			acc := perch.Account{JID: "carol@example.net", Password: perch.NewSecret(canary.Secret())}
			var id sessions.ID
			for range 2 {
				_, s, _, err := w.m.SignIn(w.ctx(), acc)
				if err != nil {
					t.Fatalf("SignIn: got error %v, want none", err)
				}
				id = s.ID()
			}
			wantLine(t, "token revoked: the session has too many", id.Short())
		}, logged, func(o *sessions.Options) { o.Store = &evictingStore{Store: o.Store} })
	})
}
