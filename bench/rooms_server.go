package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/perch-im/perch/internal/testkit"
)

// The names of the server with rooms.
const (
	roomsDomain  = "rooms.test"
	roomsService = "conference." + roomsDomain
	roomTokens   = "X-MESSENGER-OAUTH2"
	hall         = "hall@" + roomsService // the room of all sessions
)

// crowdRoom is the i-th room with occupants who have no session.
func crowdRoom(i int) string { return fmt.Sprintf("crowd-%d@%s", i, roomsService) }

// roomServer is an XMPP server with rooms (XEP-0045): as much of one as a gateway asks for. It takes every
// token, and does little, so that what is measured is the gateway. A real one serves the sessions of a room
// one after the other, and takes most of the time of a join.
type roomServer struct {
	buddies int // of each account, all with presence
	tls     *tls.Config

	mu      sync.Mutex // of all that follows
	streams map[string]*roomStream
	rooms   map[string]*crowd // by bare JID
	open    sync.WaitGroup
}

// roomsRole is that server, until standard input closes. Each line on it is traffic to be made, see
// roomServer.traffic. The argument is the number of buddies of each account.
func roomsRole(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("rooms: want the buddies of an account, got %d arguments", len(args))
	}
	buddies, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return withTestkit(func(b *bencher) error {
		ca := testkit.CA(b)
		cert, err := tls.X509KeyPair(ca.Leaf(b, roomsDomain))
		if err != nil {
			return err
		}
		s := newRoomServer(buddies, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.open.Go(func() { s.accept(l) })
		err = errors.Join(
			say(serverReady{Addr: l.Addr().String(), Domain: roomsDomain, CA: ca.PEM, Tokens: roomTokens}),
			serveLines(func(line string) (any, error) { return s.traffic(ctx, line), nil }),
		)
		return errors.Join(err, l.Close(), s.close())
	})
}

func newRoomServer(buddies int, config *tls.Config) *roomServer {
	return &roomServer{buddies: buddies, tls: config, streams: map[string]*roomStream{}, rooms: map[string]*crowd{hall: newCrowd(hall, 0)}}
}

// accept serves connections until the listener is closed.
func (s *roomServer) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.open.Go(func() {
			x := &roomStream{server: s, conn: conn}
			x.came = sync.NewCond(&x.mu)
			_ = x.serve() // of a gateway that is killed at the end
			_ = conn.Close()
		})
	}
}

// close ends all connections, and waits for those who serve them.
func (s *roomServer) close() error {
	s.mu.Lock()
	for _, x := range s.streams {
		_ = x.conn.Close()
	}
	s.mu.Unlock()
	s.open.Wait()
	return nil
}

// room is a room that exists, or nil.
func (s *roomServer) room(jid string) *crowd {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms[jid]
}

// stream is that of an account; nil: it is not signed in.
func (s *roomServer) stream(account string) *roomStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[account]
}
