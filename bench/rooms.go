package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The names of what is measured of rooms.
const (
	nameRoomless  = "session without a room"
	nameInRoom    = "session in a room of all"
	nameChat      = "CPU of a chat message to each"
	nameRoomSaid  = "CPU of a message of the room"
	nameFirstIn   = "join of a large room"
	nameSecondIn  = "join of a large room, another session of it"
	nameLogOfChat = "heap of a chat message in the log"
)

// rooms measures what rooms (XEP-0045) cost a gateway: the same sessions first without one and then all
// in one, what they get as chat messages and as messages of the room, and few sessions that join rooms with
// many occupants.
func rooms(ctx context.Context, l *lab) error {
	if err := sharedRoom(ctx, l); err != nil {
		return fmt.Errorf("one room: %w", err)
	}
	if err := largeRooms(ctx, l); err != nil {
		return fmt.Errorf("large rooms: %w", err)
	}
	if err := prosodyRoom(ctx, l); err != nil {
		return fmt.Errorf("prosody: %w", err)
	}
	return nil
}

// roomLab is a server with rooms and a gateway in front of it.
type roomLab struct {
	*lab
	server  *child
	gateway *gateway
	client  *gatewayClient
}

// startRooms starts both, for so many sessions.
func (l *lab) startRooms(ctx context.Context, sessions int) (*roomLab, error) {
	server, err := l.child(ctx, kindServer, "rooms", strconv.Itoa(l.buddies))
	if err != nil {
		return nil, err
	}
	var ready serverReady
	if err := server.read(&ready); err != nil {
		return nil, err
	}
	g, err := l.gateway(sessions, ready, gatewayOptions{flags: []string{"--room-delivery-limit=0"}})
	if err != nil {
		return nil, err
	}
	return &roomLab{l, server, g, newGatewayClient(g.url, l.buddies)}, nil
}

// end ends the gateway, and then the server that it is connected to.
func (r *roomLab) end() error {
	r.client.http.CloseIdleConnections()
	r.gateway.end()
	return r.server.stop()
}

// traffic lets the server do something.
func (r *roomLab) traffic(format string, args ...any) (done roomsDone, err error) {
	if err := r.server.ask(fmt.Sprintf(format, args...), &done); err != nil {
		return done, err
	}
	if done.Error != "" {
		return done, errors.New(done.Error)
	}
	return done, nil
}

// used runs f, and returns what the gateway has used meanwhile, in seconds of CPU.
func (r *roomLab) used(f func() error) (float64, error) {
	before, err := cpuTime(r.gateway.PID())
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := cpuTime(r.gateway.PID())
	return after.minus(before).sum(), err
}

// join joins a room with a session, and waits until it is joined.
func (r *roomLab) join(ctx context.Context, session int, room, nick string) error {
	return joinAs(ctx, r.client, loadToken(session), room, nick)
}

// joinAs joins a room with the session of a token, and waits until it is joined.
func joinAs(ctx context.Context, c *gatewayClient, token, room, nick string) error {
	status, err := c.call(ctx, http.MethodPut, token, "/v1/rooms/"+url.PathEscape(room)+"?wait=joined", `{"nick":"`+nick+`","autojoin":null}`)
	if err == nil && status != http.StatusCreated { // the session did not have the room
		err = fmt.Errorf("join of %s: got %d, want %d", room, status, http.StatusCreated)
	}
	return err
}

// sharedRoom measures sessions that are all in one room.
func sharedRoom(ctx context.Context, l *lab) (err error) {
	warm, count := l.effort.warm, l.effort.rooms.sessions
	r, err := l.startRooms(ctx, warm+count)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	l.note("%d sessions without a room", count)
	if err := r.client.openRange(ctx, 0, warm); err != nil {
		return err
	}
	empty, err := r.gateway.weigh(ctx, l.effort.quiet)
	if err != nil {
		return err
	}
	if err := r.client.openRange(ctx, warm, warm+count); err != nil {
		return err
	}
	before, err := r.gateway.weigh(ctx, l.effort.quiet)
	if err != nil {
		return err
	}
	l.each(nameRoomless, "session", "", count, empty, before)
	if err := r.joinAll(ctx, warm, warm+count); err != nil {
		return err
	}
	after, err := r.gateway.weigh(ctx, l.effort.quiet)
	if err != nil {
		return err
	}
	l.each(nameInRoom, "session", nameRoomless, count, empty, after)
	l.report.add("a room of all adds, heap", (after.heap-before.heap)/float64(count), "bytes/session", "")
	return r.speech(ctx, count)
}

// joinAll lets sessions join the hall, and waits until each has handled what the joins of all have brought.
func (r *roomLab) joinAll(ctx context.Context, from, to int) error {
	r.note("%d sessions join a room", to-from)
	defer r.client.http.CloseIdleConnections()
	began := time.Now()
	used, err := r.used(func() error {
		err := openAll(ctx, from, to, func(ctx context.Context, i int) error { return r.join(ctx, i, hall, "Person "+strconv.Itoa(i)) })
		if err != nil {
			return err
		}
		r.report.add("joins of a room of all, time until all are joined", time.Since(began).Seconds(), "s", "")
		_, err = r.traffic("settle %d", to)
		return err
	})
	if err != nil {
		return err
	}
	n := float64(to - from)
	r.report.add("CPU of a join of a room of all", 1000*used/n, "ms", "")
	// Each session is told of each other one once, by the list or when that joins.
	r.report.add("CPU of an occupant in a join", 1e6*used/(n*n), "µs", "")
	return nil
}

// speech lets the room say something, and as many sessions get as many chat messages, in turns.
func (r *roomLab) speech(ctx context.Context, sessions int) error {
	said := r.effort.rooms.speech
	r.note("messages of a room, and chat messages, %d times %d", r.effort.turns, said)
	found := map[string][]float64{}
	for range r.effort.turns {
		for what, name := range map[string]string{"tell": nameChat, "say": nameRoomSaid} {
			used, err := r.used(func() error {
				_, err := r.traffic("%s %d", what, said)
				return err
			})
			if err != nil {
				return err
			}
			found[name] = append(found[name], 1000*used/float64(said))
		}
	}
	r.report.add(nameChat, median(found[nameChat]), "ms", "")
	r.report.add(nameRoomSaid, median(found[nameRoomSaid]), "ms", nameChat)
	return r.weighLog(ctx, sessions)
}

// weighLog weighs what the log keeps of a message, of each kind.
func (r *roomLab) weighLog(ctx context.Context, sessions int) error {
	w, err := r.gateway.weigh(ctx, r.effort.quiet)
	if err != nil {
		return err
	}
	for _, kind := range []struct{ what, name, beside string }{{"tell", nameLogOfChat, ""}, {"say", "heap of a message of the room in the log", nameLogOfChat}} {
		if _, err := r.traffic("%s %d", kind.what, r.effort.rooms.speech); err != nil {
			return err
		}
		now, err := r.gateway.weigh(ctx, r.effort.quiet)
		if err != nil {
			return err
		}
		r.report.add(kind.name, (now.heap-w.heap)/float64(sessions*r.effort.rooms.speech), "bytes/session", kind.beside)
		w = now
	}
	return nil
}
