package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/perch-im/perch/app"
)

// stopGrace is what Stop may take beyond the drain time: closing XMPP sessions and the
// store.
const stopGrace = 5 * time.Second

// Run serves until the context ends, then drains.
func (s *serveCommand) Run(ctx context.Context, stdout io.Writer, file *fileUpstreams, again *settingsSource) error {
	o, err := s.options(*file)
	if err != nil {
		return err
	}
	if s.CheckConfig {
		return s.checkConfig(stdout, o)
	}
	defer app.TuneMemory()()
	var lines *app.LogWriter
	r := reloader{again: again, running: s}
	o.Logger, lines, r.form = s.openLog(os.Stderr)
	o.Level = &r.form.level
	defer lines.Flush()
	o.LogDropped = lines.Dropped
	s.warnOfExposed(o.Logger)
	for _, name := range serviceLinks(os.Environ()) {
		o.Logger.Debug("environment variable ignored: Kubernetes sets it for a Service", "variable", name)
	}
	a, err := app.New(o)
	if err != nil {
		return err
	}
	if err := a.Start(); err != nil {
		return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
	}
	if err := app.Welcome(stdout, a); err != nil {
		o.Logger.Warn("standard output cannot be written", "error", err) // nothing depends on it
	}
	s.notify(o.Logger, "READY=1")
	r.app, r.log = a, o.Logger
	err = r.serve(ctx)
	s.notify(o.Logger, "STOPPING=1")
	fmt.Fprintln(stdout, "perch: stopping; event streams are asked to reconnect")
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.DrainTime+stopGrace)
	defer cancel()
	return errors.Join(err, a.Stop(stopCtx))
}

func (s *serveCommand) warnOfExposed(log *slog.Logger) {
	for _, f := range s.exposed() {
		log.Warn("every user can read the file of a secret", "component", "secrets", "setting", f.Name, "detail", f.Detail, "advice", f.Advice)
	}
}

func (s *serveCommand) checkConfig(stdout io.Writer, o app.Options) error {
	if err := app.CheckConfig(o); err != nil {
		return err
	}
	for _, f := range s.exposed() {
		fmt.Fprintf(stdout, "perch: warning: --%s: %s; %s\n", f.Name, f.Detail, f.Advice)
	}
	_, err := fmt.Fprintln(stdout, "perch: the settings are valid; perch check tries what they name")
	return err
}
