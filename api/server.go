package api

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of a listener. None is an option: they bound the resources that an unknown client can
// occupy, and no ordinary client comes near them.
const (
	headerTime = 5 * time.Second  // for the header of a request, and for a TLS handshake
	idleTime   = 60 * time.Second // between two requests of a connection
	bodyTime   = 30 * time.Second // for the body of a request
	answerTime = 60 * time.Second // until the client has taken the whole answer
	// net/http reads 4 KiB more than its limit before it refuses with 431.
	headerBytes = 12 << 10

	// Of HTTP/2, which needs TLS here.
	http2Streams   = 100              // requests at once on a connection
	http2Ping      = 30 * time.Second // without traffic, until a connection is checked by a ping
	http2PingTime  = 15 * time.Second // for its answer
	http2WriteTime = 10 * time.Second // without a byte that the client takes
)

// NewServer makes the http.Server of a listener with the limits that the documentation
// promises. No connection is without a deadline: every request has one for its body and one
// for its answer, which a handler may replace by its own (a REST request), by one for each
// frame (an event stream), or take over with the connection (a WebSocket).
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Handler:           withDeadlines(h),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: http2Streams,
			SendPingTimeout:      http2Ping, PingTimeout: http2PingTime, WriteByteTimeout: http2WriteTime,
		},
		// Its lines are about single connections, such as a failed TLS handshake of a scanner.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// withDeadlines bounds every request. They are not the time-outs of http.Server, which
// would end event streams: a handler could not take those back for a connection over
// HTTP/2, and the read time-out would count the wait for the request too.
func withDeadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setDeadlines(w, bodyTime, answerTime)
		next.ServeHTTP(w, r)
	})
}

// setDeadlines bounds the rest of a request. A writer that has no deadlines, as in a test,
// is no error.
func setDeadlines(w http.ResponseWriter, body, answer time.Duration) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(body))
	_ = rc.SetWriteDeadline(time.Now().Add(answer))
}
