package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestTwoGatewaysOneResource lets two gateways bind the same resource of one account: the
// server ends the older stream with <conflict/> each time. That has an end: one of them
// gives up, reports why, and does not reconnect.
func TestTwoGatewaysOneResource(t *testing.T) {
	const mostLogins = 4 // of each gateway
	for _, l := range onEach() {
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			w := &world{server: s, alice: s.NewUserAt(t, "alice", l.domainOn(s))}
			body := map[string]string{"jid": w.alice.JID, "mechanism": l.mechanism, "password": w.alice.Password, "resource": "desk"}
			var gateways []*testkit.Gateway
			for range 2 {
				g := testkit.NewGateway(t, start(t, l.upstream(s, l.address(s))).URL(), "")
				g.Token = g.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", body).JSON(t).Str("token")
				gateways = append(gateways, g)
			}
			states := func() (online, suspended int) {
				for _, g := range gateways {
					switch s := g.Get(t, "/v1/session"); {
					case s.Str("state") == "online":
						online++
					case s.Str("state") == "suspended" && s.Str("reason") == "conflict":
						suspended++
					}
				}
				return online, suspended
			}
			testkit.Eventually(t, 90*time.Second, func() error {
				if online, suspended := states(); online != 1 || suspended != 1 {
					return fmt.Errorf("%d online, %d suspended by a conflict; want one each", online, suspended)
				}
				return nil
			})
			if n := s.CountLogins(t, w.alice.JID); n < 3 || n > 2*mostLogins {
				t.Errorf("the server has seen %d logins, want at most %d of each gateway", n, mostLogins)
			}
		})
	}
}
