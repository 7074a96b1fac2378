package xmppconn

import (
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// Keepalive: after a silence of KeepAlive the own domain is pinged (XEP-0199); blanks
// between stanzas, the cheaper way, did not keep the Messenger service from closing the stream.
// Any byte that arrives shows that the server is there. There is one timer for all of it.

// keepaliveState are times since Dialer.epoch, 0 for none. Conn.mu guards it.
type keepaliveState struct {
	pingAt       time.Duration
	pingID       string
	ackRequestAt time.Duration // when the server is asked what it has
}

var errNoAnswer = perch.Errorf(perch.KindLinkLost, "the server stopped answering")

// tick is the timer's function.
func (c *Conn) tick() {
	defer c.recoverPanic("keepalive")
	if !c.alive() {
		c.end(errNoAnswer)
	}
}

func (c *Conn) alive() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.checkAlive()
}

// checkAlive pings if it is time to, and sets the timer for the next look. It returns false
// when a ping went unanswered. The caller holds mu.
func (c *Conn) checkAlive() bool {
	if c.err != nil || c.closing || c.writeErr != nil {
		return true
	}
	now, heard := c.d.now(), time.Duration(c.lastRead.Load())
	if c.pingAt != 0 && heard <= c.pingAt {
		if left := c.pingAt + c.d.up.PingTimeout - now; left > 0 {
			c.timer.Reset(left)
			return true
		}
		// While the session holds the reader back, the answer is not read yet: ping again,
		// for the server's sake, and start the wait anew.
		if !c.delivering.Load() {
			return false
		}
		c.sendPing(now)
		return true
	}
	c.pingAt = 0
	if left := c.pingDue(heard) - now; left > 0 {
		c.timer.Reset(left)
	} else {
		c.sendPing(now)
	}
	return true
}

// pingDue is when the next ping is to go out: after the silence, or earlier when a message
// waits for its acknowledgement.
func (c *Conn) pingDue(heard time.Duration) time.Duration {
	due := heard + c.d.up.KeepAlive
	if c.sm == nil && c.acked >= c.ackWanted {
		c.ackRequestAt = 0
	}
	if c.ackRequestAt != 0 && c.ackRequestAt < due {
		due = c.ackRequestAt
	}
	return due
}

func (c *Conn) sendPing(now time.Duration) {
	if c.sm != nil {
		// <r/> does both, and is not counted itself (XEP-0198, 4).
		c.pingAt = now
		c.d.counters.Pings.Add(1)
		c.requestAck()
		c.timer.Reset(c.d.up.PingTimeout)
		return
	}
	c.dropRequestLocked(c.pingID)
	c.pingAt, c.ackRequestAt = now, 0
	c.d.counters.Pings.Add(1)
	// A full queue means that a write is blocked; its deadline will end the connection.
	c.pingID, _ = c.requestLocked("get", perch.JID(c.login.JID.Domain()), stanza.EncodePing(), func(stanza.IQ, error) { c.pong(now) })
	c.timer.Reset(c.d.up.PingTimeout)
}

// pong takes the answer to a ping of the keepalive; an error is one, too. After the end of
// the connection it changes nothing that matters.
func (c *Conn) pong(sent time.Duration) {
	c.mu.Lock()
	defer c.unlock()
	if c.err != nil {
		return
	}
	c.rtt.Store(int64(c.d.now() - sent))
	c.pingAt = 0
	c.checkAlive()
}

// scheduleAckRequest sees to it that the stanza just sent is acknowledged soon: by asking for it (XEP-0198,
// 4), and servers without stream management do it by answering a later request. The caller
// holds mu.
func (c *Conn) scheduleAckRequest() {
	if m := c.sm; m != nil && m.out-m.ackRequested >= ackRequestEvery && m.ackRequestedAt == 0 {
		c.requestAck()
		return
	}
	c.ackWanted = c.sent
	if c.ackRequestAt != 0 {
		return
	}
	c.ackRequestAt = c.d.now() + c.d.up.AckDelay
	if c.pingAt == 0 {
		c.timer.Reset(c.d.up.AckDelay)
	}
}
