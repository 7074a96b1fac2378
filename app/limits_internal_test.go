package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/sessions"
)

// The tests of this file use limits up to their edge, with numbers that are written out.

// gated is a log's destination that takes nothing until it is opened.
type gated chan struct{}

func (g gated) Write(b []byte) (int, error) { <-g; return len(b), nil }

// TestLogQueueEdges: 1,024 lines wait for the reader of the log, or 1 MiB of them; the end of
// the process waits a second for it.
func TestLogQueueEdges(t *testing.T) {
	for _, tt := range []struct{ size, kept int }{
		{10, 1024 + 1}, // one is being written
		{64 << 10, 16}, // the one that is being written counts
	} {
		synctest.Test(t, func(t *testing.T) {
			g := make(gated)
			w := NewLogWriter(g)
			line := bytes.Repeat([]byte("x"), tt.size)
			_, _ = w.Write(line)
			synctest.Wait()
			for range tt.kept - 1 {
				_, _ = w.Write(line)
			}
			if n := w.Dropped(); n != 0 {
				t.Errorf("%d of %d lines of %d bytes were dropped, want 0", n, tt.kept, tt.size)
			}
			if _, _ = w.Write(line); w.Dropped() != 1 {
				t.Errorf("%d lines were dropped with one more, want 1", w.Dropped())
			}
			began := time.Now()
			if w.Flush(); time.Since(began) != time.Second {
				t.Errorf("the end took %v, want 1 s", time.Since(began))
			}
			close(g)
			synctest.Wait()
		})
	}
}

// hanging is a collector that takes its time, and a store that does.
type hanging struct {
	sessions.Store
	had atomic.Int64 // how long it was given
}

func (h *hanging) wait(ctx context.Context) error {
	began := time.Now()
	<-ctx.Done()
	h.had.Store(int64(time.Since(began)))
	return ctx.Err()
}

func (h *hanging) ExportSpans(ctx context.Context, _ []sdktrace.ReadOnlySpan) error {
	return h.wait(ctx)
}
func (h *hanging) Shutdown(context.Context) error    { return nil }
func (h *hanging) Healthy(ctx context.Context) error { return h.wait(ctx) }

// TestTracingEdges: a batch of traces has five seconds, the last ones have three, and the log
// quotes 300 bytes of a collector.
func TestTracingEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, err := newTracing(Options{Tracing: Tracing{Endpoint: "http://127.0.0.1:1", Sample: 1}}, canary.Logger())
		if err != nil {
			t.Fatalf("newTracing: got error %v, want none", err)
		}
		h := &hanging{}
		tr.exporter.sender = h
		_, span := tr.tracer.Start(t.Context(), "one")
		span.End()
		time.Sleep(time.Minute) // batches are sent every few seconds
		if got := time.Duration(h.had.Load()); got != 5*time.Second {
			t.Errorf("a batch had %v, want 5 s", got)
		}
		_, span = tr.tracer.Start(t.Context(), "two")
		span.End()
		began := time.Now()
		if err := tr.stop(context.Background()); err != nil || time.Since(began) != 3*time.Second {
			t.Errorf("the end took %v, %v; want 3 s", time.Since(began), err)
		}
	})
	var log bytes.Buffer
	e := newExporter(deaf{strings.Repeat("n", 1000)}, canary.Logger(slog.NewTextHandler(&log, nil)))
	_ = e.ExportSpans(t.Context(), make([]sdktrace.ReadOnlySpan, 1))
	if n := strings.Count(log.String(), strings.Repeat("n", 300)); n != 1 || strings.Contains(log.String(), strings.Repeat("n", 301)) {
		t.Errorf("the log quotes other than 300 bytes: %s, want 1 and no %q in it", log.String(), strings.Repeat("n", 301))
	}
}

// TestScrapeEdge: a scrape waits a second for the store.
func TestScrapeEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := newMetrics("test", nil), &hanging{}
		m.watchNode(new(sessions.Manager), h, new(atomic.Int64))
		all, err := m.registry.Gather()
		if err != nil {
			t.Fatalf("registry.Gather: got error %v, want none", err)
		}
		if got := time.Duration(h.had.Load()); got != time.Second {
			t.Errorf("the store had %v, want 1 s", got)
		}
		for _, f := range all {
			if v := f.GetMetric()[0].GetGauge().GetValue(); f.GetName() == "perch_store_up" && v != 0 {
				t.Errorf("perch_store_up is %v, want 0", v)
			}
		}
	})
}

// TestStoreCheckEdge: the checks of Redis at the start have ten seconds.
func TestStoreCheckEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &App{o: Options{RedisURL: "redis://127.0.0.1:1"}, log: canary.Logger(), metrics: newMetrics("test", nil)}
		began := time.Now()
		err := a.openRedis(func(ctx context.Context, _ cache.RedisOptions) (*cache.Redis, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "--redis-url") || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %v, want an error of --redis-url after 10 s", err, time.Since(began))
		}
	})
}
