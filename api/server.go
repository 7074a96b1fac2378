package api

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer makes the http.Server of a listener with the limits that the documentation
// promises: 5 s for a request's header, 16 KiB for all its headers, 60 s of idleness.
// There is no write time-out here, because it would end event streams; every REST request
// sets its own deadlines.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		// net/http reads 4 KiB more than it is told before it refuses with 431.
		MaxHeaderBytes: 12 << 10,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: 100},
		// Its lines are about single connections, such as a TLS handshake of a scanner.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
