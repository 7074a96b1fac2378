package app

import (
	"context"
	"log/slog"
	"sync"
)

// lineLog keeps what is logged, each record as the line that a test makes of it and its attributes.
type lineLog struct {
	line func(r slog.Record, at map[string]string) string

	mu    sync.Mutex
	lines []string
}

func (*lineLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *lineLog) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *lineLog) WithGroup(string) slog.Handler          { return l }

func (l *lineLog) Handle(_ context.Context, r slog.Record) error {
	at := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { at[a.Key] = a.Value.String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, l.line(r, at))
	return nil
}

func (l *lineLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}
