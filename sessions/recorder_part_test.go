package sessions

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recorder writes down what a part of a session asks of what is around it, in order.
type recorder struct{ did []string }

func (r *recorder) note(format string, args ...any) {
	r.did = append(r.did, fmt.Sprintf(format, args...))
}

// want compares what was written down since the last time.
func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.did, want) {
		t.Errorf("calls: got %s\nwant %s", strings.Join(r.did, ", "), strings.Join(want, ", "))
	}
	r.did = nil
}
