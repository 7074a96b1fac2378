package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
)

// pipe is a log's destination that a test can hold up or break.
type pipe struct {
	mu   sync.Mutex
	gate chan struct{} // nil: open
	err  error
	got  bytes.Buffer
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	if gate != nil {
		<-gate
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	return p.got.Write(b)
}

func (p *pipe) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.String()
}

func TestLogThatIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{gate: make(chan struct{})}
		w := app.NewLogWriter(p)
		log := canary.Logger(slog.NewJSONHandler(w, nil))
		w.OnRecover(func(n uint64) { log.Warn("log lines were dropped", "lines", n) })
		const lines = 3000
		began := time.Now()
		for i := range lines {
			log.Info("line", "n", i)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("logging waited for %v, want 0", took)
		}
		dropped := w.Dropped()
		if dropped == 0 || dropped >= lines-500 {
			t.Errorf("%d lines of %d dropped, want some and not most", dropped, lines)
		}
		close(p.gate)
		p.mu.Lock()
		p.gate = nil
		p.mu.Unlock()
		synctest.Wait()
		if got := strings.Count(p.String(), `"msg":"line"`); got != lines-int(dropped) {
			t.Errorf("%d lines were written, want all but the %d dropped of %d", got, dropped, lines)
		}
		if want := fmt.Sprintf(`"msg":"log lines were dropped","lines":%d`, dropped); strings.Count(p.String(), want) != 1 {
			t.Errorf("no single line with %s, want 1", want)
		}
		log.Info("the last one")
		if err := w.Close(t.Context()); err != nil {
			t.Errorf("w.Close: got error %v, want none", err)
		}
		if !strings.HasSuffix(p.String(), "\"the last one\"}\n") {
			t.Errorf("Close did not write what waited, want %q at its end", "\"the last one\"}\n")
		}
		log.Info("too late")
		if got := w.Dropped(); got != dropped+1 {
			t.Errorf("%d dropped after the end, want %d", got, dropped+1)
		}
	})
}

func TestLogOfLongLinesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{gate: make(chan struct{})}
		w := app.NewLogWriter(p)
		line := bytes.Repeat([]byte("x"), 100_000)
		for range 100 {
			_, _ = w.Write(line)
		}
		if got := w.Dropped(); got < 88 || got > 91 {
			t.Errorf("%d of 100 lines dropped, want what is beyond 1 MiB", got)
		}
		close(p.gate)
		w.Flush()
	})
}

func TestLogWhoseReaderHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{err: errors.New("broken pipe")}
		w := app.NewLogWriter(p)
		for range 10 {
			if n, err := w.Write([]byte("line\n")); n != 5 || err != nil {
				t.Errorf("got %d, %v, want 5 and no error", n, err)
			}
		}
		synctest.Wait()
		if got := w.Dropped(); got != 10 {
			t.Errorf("%d dropped, want 10", got)
		}
		if err := w.Close(t.Context()); err != nil {
			t.Errorf("w.Close: got error %v, want none", err)
		}
	})
}

func TestEndOfALogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{gate: make(chan struct{})}
		w := app.NewLogWriter(p)
		_, _ = w.Write([]byte("line\n"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := w.Close(ctx); err == nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want an error after 1s", err, time.Since(began))
		}
		close(p.gate)
		synctest.Wait()
	})
}
