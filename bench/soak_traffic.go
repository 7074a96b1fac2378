package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// What a cycle does, for a thousand sessions; some hundred milliseconds of a core. Presence reaches
// all of them. The rest happens to those that are active, so that what a session keeps is soon as
// much as it will ever be.
const (
	soakActive    = 5  // one of so many sessions is active
	soakLog       = 20 // events that a session keeps: as many before the first look
	soakPresences = 5  // buddies that change
	soakMessages  = 2  // to half of the active ones each
	soakSockets   = 60 // event streams that come and go
	soakCuts      = 10 // one of so many active ones loses its connection
	soakRequests  = 300
	soakSends     = 50 // messages of guests
	soakGuests    = 20 // sessions that sign in and out
)

// active is how many sessions are; they are the first ones.
func (o soakOptions) active() int { return o.sessions / soakActive }

// soakLeaks is how many more sessions are left behind, over the length of a soak.
func soakLeaks(o soakOptions) int {
	if o.leak != "sessions" {
		return 0
	}
	return int(o.length/o.cycle+1) * o.left // a cycle takes no less than its time
}

// begin signs all in, and fills the log of each: they would grow until it is full.
func (s *soak) begin(ctx context.Context, l *lab) (err error) {
	s.client = newGatewayClient(s.gateway.url, l.buddies)
	if err := s.client.openRange(ctx, 0, s.o.sessions); err != nil {
		return err
	}
	if err := s.server.traffic(fmt.Sprintf("messages %d %d 0", soakLog*s.o.sessions, s.o.sessions)); err != nil {
		return err
	}
	s.began = time.Now()
	s.before, err = s.cpu()
	return err
}

// traffic is a burst: streams that listen, messages and presences, cuts, requests, sessions that
// come and go. Everything that it opens is closed when it returns.
func (s *soak) traffic(ctx context.Context, n int) (err error) {
	defer s.client.http.CloseIdleConnections()
	streams, err := s.openStreams(ctx, n)
	defer func() { err = errors.Join(err, closeAll(streams)) }()
	if err != nil {
		return err
	}
	active := s.o.active()
	cuts, half := max(1, active/soakCuts), active/2
	for _, line := range []string{
		fmt.Sprintf("presence %d cycle-%05d", min(soakPresences, s.o.buddies), n),
		fmt.Sprintf("drop %d %d", cuts, n*cuts%(active-cuts)),
		fmt.Sprintf("messages %d %d 0", soakMessages*half, half), // some of them are away
	} {
		if err := s.server.traffic(line); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context, int) error{s.requests, s.guests, s.leave} {
		if err := step(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// requests are those of clients without a stream.
func (s *soak) requests(ctx context.Context, n int) error {
	paths := []string{"/v1/presence", "/v1/session", "/v1/buddies", "/v1/events"}
	for i := range soakRequests {
		if err := s.call(ctx, http.MethodGet, (n*soakRequests+i)%s.o.active(), paths[i%len(paths)], ""); err != nil {
			return err
		}
	}
	return nil
}

// call makes a request of a session.
func (s *soak) call(ctx context.Context, method string, session int, path, body string) error {
	status, err := s.client.call(ctx, method, loadToken(session), path, body)
	switch {
	case err != nil:
		return err
	case status/100 == 2:
		return nil
	case status == http.StatusServiceUnavailable && method == http.MethodPost:
		return nil // it has just lost its connection
	}
	return fmt.Errorf("%s %s of session %d: %d", method, path, session, status)
}

// guests sign in, send messages and sign out: what is remembered of each message that was sent, for 24
// hours, goes with them. Of a session that stays it would grow for longer than any soak.
func (s *soak) guests(ctx context.Context, n int) error {
	first := s.o.sessions + n%2*soakGuests
	if err := openAll(ctx, first, first+soakGuests, s.client.open); err != nil {
		return err
	}
	for i := range soakSends {
		body := fmt.Sprintf(`{"to":"bot-%d@messenger.live.com","body":%q}`, i%s.o.buddies, loadBody)
		if err := s.call(ctx, http.MethodPost, first+i%soakGuests, "/v1/messages", body); err != nil {
			return err
		}
	}
	return openAll(ctx, first, first+soakGuests, func(ctx context.Context, i int) error {
		return s.call(ctx, http.MethodDelete, i, "/v1/session", "")
	})
}

// leave leaves something behind, when that was asked for: a soak that does not find it proves
// nothing.
func (s *soak) leave(ctx context.Context, n int) error {
	for i := range s.o.left {
		switch s.o.leak {
		case "sockets":
			stream, err := openStream(ctx, s.gateway.url, i, i%2 == 0)
			if err != nil {
				return err
			}
			s.left = append(s.left, stream)
		case "sessions":
			if err := s.client.open(ctx, s.o.sessions+2*soakGuests+n*s.o.left+i); err != nil {
				return err
			}
		}
	}
	return nil
}

func closeAll(list []io.Closer) (err error) {
	for _, c := range list {
		err = errors.Join(err, c.Close())
	}
	return err
}
