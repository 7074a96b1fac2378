// Package logingate bounds how many logins compute at the same time.
package logingate

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// gateWait is how long a login keeps its place while it waits for its server. A server nearby
// answers sooner, so that logins go one after the other through both; one far away must not hold
// up the others.
const gateWait = 5 * time.Millisecond

// Gate bounds how many logins are worked on at the same time: TLS handshakes and key derivations
// are milliseconds of CPU each, and a storm of them starves what is online. It is safe for
// concurrent use, and Dialers may share one.
type Gate struct{ places chan struct{} }

// New lets n logins be worked on at the same time.
func New(n int) *Gate { return &Gate{make(chan struct{}, n)} }

// Pass takes a place for a login on a socket, which the login then uses in place of raw; lift gives
// the place back. The error is that of ctx. A Gate that is nil bounds
// nothing.
func (g *Gate) Pass(ctx context.Context, raw net.Conn) (socket net.Conn, lift func(), err error) {
	if g == nil {
		return raw, func() {}, nil
	}
	c := &gated{Conn: raw, places: g.places, ended: ctx.Done()}
	if !c.enter() {
		return nil, nil, context.Cause(ctx)
	}
	return c, c.lift, nil
}

// gated is the socket of a login, whose goroutine alone uses it until lift: it works only while it
// holds a place.
type gated struct {
	net.Conn
	places chan struct{}
	ended  <-chan struct{} // of the login's context
	lifted atomic.Bool

	mu      sync.Mutex
	held    bool
	waiting bool // in Read
}

// enter waits for a place; false: the login has ended.
func (c *gated) enter() bool {
	select {
	case c.places <- struct{}{}:
		c.mu.Lock()
		c.held = true
		c.mu.Unlock()
		return true
	case <-c.ended:
		return false
	}
}

// leave gives the place back, if c has one.
func (c *gated) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaveLocked()
}

func (c *gated) leaveLocked() {
	if c.held {
		c.held = false
		<-c.places
	}
}

// lift gives the place back for good: the login is over, one way or the other.
func (c *gated) lift() {
	c.leave()
	c.lifted.Store(true)
}

// SyscallConn implements syscall.Conn, if the socket does.
func (c *gated) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := c.Conn.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Read implements net.Conn. When it waits for long, the place is free meanwhile.
func (c *gated) Read(p []byte) (int, error) {
	if c.lifted.Load() {
		return c.Conn.Read(p)
	}
	c.mu.Lock()
	c.waiting = true
	c.mu.Unlock()
	timer := time.AfterFunc(gateWait, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.waiting {
			c.leaveLocked()
		}
	})
	n, err := c.Conn.Read(p)
	timer.Stop()
	c.mu.Lock()
	c.waiting = false
	held := c.held
	c.mu.Unlock()
	if !held && !c.enter() && err == nil {
		err = net.ErrClosed
	}
	return n, err
}
