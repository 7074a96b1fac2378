// Command api is Perch: a gateway that keeps one long-lived XMPP session per bearer
// token and serves it over REST, WebSocket, SSE, NDJSON and long poll.
//
//	go run ./cmd/api            # everything embedded, on 127.0.0.1:8080
//	go run ./cmd/api --help     # every setting, its environment variable and default
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/perch-im/perch/app"
)

func main() {
	// The reader of the log, or of the first lines, may go away; that ends no session. A write
	// to it is an error then, no signal.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends at once: it has its usual meaning again
	// From the first moment on: one that comes while the settings are read must not end the process.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	if err := runWith(ctx, hangups, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		lastWords(err)
		os.Exit(exitCode(err))
	}
}

// The exit codes of a process that ends with an error.
const (
	exitFailure = 1
	// exitSuperseded tells a service manager not to start this process again: another one
	// runs under its node name, and two that are both restarted would take the sessions from
	// each other for ever. deploy/perch.service has it as RestartPreventExitStatus.
	exitSuperseded = 3
)

// exitCode is what the process ends with because of err.
func exitCode(err error) int {
	if errors.Is(err, app.ErrSuperseded) {
		return exitSuperseded
	}
	return exitFailure
}

// exitRequest carries what --help asks for through kong, which wants to exit by itself.
type exitRequest int

// run parses the settings and runs one command until ctx ends. It is main without the
// process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return runWith(ctx, nil, args, stdout, stderr)
}

// runWith is run with signals to read the settings again.
func runWith(ctx context.Context, hangups <-chan os.Signal, args []string, stdout, stderr io.Writer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if code, ok := r.(exitRequest); !ok {
				panic(r)
			} else if code != 0 {
				err = errors.New("stopped")
			}
		}
	}()
	var c commandLine
	parser, err := newParser(&c, stdout, stderr)
	if err != nil {
		return err
	}
	if err := refuseUnknownEnvironment(parser.Model, os.Environ()); err != nil {
		return err
	}
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		args = []string{"serve", "--help"} // the settings are what people look for
	}
	if len(args) > 0 && args[0] == "--version" {
		args = append([]string{"version"}, args[1:]...)
	}
	k, err := parser.Parse(args)
	if err != nil {
		return explainParse(err, parser.Model, args)
	}
	if hangups != nil && k.Command() != "serve" {
		signal.Reset(syscall.SIGHUP) // no other command reads settings again: the end of its terminal is its own
	}
	k.Bind(&settingsSource{args: args, hangups: hangups})
	k.Bind(&c)
	k.BindTo(ctx, (*context.Context)(nil))
	k.BindTo(stdout, (*io.Writer)(nil))
	return k.Run()
}

func newParser(c *commandLine, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("perch"),
		kong.Description("An XMPP session gateway: one long-lived XMPP connection per bearer token, served over REST, WebSocket, SSE, NDJSON and long poll. With no settings at all it starts two embedded services with demo accounts: one compatible with Messenger, and one of today.\n\nSettings come from flags, then the environment, then the file of --config, then the defaults."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitRequest(code)) }),
		kong.Bind(&c.file),
		kong.DefaultEnvars("PERCH"),
		kong.Vars{"version": version()},
	)
}
