package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/perch-im/perch/api/internal/mcptools"
)

// Observer counts what the API does, for metrics. Its texts come from small, fixed sets, so each
// can be a label: the route is a pattern, the method one of HTTP. Requests call it at their end:
// it must not wait.
type Observer interface {
	// Request is a request that was answered. Route is the pattern, "" when no route took the
	// request; method is one of those that the log knows, or "other"; status is 0 when the
	// connection was cut before the answer. Event streams, which last as long as their clients
	// stay, are not among them, nor are the tools of agents, some of which wait; refused ones are.
	Request(route, method string, status int, took time.Duration)
	// Queue is how many events were queued when a stream wrote them.
	Queue(frames int)
	// Forwarded is a request whose session a peer owns, by its result, or one with a hop that no
	// peer has made: one of ForwardResults.
	Forwarded(result string)
	// Upload is a file whose way to an upload service through this node has ended, by its result, one of
	// UploadResults, and how many of its bytes have come.
	Upload(result string, bytes int64)
	// Tool is a tool that an agent has called by POST /mcp, one of ToolNames, and whether its result was an error.
	Tool(name string, failed bool)
}

// ToolNames are the names of all tools.
func ToolNames() []string { return mcptools.Names() }

// The results that Observer.Forwarded gets.
const (
	ForwardOK          = "ok"          // the peer has answered
	ForwardRetried     = "retried"     // the first owner that was found had it no longer; the second lookup was right
	ForwardUnreachable = "unreachable" // no peer has answered
	ForwardRefused     = "refused"     // the hop of a request is not valid on this node
)

// ForwardResults are all of them.
var ForwardResults = []string{ForwardOK, ForwardRetried, ForwardUnreachable, ForwardRefused}

// The results that Observer.Upload gets.
const (
	UploadOK          = "ok"          // the service has the file
	UploadRefused     = "refused"     // by the service, with a status
	UploadUnreachable = "unreachable" // the service gave no answer, has no sound certificate, or may not be dialled
	UploadStalled     = "stalled"     // nothing has moved for too long, on either side
	UploadAborted     = "aborted"     // the client has left, or its body could not be read
)

// UploadResults are all of them.
var UploadResults = []string{UploadOK, UploadRefused, UploadUnreachable, UploadStalled, UploadAborted}

type unobserved struct{}

func (unobserved) Request(string, string, int, time.Duration) {}
func (unobserved) Queue(int)                                  {}
func (unobserved) Forwarded(string)                           {}
func (unobserved) Upload(string, int64)                       {}
func (unobserved) Tool(string, bool)                          {}

// Transports are the keys of Streams.
var Transports = []string{"ws", "sse", "ndjson", "poll"}

// Streams reports how many event streams are open, by transport.
func (a *API) Streams() map[string]int {
	n := make(map[string]int, len(Transports))
	for _, t := range Transports {
		n[t] = 0
	}
	a.streams.mu.Lock()
	defer a.streams.mu.Unlock()
	for e := range a.streams.streams {
		n[e.transport]++
	}
	return n
}

// observe reports a request at its end. One that became a stream
// is left out, as is one to the tools, which may wait: its duration says nothing about how fast answers are.
func (a *API) observe(method, route string, status int, took time.Duration) {
	if route == mcpPath && status < 300 {
		return
	}
	if method == http.MethodGet && status < 300 && (route == "/v1/events" || strings.HasPrefix(route, "/v1/events/ws")) {
		return
	}
	a.o.Observer.Request(route, knownMethod(method), status, took)
}
