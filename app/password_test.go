package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// TestPasswordIsChanged on real servers (XEP-0077): who does not know the password changes nothing; the
// session stays online, with its token, and the password before opens nothing any more. A server that
// changes none says so.
func TestPasswordIsChanged(t *testing.T) {
	for _, l := range logins {
		if l.name != "prosody PLAIN" && l.name != "ejabberd SCRAM-SHA-1" {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			alice := s.NewUserAt(t, "alice", l.domainOn(s))
			a := start(t, l.upstream(s, l.address(s)))
			body := map[string]string{"jid": alice.JID, "password": alice.Password}
			g := testkit.NewGateway(t, a.URL(), "")
			g.Token = g.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", body).JSON(t).Str("token")
			stream := live(t, g, "")
			fresh := canary.Secret()
			put := func(status int, current string) testkit.Answer {
				t.Helper()
				return g.Call(t, status, http.MethodPut, "/v1/session/password", map[string]string{"current": current, "new": fresh})
			}
			wantProblem(t, put(http.StatusForbidden, canary.Secret()), "forbidden")
			if strings.HasPrefix(l.name, "ejabberd") {
				wantProblem(t, put(http.StatusNotImplemented, alice.Password), "feature-unsupported")
				g.Call(t, http.StatusOK, http.MethodPost, "/v1/session", body)
				return
			}
			put(http.StatusNoContent, alice.Password)
			if state := g.Get(t, "/v1/session").Str("state"); state != "online" {
				t.Errorf("the session is %s after the change, want online", state)
			}
			g.Call(t, http.StatusUnauthorized, http.MethodPost, "/v1/session", body)
			body["password"] = fresh
			g.Call(t, http.StatusOK, http.MethodPost, "/v1/session", body)
			s.SlixmppFor(t, testkit.User{JID: alice.JID, Password: fresh}) // the server has it too
			for _, f := range stream.Frames() {
				if f.Type == "session.state" {
					t.Errorf("the session flapped: got %s, want no %s", f.Raw, f.Type)
				}
			}
		})
	}
}
