//go:build !linux || perch_blocking_reads

package readiness_test

import (
	"errors"
	"net"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/readiness"
)

type reader struct{}

func (reader) Readable() {}

// TestNothingIsParked: this build leaves every reader where it is.
func TestNothingIsParked(t *testing.T) {
	var p readiness.Poller
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	ticket := p.Register(a, reader{})
	if err := p.Arm(ticket, a); readiness.Supported || ticket != 0 || !errors.Is(err, errors.ErrUnsupported) || p.Cancel(ticket) || p.Parked() != 0 {
		t.Errorf("got Supported %v, ticket %d, error %v, %d parked, want false, 0, %v, 0", readiness.Supported, ticket, err, p.Parked(), errors.ErrUnsupported)
	}
}
