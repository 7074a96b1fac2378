package api

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
)

// pings are the pings of a WebSocket: one after each Options.Heartbeat, and the stream ends when it is
// not answered in time. The turn begins them, and a goroutine waits for the answer of each.
type pings struct {
	ws *websocket.Conn

	mu     sync.Mutex
	pong   time.Duration // when the last ping was answered; 0: not yet
	frames int           // messages that the client has sent
	before int           // how many of them when the ping was sent
}

// heard is a message of the client.
func (p *pings) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames++
}

// begin sends a ping, and waits for its answer in a goroutine that ends with the connection.
func (p *pings) begin(st *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pong, p.before = 0, p.frames
	st.detached.readers.Go(func() {
		// Not a context of the stream: one that ends in the middle of a write would drop the
		// connection before its close code is sent.
		ctx, cancel := context.WithTimeout(context.Background(), st.api.o.PingTimeout)
		defer cancel()
		if p.ws.Ping(ctx) == nil {
			p.answered(st.api.now())
		}
	})
}

func (p *pings) answered(now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pong = now
}

// state reports when the last ping was answered, and whether messages have come since it was sent.
func (p *pings) state() (pong time.Duration, alive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pong, p.frames != p.before
}

// onTimer sends a ping, or judges the last one. It counts as an answer when messages arrive, since
// a pong can be queued behind a slow command; and a client that is slow to take a frame has a
// time limit of its own.
func (p *pings) onTimer(st *stream) {
	d, o := st.detached, st.api.o
	if st.pongBy != 0 {
		by := st.pongBy
		pong, alive := p.state()
		switch {
		case pong != 0:
			st.pongBy, st.pingAt = 0, pong+o.Heartbeat
		case !st.come(&st.pongBy):
		case alive || st.mail.running() || d.slow >= by:
			st.pingAt = st.api.now() + o.Heartbeat
		default:
			st.endAfter(ending{closeHeartbeat, perch.Errorf(perch.KindUpstreamTimeout, "no pong within %d seconds", seconds(o.PingTimeout))})
		}
	}
	if st.come(&st.pingAt) {
		p.begin(st)
		st.pongBy = st.api.now() + o.PingTimeout
	}
}
