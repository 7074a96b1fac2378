package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch/app"
)

// logSettings are shared by the commands that log.
type logSettings struct {
	LogLevel  string `default:"info" enum:"debug,info,warn,error" help:"Least level that is logged: ${enum}."`
	LogFormat string `default:"auto" enum:"auto,text,json" help:"Form of log lines on standard error: ${enum}; auto is text on a terminal, and else json."`
}

// logger writes to w, in the form that fits out, where w leads; kong has checked level and form.
func (l logSettings) logger(w, out io.Writer) *slog.Logger {
	return newLogForm(l, out).logger(w)
}

// logForm is the level and the form of a log, which may change while it is written.
type logForm struct {
	level slog.LevelVar
	text  atomic.Bool
}

func newLogForm(l logSettings, out io.Writer) *logForm {
	f := &logForm{}
	f.setLevel(l)
	f.setForm(l, out)
	return f
}

func (f *logForm) setLevel(l logSettings) {
	_ = f.level.UnmarshalText([]byte(l.LogLevel)) // one of the enum: cannot fail
}

func (f *logForm) setForm(l logSettings, out io.Writer) {
	f.text.Store(l.LogFormat == "text" || l.LogFormat == "auto" && isTerminal(out))
}

func (f *logForm) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: &f.level, ReplaceAttr: withUnit}
	return slog.New(formHandler{f, slog.NewTextHandler(w, o), slog.NewJSONHandler(w, o)})
}

// formHandler writes in the form that the log has at the moment.
type formHandler struct {
	form       *logForm
	text, json slog.Handler
}

func (h formHandler) now() slog.Handler {
	if h.form.text.Load() {
		return h.text
	}
	return h.json
}

// Enabled implements slog.Handler.
func (h formHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.now().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h formHandler) Handle(ctx context.Context, r slog.Record) error { return h.now().Handle(ctx, r) }

// WithAttrs implements slog.Handler.
func (h formHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return formHandler{h.form, h.text.WithAttrs(attrs), h.json.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h formHandler) WithGroup(name string) slog.Handler {
	return formHandler{h.form, h.text.WithGroup(name), h.json.WithGroup(name)}
}

// isTerminal reports whether people read what is written. The other devices of characters, such as
// /dev/null, have no reader at all.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// withUnit writes durations alike in each form of the log: in milliseconds, whatever their size, so
// that they can be compared. JSON would have nanoseconds without a unit, text one of five units.
func withUnit(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		ms := float64(attr.Value.Duration()) / float64(time.Millisecond)
		attr.Value = slog.StringValue(strconv.FormatFloat(ms, 'f', 3, 64) + "ms")
	}
	return attr
}

// openLog makes the logger of a command that serves. It never blocks: see app.LogWriter.
// What libraries print by themselves goes the same way. flush comes last, when nothing
// logs any more.
func (l logSettings) openLog(out io.Writer) (logger *slog.Logger, w *app.LogWriter, form *logForm) {
	w, form = app.NewLogWriter(out), newLogForm(l, out)
	logger = form.logger(w)
	w.OnRecover(func(lines uint64) {
		logger.Warn("log lines were dropped: the log was not read in time", "component", "log", "lines", lines)
	})
	log.SetOutput(w)
	return logger, w, form
}

// lastWords prints the error that ends the program, unless standard error is stuck.
func lastWords(err error) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintln(os.Stderr, "perch: "+err.Error())
	}()
	select {
	case <-said:
	case <-time.After(time.Second):
	}
}
