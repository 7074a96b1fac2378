package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// roomsDone is the answer to a line of the server with rooms.
type roomsDone struct {
	trafficDone
	Bytes int64 // of stanzas that an account was sent
}

// traffic does what a line asks for:
//
//	crowds N M    makes N rooms with M occupants who have no session
//	say N         has one say N messages to the hall, one every sayEvery, and waits until all are handled
//	tell N        sends as many chat messages to each who is in the hall, so too
//	settle N      waits until the first N accounts have handled all that they were sent
//	bytes ACCOUNT says how much an account was sent
func (s *roomServer) traffic(ctx context.Context, line string) (done roomsDone) {
	begun := time.Now()
	if err := s.do(ctx, line, &done); err != nil {
		return roomsDone{trafficDone: trafficDone{Error: fmt.Sprintf("traffic %.40q: %v", line, err)}}
	}
	done.Took = time.Since(begun)
	return done
}

// sayEvery is slow enough for one message to be over before the next, as it is in rooms.
const sayEvery = 200 * time.Millisecond

func (s *roomServer) do(ctx context.Context, line string, done *roomsDone) error {
	what, rest, _ := strings.Cut(line, " ")
	if what == "bytes" {
		x := s.stream(rest)
		if x == nil {
			return fmt.Errorf("%s is not signed in", rest)
		}
		done.Bytes = x.received()
		return nil
	}
	var n, m int
	if _, err := fmt.Sscan(rest, &n); err != nil {
		return err
	}
	c := s.room(hall)
	switch what {
	case "crowds":
		if _, err := fmt.Sscan(rest, &n, &m); err != nil {
			return err
		}
		s.makeCrowds(n, m)
		return nil
	case "say":
		return repeatedly(ctx, n, c.say, c.clients())
	case "tell":
		return repeatedly(ctx, n, c.tell, c.clients())
	case "settle":
		return settleAll(ctx, s.first(n))
	}
	return fmt.Errorf("%q is not known", what)
}

func (s *roomServer) makeCrowds(n, occupants int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		s.rooms[crowdRoom(i)] = newCrowd(crowdRoom(i), occupants)
	}
}

// first are the streams of the first accounts that are signed in.
func (s *roomServer) first(n int) (list []*roomStream) {
	for i := range n {
		if x := s.stream(loadToken(i)); x != nil {
			list = append(list, x)
		}
	}
	return list
}

func repeatedly(ctx context.Context, n int, f func(), clients []*roomStream) error {
	for range n {
		f()
		if err := sleep(ctx, sayEvery); err != nil {
			return err
		}
	}
	return settleAll(ctx, clients)
}

// settleAll asks all at once, and waits for them.
func settleAll(ctx context.Context, clients []*roomStream) error {
	var wg sync.WaitGroup
	errs := make([]error, len(clients))
	for i, x := range clients {
		wg.Go(func() { errs[i] = x.settled(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
