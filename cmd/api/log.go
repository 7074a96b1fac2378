package main

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/perch-im/perch/app"
)

// openLog makes the logger of a command that serves. It never blocks: see app.LogWriter.
// What libraries print by themselves goes the same way. flush comes last, when nothing
// logs any more.
func (l logSettings) openLog(out io.Writer) (logger *slog.Logger, w *app.LogWriter) {
	w = app.NewLogWriter(out)
	logger = l.logger(w)
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
