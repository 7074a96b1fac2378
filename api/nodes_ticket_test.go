package api_test

import (
	"net/http"
	"testing"

	"github.com/perch-im/perch/api"
)

// TestTicketOfAnotherNode: whichever node made a ticket, and whichever has the session, any
// node takes it, once, from its own page only.
func TestTicketOfAnotherNode(t *testing.T) {
	n := newNodes(t, func(o *gatewayOptions) {
		o.Origins = []string{"https://chat.example", "https://other.example"}
		o.SignInRate = api.Rate{PerSecond: 1e6, Burst: 1e6} // refused tickets count as guesses
	})
	n.openAtB("tok-alice")
	chat, other := header("Origin", "https://chat.example"), header("Origin", "https://other.example")
	refused := func(what string, g *gateway, ticket string, h http.Header) {
		t.Helper()
		if r := g.try("ticket="+ticket, h, "perch.v1"); h == nil && r.status != 401 || h != nil && (r.code != 4001 || r.problem != "unauthorized") {
			t.Errorf("%s: %+v, want 401, or 4001 for a page", what, r)
		}
	}
	for made, g := range map[string]*gateway{"at the owner": n.b, "elsewhere": n.a} {
		for used, h := range map[string]*gateway{"at the owner": n.b, "elsewhere": n.a} {
			what := "made " + made + ", used " + used
			k, status := g.ticket("tok-alice", "https://chat.example")
			if status != 201 {
				t.Fatalf("%s: %d, want 201", what, status)
			}
			if r := h.try("ticket="+k.Ticket, chat, "perch.v1"); r.code != 0 || r.types[len(r.types)-1] != "live" {
				t.Errorf("%s: %+v, want live", what, r)
			}
			refused(what+", again there", h, k.Ticket, chat)
			refused(what+", again here", g, k.Ticket, chat)
			k, _ = g.ticket("tok-alice", "https://chat.example")
			refused(what+", another page", h, k.Ticket, other)
			refused(what+", after another page has shown it", g, k.Ticket, chat)
			k, _ = g.ticket("tok-alice", "https://chat.example")
			refused(what+", no page", h, k.Ticket, nil)
			k, _ = g.ticket("tok-alice", "")
			refused(what+", a program's from a page", h, k.Ticket, chat)
		}
	}
	refused("never made", n.a, "x", chat)
}

// TestTicketAfterAMove: it leads to the session, wherever that is by then.
func TestTicketAfterAMove(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	k, _ := n.b.ticket("tok-alice", "")
	n.handOver(t, "tok-alice")
	n.learn(t, "tok-alice") // a has it now
	if r := n.b.try("ticket="+k.Ticket, nil, "perch.v1"); r.status != 101 || r.code != 0 {
		t.Errorf("got %+v, want 101", r)
	}
	k, _ = n.a.ticket("tok-alice", "")
	n.toA.cut()
	if r := n.b.try("ticket="+k.Ticket, nil, "perch.v1"); r.status != 503 {
		t.Errorf("a node that cannot be reached: %+v, want 503", r)
	}
}

// TestVouchedHopIsUsedOnce: a hop in place of a credential is valid for one request, and one that
// does not is none.
func TestVouchedHopIsUsedOnce(t *testing.T) {
	n := newNodes(t)
	n.openAtB("tok-alice")
	id := n.b.idOf(t, "tok-alice")
	hop := n.sign(func(h *api.Hop) { h.Session, h.Once = id, "a-word" })
	socket := header("Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
		"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "X-Request-Id", "request-1")
	open := func(vouch func(*http.Request) string) int {
		r := n.b.request(t.Context(), "GET", "/v1/events/ws?ticket=ended", "", socket)
		r.Header.Set(api.HopHeader, vouch(r))
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatalf("http.DefaultTransport.RoundTrip: got error %v, want none", err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if first, second := open(hop), open(hop); first != 101 || second != 403 {
		t.Errorf("hops, used twice: got %d, then %d, want 101, then 403", first, second)
	}
	if status := open(n.sign(as)); status != 401 {
		t.Errorf("without a session: %d, want 401", status)
	}
	status, _, _ := n.hopTo(t, "GET", "/v1/buddies", "", n.sign(func(h *api.Hop) { h.Session, h.Once = id, "another" }))
	if status != 401 {
		t.Errorf("it opens more than a socket: %d, want 401", status)
	}
}
