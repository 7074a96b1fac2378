package testkit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// A program whose pipe is held stands still with its output, and all of it is there later.
func TestHoldOutput(t *testing.T) {
	p := testkit.NewProgram(t, testkit.ProgramOptions{Name: "writer", Pipe: true,
		Argv:  []string{"/bin/sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; echo end >&2; exec sleep 60"},
		Ready: func(context.Context) error { return nil }})
	release := p.HoldOutput()
	if err := p.Start(); err != nil {
		t.Fatalf("p.Start: got error %v, want none", err)
	}
	if strings.Contains(p.Output(), "end") {
		t.Errorf("the output was read while it was held, want no %q in it", "end")
	}
	release()
	testkit.Eventually(t, 30*time.Second, func() error {
		if got := p.Output(); !strings.Contains(got, "line 1999\nend\n") {
			return fmt.Errorf("got %d bytes, want all of the output", len(got))
		}
		return nil
	})
}
