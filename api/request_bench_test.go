package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// discarded is an answer whose body nobody reads.
type discarded struct {
	header http.Header
	status int
	bytes  int
}

func (d *discarded) Header() http.Header { return d.header }
func (d *discarded) WriteHeader(status int) {
	d.status = status
}
func (d *discarded) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

// fifty is a gateway whose session has a roster of fifty, all of them available.
func fifty(tb testing.TB) *gateway {
	g := newGateway(tb, func(o *gatewayOptions) { o.noRoster = true })
	g.up.Edit(func(d *fakexmpp.Data) {
		for i := range 50 {
			d.Roster = append(d.Roster, perch.Buddy{JID: perch.JID(fmt.Sprintf("buddy-%02d@example.net", i)), Name: fmt.Sprint("Buddy ", i),
				Groups: []string{"Friends"}, Subscription: perch.SubscriptionBoth})
		}
	})
	conn := g.open("tok-alice")
	for i := range 50 {
		conn.Deliver(&perch.PresenceIn{From: perch.JID(fmt.Sprintf("buddy-%02d@example.net/phone", i)), Available: true, Show: perch.ShowAway, Status: "In a meeting"})
	}
	g.waitLogged("tok-alice", conn)
	return g
}

// BenchmarkRequests is the work of a request without the server and the network: the middleware, the
// session, and the answer. The state of the session is the floor.
func BenchmarkRequests(b *testing.B) {
	g := fifty(b)
	for _, c := range []struct{ name, path string }{
		{"session", "/v1/session"}, {"presence", "/v1/presence"}, {"presence-one", "/v1/presence/buddy-07@example.net"},
		{"buddies", "/v1/buddies"}, {"buddies-with-presence", "/v1/buddies?include=presence"},
	} {
		for _, again := range []bool{false, true} {
			r := httptest.NewRequest(http.MethodGet, c.path, nil)
			r.Header.Set("Authorization", "Bearer tok-alice")
			name, status := c.name, http.StatusOK
			if again {
				w := httptest.NewRecorder()
				g.api.Handler().ServeHTTP(w, r)
				tag := w.Header().Get("ETag")
				if tag == "" {
					continue
				}
				r.Header.Set("If-None-Match", tag)
				name, status = name+"-304", http.StatusNotModified
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w := &discarded{header: http.Header{}}
					g.api.Handler().ServeHTTP(w, r)
					if w.status != status {
						b.Fatalf("got status %d, want %d", w.status, status)
					}
				}
			})
		}
	}
}
