package xmppconn

import (
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/archive"
	"github.com/perch-im/perch/xmppconn/internal/blocking"
	"github.com/perch-im/perch/xmppconn/internal/bookmarks"
	"github.com/perch-im/perch/xmppconn/internal/cards"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
	"github.com/perch-im/perch/xmppconn/internal/passthrough"
	"github.com/perch-im/perch/xmppconn/internal/password"
	"github.com/perch-im/perch/xmppconn/internal/readiness"
	"github.com/perch-im/perch/xmppconn/internal/readsync"
	"github.com/perch-im/perch/xmppconn/internal/roomadmin"
	"github.com/perch-im/perch/xmppconn/internal/tlsbuffer"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Conn is one signed-in XMPP connection. It is safe for concurrent use. A reader comes when there is
// something to read, and goes when there was nothing for a while (conn_park.go); a writer comes and
// goes with what there is to write, and timers call back.
//
// Of these fields login, d, raw, nc and fr do not change after Dial.
type Conn struct {
	d            *Dialer
	raw          net.Conn          // TCP
	nc           net.Conn          // TLS on it
	fr           *xmlstream.Framer // Dial's until Start, then the reader's
	login        perch.Login
	account      uint64 // for redirects
	direct       bool
	quarantining bool // earlier connections were ended by something that arrived; see conn_quarantine.go
	rosterVer    bool
	early        []xmlstream.Frame // came before Start
	hearing      passthrough.Listener

	readState

	done chan struct{}
	wg   sync.WaitGroup // reader and writer

	mu      sync.Mutex // never held across I/O or the sink; see unlock. It guards all below
	torn    bool       // a panic has left a critical section
	err     error      // why the connection ended; nil while it is up
	started bool
	parked  readiness.Ticket // of the last time that the reader was parked
	closing bool             // Close was called; nothing is delivered any more
	timer   *time.Timer
	sm      *management // nil: the server has no stream management

	requestState
	writeState
	keepaliveState
}

func newConn(d *Dialer, raw net.Conn, acc perch.Account, direct bool) *Conn {
	c := &Conn{d: d, raw: raw, nc: raw, account: d.accountKey(acc), direct: direct, done: make(chan struct{})}
	limits := xmlstream.DefaultLimits()
	if c.quarantining = d.crashes.quarantining(c.account, time.Now()); c.quarantining {
		limits.Hard = math.MaxInt // a stanza is left out whatever its length
	}
	c.fr = xmlstream.NewFramer((*connReader)(c), limits)
	c.archives = archive.New(c.askArchive, &c.login)
	own := func() perch.JID { return c.login.JID.Bare() }
	c.Admin = roomadmin.New(c.asking("have rooms"), func() perch.JID { return perch.JID(c.login.JID.Domain()) })
	c.List, c.Ask = bookmarks.New(c.asking("have rooms")), c.asking("take files")
	c.Cards, c.Positions, c.Blocking = cards.New(c.askCard, c.Login), readsync.New(c.askOwn, own), blocking.New(c.askBlocking, own)
	c.Changer = password.New(c.asking("change passwords"), own)
	return c
}

// awakeTLSBuffer is how much of its read buffers a TLS connection may keep between two stanzas.
const awakeTLSBuffer = 1 << 10

// connReader is what the framer reads: whatever the connection is just now, and a note of
// the time.
type connReader Conn

func (r *connReader) Read(p []byte) (int, error) {
	if r.fr.Idle() {
		tlsbuffer.Trim(r.nc, awakeTLSBuffer)
	}
	n, err := r.nc.Read(p)
	if n > 0 {
		r.lastRead.Store(int64(r.d.now()))
	}
	if _, ok := r.nc.(*tls.Conn); ok {
		err = diagnosis.TLS(err)
	}
	return n, err
}

// now is monotonic time since the Dialer was made.
func (d *Dialer) now() time.Duration { return time.Since(d.epoch) }

// Login returns the JID that the server bound and what it can do. It does not change.
func (c *Conn) Login() perch.Login { return c.login }

// Start begins to read. It is called once; sink gets everything in stream order, numbered from 1,
// and may block. Ended is called once, when Done is closed, and must not wait.
func (c *Conn) Start(sink func(seq uint64, in perch.Inbound), ended func()) {
	if !c.start(sink, ended) {
		<-c.done // finish is on its way there
		ended()
	}
}

// start reports whether the connection is up, so that finish will call ended.
func (c *Conn) start(sink func(seq uint64, in perch.Inbound), ended func()) bool {
	c.mu.Lock()
	defer c.unlock()
	if c.err != nil {
		return false
	}
	c.started, c.sink, c.ended = true, sink, ended
	c.timer = time.AfterFunc(c.d.up.KeepAlive, c.tick)
	c.resendUnacked()
	c.wg.Add(1)
	go c.read()
	return true
}

// resendUnacked begins a resumed stream: what the server lacks is written again, in order, and
// with it a request for its count. The caller holds mu.
func (c *Conn) resendUnacked() {
	if c.sm == nil || !c.login.Resumed {
		return
	}
	_ = c.enqueue(func(b []byte) ([]byte, error) {
		for _, u := range c.sm.queue {
			b = append(b, u.xml...)
		}
		return b, nil
	})
	c.requestAck()
}

// unlock ends a critical section of mu, and is always deferred: when a panic leaves the section,
// what mu guards may be half changed, and the connection must not continue.
func (c *Conn) unlock() {
	p := recover()
	if p != nil {
		c.torn = true
	}
	c.mu.Unlock()
	if p != nil {
		panic(p)
	}
}

// Handled says that everything delivered up to seq is committed: what an acknowledgement by
// XEP-0198 may claim.
func (c *Conn) Handled(seq uint64) {
	for {
		old := c.handled.Load()
		if seq < old {
			return
		}
		if seq == old || c.handled.CompareAndSwap(old, seq) {
			break
		}
	}
	c.mu.Lock()
	defer c.unlock()
	if c.sm != nil {
		c.handledUpTo(seq)
	}
}

// Stats returns when the server was last heard and how long the last ping took.
func (c *Conn) Stats() perch.ConnStats {
	var s perch.ConnStats
	if at := c.lastRead.Load(); at != 0 {
		s.LastStanzaAt = perch.At(c.d.epoch.Add(time.Duration(at)))
	}
	s.PingRTT = time.Duration(c.rtt.Load())
	return s
}

// Done is closed when the connection has ended. A reader that waits in its sink then ends as
// soon as the sink returns.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection ended, with a kind; nil while it is up. Of a connection that
// Close or Abort ended it has KindSessionOffline.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.unlock()
	return c.err
}

// recoverPanic is deferred at the top of every goroutine that touches foreign bytes: a panic
// ends this connection, never the process.
func (c *Conn) recoverPanic(where string) {
	if p := recover(); p != nil {
		c.d.panicked(where, p)
		if where == "reader" {
			c.d.crashes.add(c.account, time.Now())
		}
		c.end(perch.Wrap(perch.KindLinkLost, fmt.Errorf("panic in the %s: %v", where, p), "internal error"))
	}
}
