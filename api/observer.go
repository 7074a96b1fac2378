package api

import (
	"net/http"
	"strings"
	"time"
)

// Observer counts what the API does, for metrics. Its words come from small, fixed sets,
// so each may be a label: the route is a pattern, the method one of HTTP's own. Requests
// call it at their end: it must not wait.
type Observer interface {
	// Request is a request that was answered. Route is the pattern, "" when no route took the
	// request; method is one of those that the log knows, or "other"; status is 0 when the
	// connection was cut before the answer. Event streams, which last as long as their clients
	// like, are not among them; what refuses one is.
	Request(route, method string, status int, took time.Duration)
	// Queue is how many events a stream found queued when it came to write them.
	Queue(frames int)
	// Forwarded is a request whose session is on another node, by what became of it, or one
	// that came as if from another node and did not: one of ForwardResults.
	Forwarded(result string)
}

// The results that Observer.Forwarded gets.
const (
	ForwardOK          = "ok"          // the node that was asked has answered
	ForwardRetried     = "retried"     // it was not there; looking again helped
	ForwardUnreachable = "unreachable" // no node answered
	ForwardRefused     = "refused"     // no node has made this request, or not for us
)

// ForwardResults are all of them.
var ForwardResults = []string{ForwardOK, ForwardRetried, ForwardUnreachable, ForwardRefused}

type unobserved struct{}

func (unobserved) Request(string, string, int, time.Duration) {}
func (unobserved) Queue(int)                                  {}
func (unobserved) Forwarded(string)                           {}

// Transports are what Streams counts by.
var Transports = []string{"ws", "sse", "ndjson", "poll"}

// Streams reports how many event streams are open, by transport.
func (a *API) Streams() map[string]int {
	n := make(map[string]int, len(Transports))
	for _, t := range Transports {
		n[t] = 0
	}
	a.stream.mu.Lock()
	defer a.stream.mu.Unlock()
	for e := range a.stream.open {
		n[e.transport]++
	}
	return n
}

// observe reports a request at its end. One that became a stream says nothing about how
// fast answers are.
func (a *API) observe(r *http.Request, status int, took time.Duration) {
	route := routePattern(r)
	if r.Method == http.MethodGet && status < 300 && (route == "/v1/events" || strings.HasPrefix(route, "/v1/events/ws")) {
		return
	}
	a.o.Observer.Request(route, knownMethod(r.Method), status, took)
}
