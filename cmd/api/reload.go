package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/perch-im/perch/app"
)

// settingsSource is where the settings come from: the arguments and the environment of the process,
// which stay, and the files that they name, which are read again for each SIGHUP.
type settingsSource struct {
	args    []string
	hangups <-chan os.Signal // nil: there are none
}

// read reads the settings as at the start.
func (x *settingsSource) read() (*commandLine, error) {
	c := &commandLine{}
	parser, err := newParser(c, io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(x.args); err != nil {
		return nil, explainParse(err, parser.Model, x.args)
	}
	return c, nil
}

// reloader brings the settings of files into effect while the gateway serves.
type reloader struct {
	again   *settingsSource
	running *serveCommand // the settings in use
	app     *app.App
	log     *slog.Logger
	form    *logForm
}

// serve waits for the end, and reloads meanwhile as often as it is asked. Many signals at once are one.
func (r *reloader) serve(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.app.Failed():
			return err
		case <-r.again.hangups:
			r.reload()
		}
	}
}

// reload is told to the service manager from its begin to its end, whatever that is. With an error all
// is as before.
func (r *reloader) reload() {
	r.running.notify(r.log, "RELOADING=1")
	status := "settings reloaded"
	done, err := r.apply()
	if err != nil {
		status = "settings not reloaded, see the log: the old ones stay in use"
	}
	r.app.Report(done, err)
	r.running.notify(r.log, "READY=1\nSTATUS="+status)
}

func (r *reloader) apply() (done app.Reloaded, err error) {
	c, err := r.again.read()
	if err != nil {
		return done, err
	}
	next := &c.Serve
	o, err := next.options(c.file)
	if err != nil {
		return done, err
	}
	if done, err = r.app.Reload(o); err != nil {
		return done, err
	}
	// Each by itself: an operator may have set another level, which stays until that of the settings changes.
	if next.LogLevel != r.running.LogLevel {
		done.Changed = append(done.Changed, "log-level")
		r.form.setLevel(next.logSettings)
	}
	if next.LogFormat != r.running.LogFormat {
		done.Changed = append(done.Changed, "log-format")
		r.form.setForm(next.logSettings, os.Stderr)
	}
	r.running = next
	next.warnOfExposed(r.log)
	return done, nil
}
