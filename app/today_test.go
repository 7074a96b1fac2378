package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/todaytest"
	"github.com/perch-im/perch/today"
)

// TestTodayTakesTokens: a session that is restored signs in to the embedded service of today by the token that it
// was given for its password, and in the same step resumes its stream or, where that has expired, binds another.
func TestTodayTakesTokens(t *testing.T) {
	for _, tt := range []struct {
		name    string
		resume  time.Duration // 0: that of the service
		resumes int
	}{{"resumed", 0, 1}, {"bound again", time.Millisecond, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			l := loginNamed("today SCRAM-SHA-512")
			l.server = func(t testkit.TB) *testkit.Server { return todaytest.With(t, today.Options{ResumeTimeout: tt.resume}) }
			k := newRedisWorld(t, l)
			k.o.SealKeys = sealKeys(1)
			k.start(t)
			k.api.Token = k.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", map[string]string{"jid": k.alice.JID, "password": k.alice.Password}).JSON(t).Str("token")
			k.online(t)
			resource := k.api.Get(t, "/v1/session").Str("resource")
			k.shows(t, "perch_xmpp_token_sign_ins_total", 0)

			k.end(t)
			k.start(t)
			k.online(t)
			k.shows(t, "perch_xmpp_sign_ins_total", 1)
			k.shows(t, "perch_xmpp_token_sign_ins_total", 1)
			k.shows(t, "perch_xmpp_tokens_refused_total", 0)
			k.shows(t, "perch_xmpp_resumes_total", tt.resumes)
			if got := k.api.Get(t, "/v1/session").Str("resource"); (got == resource) != (tt.resumes > 0) {
				t.Errorf("got the resource %q after %q, want it kept: %v", got, resource, tt.resumes > 0)
			}
			k.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
			k.shows(t, "perch_xmpp_tokens_refused_total", 0)
		})
	}
}

// online waits for the session.
func (k *redisWorld) online(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() error {
		if state := k.api.Get(t, "/v1/session").Str("state"); state != "online" {
			return fmt.Errorf("the session is %s, want online", state)
		}
		return nil
	})
}

// shows waits for the value of a counter of the upstream.
func (k *redisWorld) shows(t *testing.T, metric string, want int) {
	t.Helper()
	line := fmt.Sprintf("\n%s{upstream=%q} %d\n", metric, k.o.Upstreams[0].Name, want)
	testkit.Eventually(t, 10*time.Second, func() error {
		if text := scrape(t, k.app); !strings.Contains(text, line) {
			return fmt.Errorf("/metrics has no line %q", line)
		}
		return nil
	})
}
