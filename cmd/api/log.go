package main

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strconv"
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
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.LogLevel)) // one of the enum: cannot fail
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: withUnit}
	if l.LogFormat == "text" || l.LogFormat == "auto" && isTerminal(out) {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
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
func (l logSettings) openLog(out io.Writer) (logger *slog.Logger, w *app.LogWriter) {
	w = app.NewLogWriter(out)
	logger = l.logger(w, out)
	w.OnRecover(func(lines uint64) {
		logger.Warn("log lines were dropped: the log was not read in time", "component", "log", "lines", lines)
	})
	log.SetOutput(w)
	return logger, w
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
