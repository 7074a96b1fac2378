//go:build !linux || perch_blocking_reads

package readiness

import (
	"errors"
	"net"
)

// Supported reports whether this build can park readers: this one cannot, and each connection keeps
// the goroutine that blocks in its read.
const Supported = false

// Reader is what a Poller calls; here it never does.
type Reader interface{ Readable() }

// Ticket stands for one registration; here there is only 0, none.
type Ticket uint64

// Poller watches nothing here.
type Poller struct{ Fetched func(Ticket) }

// Register returns 0.
func (p *Poller) Register(net.Conn, Reader) Ticket { return 0 }

// Arm returns an error that is [errors.ErrUnsupported].
func (p *Poller) Arm(Ticket, net.Conn) error { return errors.ErrUnsupported }

// Cancel returns false.
func (p *Poller) Cancel(Ticket) bool { return false }

// Parked returns 0.
func (p *Poller) Parked() int { return 0 }
