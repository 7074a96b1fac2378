package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// receivePatience bounds how long nothing may come to the receiver.
const receivePatience = time.Minute

// slowReceiver takes every call, and its time.
type slowReceiver struct {
	url          string
	takes        time.Duration
	calls, conns highest

	mu     sync.Mutex
	events int
	last   time.Time // when some came
}

// startSlowReceiver starts one, which ends with the part.
func startSlowReceiver(l *lab, takes time.Duration) *slowReceiver {
	s := &slowReceiver{takes: takes}
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.conns.add(1)
		case http.StateClosed, http.StateHijacked:
			s.conns.add(-1)
		default:
		}
	}
	server.Start()
	l.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// ServeHTTP implements http.Handler.
func (s *slowReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.add(1)
	defer s.calls.add(-1)
	var call struct {
		Data struct{ Events []json.RawMessage }
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<24)).Decode(&call); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if sleep(r.Context(), s.takes) != nil {
		return // it comes again
	}
	s.mu.Lock()
	s.events, s.last = s.events+len(call.Data.Events), time.Now()
	s.mu.Unlock()
}

// await waits until so many events have come.
func (s *slowReceiver) await(ctx context.Context, events int) error {
	for begun := time.Now(); ; {
		s.mu.Lock()
		came, last := s.events, s.last
		s.mu.Unlock()
		if came >= events {
			return nil
		}
		if time.Since(begun) > receivePatience && time.Since(last) > receivePatience {
			return fmt.Errorf("%d of %d events have come, and none for %v", came, events, receivePatience)
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// highest is a count, and the most that it was.
type highest struct {
	mu       sync.Mutex
	now, top int
}

func (h *highest) add(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now += n
	h.top = max(h.top, h.now)
}

func (h *highest) most() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.top
}
