package xmppconn

import (
	"errors"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// A stanza that ends a connection would come again on every one that follows: replayed after
// a resumption, or out of the archive. So the second connection of an account that ends that
// way is the last: the next one leaves such a stanza out and reports it (quarantine).
const (
	maxCrashes = 2
	crashTTL   = 10 * time.Minute
)

// crashCounts are the accounts whose connections were ended by something that arrived, and how often.
type crashCounts struct {
	mu     sync.Mutex
	counts ttlmap.Map[uint64, int]
}

func newCrashCounts() *crashCounts {
	return &crashCounts{counts: ttlmap.Map[uint64, int]{Max: maxRemembered}}
}

// add counts a connection that was ended. A new account is not counted while there are too many.
func (c *crashCounts) add(account uint64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, known := c.counts.Get(account, now); known || !c.counts.Full(now) {
		c.counts.Put(account, n+1, now, crashTTL)
	}
}

// quarantining reports whether the next connection of an account must leave out what cannot be
// handled.
func (c *crashCounts) quarantining(account uint64, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, _ := c.counts.Get(account, now)
	return n >= maxCrashes
}

// handleGuarded is handleFrame. On a connection that is quarantining, a stanza that cannot be
// handled is left out.
func (c *Conn) handleGuarded(f *xmlstream.Frame) (err error) {
	if !c.quarantining {
		return c.handleFrame(f)
	}
	before, s := c.stanzasIn(), f.Describe(perch.DroppedQuarantined) // the buffer of f may be released when it fails
	defer func() {
		if p := recover(); p != nil {
			c.d.panicked("reader", p)
			c.fr.SkipRest()
			if !c.quarantine(s, before) {
				err = perch.Errorf(perch.KindLinkLost, "internal error: %v", p)
			}
		}
	}()
	if err = c.handleFrame(f); isStreamError(err) {
		c.fr.SkipRest()
		if c.quarantine(s, before) {
			return nil
		}
	}
	return err
}

func isStreamError(err error) bool {
	_, ok := errors.AsType[*xmlstream.Error](err)
	return ok
}

// stanzasIn is how many stanzas were counted (XEP-0198).
func (c *Conn) stanzasIn() uint64 {
	c.mu.Lock()
	defer c.unlock()
	if c.sm == nil {
		return 0
	}
	return c.sm.in
}

// quarantine counts a stanza that could not be handled, if that was not done, and reports
// it to the session. It reports false for what ends the connection all the same: what is no
// stanza, and what has left a critical section half done.
func (c *Conn) quarantine(s *xmlstream.Skipped, before uint64) bool {
	if s.Local != "message" && s.Local != "presence" && s.Local != "iq" || c.isTorn() {
		return false
	}
	c.delivering.Store(false)
	if c.stanzasIn() == before {
		c.handleSkipped(s)
		return true
	}
	c.d.counters.Skipped.Add(1)
	if s.Local != "iq" && !c.skippedResult(s) {
		c.deliverSkipped(s)
	}
	return true
}

// isTorn reports whether a panic has left a critical section, so that the state of the
// connection cannot be trusted.
func (c *Conn) isTorn() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.torn
}
