package api

import (
	"strconv"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/wsframe"
)

// pings are the pings of a WebSocket: one after each Options.Heartbeat, and the stream ends when it is
// not answered in time. The turn sends them, the reader hears of the answers.
type pings struct {
	mu     sync.Mutex
	number int           // of the last ping
	pong   time.Duration // when it was answered; 0: not yet
	frames int           // messages that the client has sent
	before int           // how many of them when the ping was sent
}

// answered is a pong of the client.
func (p *pings) answered(payload []byte, now time.Duration) {
	var number [20]byte
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pong == 0 && string(payload) == string(strconv.AppendInt(number[:0], int64(p.number), 10)) {
		p.pong = now
	}
}

// heard is a message of the client.
func (p *pings) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames++
}

// next begins a ping, and returns its frame.
func (p *pings) next() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	p.pong, p.before = 0, p.frames
	return wsframe.Append(nil, wsframe.Ping, strconv.AppendInt(nil, int64(p.number), 10))
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
		d.control(p.next())
		st.pongBy = st.api.now() + o.PingTimeout
	}
}
