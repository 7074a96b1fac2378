package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/sessions"
)

// hopHeader carries what a node vouches for in a request that it forwards to a peer. Clients
// have no use for it: a request with one that no node has made is refused. In an answer to a
// peer it means that the hop was refused, and not the client's request.
const (
	hopHeader  = "Perch-Hop"
	hopRefused = "refused"
)

// hopAge is how old a hop may be, and how far apart the clocks of two nodes may be.
const hopAge = time.Minute

// hop is what a node vouches for. Its MAC also covers the node that it is for, the method,
// the target of the request and its id.
type hop struct {
	From sessions.NodeID `json:"from"`
	At   int64           `json:"at"`             // seconds since 1970
	Addr string          `json:"addr,omitempty"` // the client's address
	// Session is set when the client has shown a ticket, which From has redeemed: it stands in
	// for the credential. Such a hop is valid for one request, which Once identifies.
	Session sessions.ID `json:"session,omitempty"`
	// Token is the id of the token that the ticket was asked for with: it may do what that one may. Restricted
	// is the session, in place of Session, when that is not everything: nodes of an earlier version, which
	// would let it do everything, do not know it.
	Token      string      `json:"token,omitempty"`
	Restricted sessions.ID `json:"restricted,omitempty"`
	Once       string      `json:"once,omitempty"`
	// Operator is set when an operator has asked, whom From has let in: the SHA-256 of the body. Such
	// a hop is valid for one request below /admin/v1, and for no other.
	Operator string `json:"operator,omitempty"`

	invalid bool // the MAC, the time or the form is wrong
}

type hopKey struct{}

// hopFrom returns the hop of a request that a peer has forwarded, or nil when the request came
// from a client.
func hopFrom(ctx context.Context) *hop {
	h, _ := ctx.Value(hopKey{}).(*hop)
	return h
}

// vouchedBy is what the peer vouches for that has forwarded a request, after it has redeemed a ticket.
func vouchedBy(ctx context.Context) vouched {
	switch h := hopFrom(ctx); {
	case h == nil || h.invalid:
		return vouched{}
	case h.Restricted != "":
		return vouched{h.Restricted, h.Token, true}
	default:
		return vouched{h.Session, h.Token, false}
	}
}

// newHop vouches for a request with what this node knows of it.
func (a *API) newHop(r *http.Request, v vouched) hop {
	h := hop{From: a.o.Sessions.Self().ID, At: time.Now().Unix(), Session: v.session, Token: v.token}
	if v.restricted {
		h.Session, h.Restricted = "", v.session
	}
	if ip := middleware.GetClientIPAddr(r.Context()); ip.IsValid() {
		h.Addr = ip.String()
	}
	if v.session != "" {
		h.Once = newOnce()
	}
	return h
}

func newOnce() string { return rand.Text() }

// seal writes a hop as a header value that is valid for one node and one request.
func (a *API) seal(h hop, to sessions.NodeID, method, target, requestID string) string {
	body, _ := json.Marshal(h) // of plain fields: cannot fail
	text := base64.RawURLEncoding.EncodeToString(body)
	mac := a.o.Sessions.HopMAC(text, string(to), method, target, requestID)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac)
}

// unseal reads the hop of a request that has the header; nil: it is not valid.
func (a *API) unseal(r *http.Request) *hop {
	self, values := a.o.Sessions.Self().ID, r.Header.Values(hopHeader)
	if self == "" || len(values) != 1 {
		return nil
	}
	text, sum, _ := strings.Cut(values[0], ".")
	mac, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil || !a.o.Sessions.CheckHopMAC(mac, text, string(self), r.Method, r.RequestURI, requestID(r.Context())) {
		return nil
	}
	h := &hop{}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(body, h) != nil || time.Since(time.Unix(h.At, 0)).Abs() > hopAge {
		return nil
	}
	if (h.Session != "" || h.Restricted != "" || h.Operator != "") && !a.peers.replays.first(h.Once) {
		return nil
	}
	return h
}

// withHop finds out whether a request comes from a client or from a peer. A hop that is not
// valid is refused later (refuseInvalidHops), after the rate limit of its address.
func (a *API) withHop(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values(hopHeader)) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		h := a.unseal(r)
		if h == nil || h.Operator != "" {
			h = &hop{invalid: true}
		}
		r = r.WithContext(context.WithValue(r.Context(), hopKey{}, h))
		r.Header.Del(hopHeader)
		if !h.invalid {
			setClient(r, h)
		}
		next.ServeHTTP(w, r)
	})
}

// setClient makes the client that a peer vouches for the one of the request.
func setClient(r *http.Request, h *hop) {
	r.Header.Del("X-Forwarded-For")
	r.RemoteAddr = "" // unknown, rather than that of the peer
	if ip, err := netip.ParseAddr(h.Addr); err == nil {
		r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
	}
}

// trusted reports whether ctx is of a request that a peer has forwarded.
func trusted(ctx context.Context) bool {
	h := hopFrom(ctx)
	return h != nil && !h.invalid
}

// refuseInvalidHops refuses requests with a hop that is not valid.
func (a *API) refuseInvalidHops(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := hopFrom(r.Context()); h != nil && h.invalid {
			a.o.Observer.Forwarded(ForwardRefused)
			w.Header().Set(hopHeader, hopRefused)
			a.writeProblem(w, r, perch.Errorf(perch.KindForbidden, "%s is for the nodes of a gateway only: leave it out", hopHeader))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// replayGuard remembers what was used once, for as long as a hop is valid.
type replayGuard struct {
	mu   sync.Mutex
	seen ttlmap.Map[string, struct{}]
}

// replayLife is longer than any hop is valid: from the earliest clock to the latest.
const replayLife = 2*hopAge + time.Second

func newReplayGuard() *replayGuard {
	return &replayGuard{seen: ttlmap.Map[string, struct{}]{Max: maxRemembered}}
}

// first reports whether once is new and not empty.
func (o *replayGuard) first(word string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if _, ok := o.seen.Get(word, now); ok || word == "" {
		return false
	}
	o.seen.Put(word, struct{}{}, now, replayLife)
	return true
}
