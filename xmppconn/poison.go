package xmppconn

import (
	"errors"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/ttlmap"
)

// A stanza that ends a connection would come again on every one that follows: replayed after
// a resumption, or out of the archive. So the second connection of an account that ends that
// way is the last: the next one is wary, and leaves such a stanza out.
const (
	faultsAtMost = 2
	faultLife    = 10 * time.Minute
)

// faults are the accounts whose connections were ended by something that arrived, and how often.
type faults struct {
	mu sync.Mutex
	of ttlmap.Map[uint64, int]
}

func newFaults() *faults { return &faults{of: ttlmap.Map[uint64, int]{Max: maxRememberable}} }

// add counts a fault. A new account is not remembered while there are too many.
func (f *faults) add(account uint64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, known := f.of.Get(account, now); known || !f.of.Full(now) {
		f.of.Put(account, n+1, now, faultLife)
	}
}

// wary reports whether the next connection of an account must leave out what cannot be taken.
func (f *faults) wary(account uint64, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, _ := f.of.Get(account, now)
	return n >= faultsAtMost
}

// take is handle. On a connection that is wary, a stanza that cannot be taken is left out.
func (c *Conn) take(f *frame) (err error) {
	if !c.wary {
		return c.handle(f)
	}
	before, s := c.cameIn(), about(f) // what f points to may be gone when it fails
	defer func() {
		if p := recover(); p != nil {
			c.d.panicked("reader", p)
			c.fr.abandon()
			if err = c.leaveOut(s, before); err != nil {
				err = perch.Errorf(perch.KindLinkLost, "something went wrong on our side: %v", p)
			}
		}
	}()
	if err = c.handle(f); isFraming(err) {
		c.fr.abandon()
		if c.leaveOut(s, before) == nil {
			return nil
		}
	}
	return err
}

// about is what can be said of a stanza that may not even have a sound start tag.
func about(f *frame) *skipped {
	s := &skipped{reason: perch.DroppedQuarantined, local: f.local}
	if f.kind == frameElement || f.kind == framePart || f.kind == frameLastPart {
		defer func() { _ = recover() }()
		describe(s, f.raw, *f.ns)
		s.archived = archivedHead(f.raw, *f.ns)
	}
	return s
}

func isFraming(err error) bool {
	_, ok := errors.AsType[*framingError](err)
	return ok
}

// cameIn is how many stanzas were counted (XEP-0198).
func (c *Conn) cameIn() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sm == nil {
		return 0
	}
	return c.sm.in
}

var errNoStanza = errors.New("xmppconn: this is no stanza")

// leaveOut counts a stanza that could not be taken, if that was not done, and reports
// it to the session. What is no stanza, or failed while it held the lock, ends the connection
// all the same.
func (c *Conn) leaveOut(s *skipped, before uint64) error {
	if s.local != "message" && s.local != "presence" && s.local != "iq" || !c.mu.TryLock() {
		return errNoStanza
	}
	c.mu.Unlock()
	c.delivering.Store(false)
	if c.cameIn() == before {
		c.handleSkipped(s)
		return nil
	}
	c.d.counters.Skipped.Add(1)
	if s.local != "iq" && !c.archivedSkipped(s) {
		c.deliverSkipped(s)
	}
	return nil
}
