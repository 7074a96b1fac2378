package perch

import (
	"strconv"
	"strings"
)

// Position is a place in the event log of one session: the cursor of a client. The
// epoch changes when a log was lost; offsets only grow inside an epoch and start at 1.
// The zero Position stands before everything and belongs to no log.
type Position struct {
	Epoch  string
	Offset uint64
}

// IsZero reports whether the position names no place.
func (p Position) IsZero() bool { return p == Position{} }

// String returns the opaque form "<epoch>-<offset>" that clients hand back.
func (p Position) String() string {
	if p.IsZero() {
		return ""
	}
	return p.Epoch + "-" + strconv.FormatUint(p.Offset, 10)
}

// ParsePosition reads what String wrote. Anything else is a validation error: a client
// that sends it gets a full reset, never the events of another session.
func ParsePosition(s string) (Position, error) {
	epoch, off, ok := strings.Cut(s, "-")
	if !ok || len(epoch) == 0 || len(epoch) > 32 || len(off) == 0 || len(off) > 20 || (len(off) > 1 && off[0] == '0') {
		return Position{}, Invalid("?since", "not a cursor of this API")
	}
	for i := range len(epoch) {
		if c := epoch[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return Position{}, Invalid("?since", "not a cursor of this API")
		}
	}
	n, err := strconv.ParseUint(off, 10, 64)
	if err != nil || off[0] == '+' {
		return Position{}, Invalid("?since", "not a cursor of this API")
	}
	return Position{Epoch: epoch, Offset: n}, nil
}
