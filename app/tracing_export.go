package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	warnEvery = time.Minute
	warnBytes = 300 // of a collector's own words
)

// exporter sends spans and reports failures itself: to the log, once a minute, and never to
// the SDK, which would write to standard error.
type exporter struct {
	sender sdktrace.SpanExporter
	log    *slog.Logger
	quit   context.Context // ends what is under way when Stop has no more time
	giveUp context.CancelFunc
	done   chan struct{} // closed when nothing is sent any more

	mu    sync.Mutex
	lost  int // spans, since the last line in the log
	spoke time.Time
}

var _ sdktrace.SpanExporter = (*exporter)(nil)

func newExporter(sender sdktrace.SpanExporter, log *slog.Logger) *exporter {
	e := &exporter{sender: sender, log: log, done: make(chan struct{})}
	e.quit, e.giveUp = context.WithCancel(context.Background())
	return e
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.quit, cancel)()
	if err := e.sender.ExportSpans(ctx, spans); err != nil {
		e.complain(err, len(spans))
	}
	return nil
}

func (e *exporter) complain(err error, spans int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost += spans
	if !e.spoke.IsZero() && time.Since(e.spoke) < warnEvery {
		return
	}
	text := err.Error()
	e.log.Warn("collector rejects traces", "lost", e.lost, "error", text[:min(len(text), warnBytes)])
	e.lost, e.spoke = 0, time.Now()
}

// Shutdown implements sdktrace.SpanExporter. The SDK calls it when the last batch is through.
func (e *exporter) Shutdown(ctx context.Context) error {
	defer close(e.done)
	return e.sender.Shutdown(ctx)
}
