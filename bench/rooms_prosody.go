package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// prosodyHall is the room of a real server.
const prosodyHall = "hall@conference.alpha.test"

// prosodyRoom measures the join of a room of a real server that has many occupants, beside a client that
// does nothing but read what the room says, up to the subject.
func prosodyRoom(ctx context.Context, l *lab) (err error) {
	p := &prosodyLab{lab: l, server: l.prosody()}
	ca, err := os.ReadFile(p.server.CAFile)
	if err != nil {
		return err
	}
	p.ready = serverReady{Addr: p.server.Addr, Domain: p.server.Domain, CA: ca, Tokens: roomTokens}
	defer func() { err = errors.Join(err, p.leave()) }()
	l.note("a room of Prosody with %d occupants", l.effort.rooms.real)
	if err := p.fill(ctx); err != nil {
		return err
	}
	if p.gateway, err = l.gateway(l.effort.fewTurns+1, p.ready, gatewayOptions{}); err != nil {
		return err
	}
	defer p.gateway.end()
	var bare, perch, sizes []float64
	for range l.effort.fewTurns {
		size, took, err := p.bareJoin(ctx)
		if err != nil {
			return err
		}
		sizes, bare = append(sizes, float64(size)/1024), append(bare, took)
		if took, err = p.join(ctx); err != nil {
			return err
		}
		perch = append(perch, took)
	}
	const name = "join of a room of Prosody, "
	l.report.add(name+"a bare client, time", median(bare), "ms", "")
	l.report.add(name+"time", median(perch), "ms", name+"a bare client, time")
	l.report.add(name+"bytes from the server", median(sizes), "KiB", "")
	return nil
}

// prosodyLab is a real server with a room, and a gateway in front of it.
type prosodyLab struct {
	*lab
	server  *testkit.Server
	ready   serverReady
	gateway *gateway
	list    []*xmppSocket // who is in the room
	reading sync.WaitGroup
	guests  int
}

// fill lets others into the room, over the server's own WebSocket. The first one makes it.
func (p *prosodyLab) fill(ctx context.Context) error {
	if err := p.enter(ctx, 0); err != nil {
		return err
	}
	err := p.list[0].write(ctx, "<iq xmlns='jabber:client' type='set' id='own' to='"+prosodyHall+"'><query xmlns='http://jabber.org/protocol/muc#owner'>"+
		"<x xmlns='jabber:x:data' type='submit'/></query></iq>")
	if err := errors.Join(err, p.list[0].until(ctx, `own`)); err != nil {
		return err
	}
	for i := range p.effort.rooms.real {
		if i > 0 {
			if err := p.enter(ctx, i); err != nil {
				return err
			}
		}
		s := p.list[i]
		p.reading.Go(func() {
			for {
				if _, _, err := s.ws.Read(ctx); err != nil { // closed at the end
					return
				}
			}
		})
	}
	return nil
}

// enter lets one in.
func (p *prosodyLab) enter(ctx context.Context, i int) error {
	u := p.server.NewUser(p, "person")
	s, err := openXMPP(ctx, p.server.HTTPAddr, u.JID, u.Password, "person")
	if err != nil {
		return err
	}
	p.list = append(p.list, s)
	return errors.Join(
		s.write(ctx, fmt.Sprintf("<presence xmlns='jabber:client' to='%s/Person %d'><x xmlns='%s'><history maxstanzas='0'/></x>"+
			"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.net/client' ver='2jmj7l5rSw0yVb/vlWAYkK/YBwk='/></presence>", prosodyHall, i, nsMUC)),
		s.until(ctx, "<subject"),
	)
}

// leave ends all that are in the room.
func (p *prosodyLab) leave() (err error) {
	for _, s := range p.list {
		err = errors.Join(err, s.close())
	}
	p.reading.Wait()
	return err
}

// guest is a token of an account of its own, and a nick.
func (p *prosodyLab) guest() (token, nick string) {
	p.guests++
	return p.server.IssueToken(p, p.server.NewUser(p, "guest").JID), fmt.Sprint("Guest ", p.guests)
}

// bareJoin reads what the room says to one who joins: how much it is, and how many milliseconds it takes.
func (p *prosodyLab) bareJoin(ctx context.Context) (size int, took float64, err error) {
	token, nick := p.guest()
	r, err := dialRaw(ctx, p.ready)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := errors.Join(r.secure(ctx), r.signIn(token)); err != nil {
		return 0, 0, err
	}
	before, began := r.bytes, time.Now()
	err = r.exchange("<presence to='"+prosodyHall+"/"+nick+"'><x xmlns='"+nsMUC+"'><history maxstanzas='0'/></x></presence>", "<subject")
	return r.bytes - before, time.Since(began).Seconds() * 1000, err
}

// join lets a session of the gateway join, and returns how many milliseconds it takes.
func (p *prosodyLab) join(ctx context.Context) (float64, error) {
	token, nick := p.guest()
	c := newGatewayClient(p.gateway.url, 0)
	defer c.http.CloseIdleConnections()
	if _, err := c.get(ctx, token, "/v1/session"); err != nil {
		return 0, err
	}
	if err := p.gateway.awaitOnline(ctx, 1, time.Minute); err != nil {
		return 0, err
	}
	began := time.Now()
	err := joinAs(ctx, c, token, prosodyHall, nick)
	return time.Since(began).Seconds() * 1000, err
}
