package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/today"
)

type todayCommand struct {
	Listen      string        `default:"127.0.0.1:5222" help:"Address of the XMPP service (STARTTLS)."`
	HTTPListen  string        `default:"127.0.0.1:5280" help:"Address of uploads and of XMPP over WebSocket; \"off\" for neither."`
	Domain      string        `default:"perch.localhost" help:"XMPP domain that the service answers for."`
	CAOut       string        `name:"ca-out" placeholder:"FILE" help:"Write the PEM of the service's own CA here, for clients to trust."`
	IdleTimeout time.Duration `default:"15m" help:"Close streams that were silent for this long."`
	AllowRemote bool          `help:"Allow addresses that are not loopback. Passwords and tokens are published: only for a private network."`

	logSettings
}

// Run serves until the context ends.
func (c *todayCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	o := today.Demo()
	o.Listen, o.ListenHTTP, o.Domain, o.AllowRemote, o.IdleTimeout = c.Listen, c.HTTPListen, c.Domain, c.AllowRemote, c.IdleTimeout
	var lines *app.LogWriter
	o.Logger, lines, _ = c.openLog(os.Stderr)
	defer lines.Flush()
	s, err := today.New(o)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		err = errors.Join(err, s.Stop(stopCtx))
	}()
	if c.CAOut != "" {
		if err := os.WriteFile(c.CAOut, s.CAPEM(), 0o644); err != nil { //nolint:gosec // a CA certificate is public
			return fmt.Errorf("--ca-out: %w", err)
		}
	}
	c.welcome(stdout, s)
	<-ctx.Done()
	return nil
}

// welcome prints what runs and what a client needs to know.
func (c *todayCommand) welcome(w io.Writer, s *today.Service) {
	fmt.Fprintf(w, "Perch %s: an XMPP service of today, for development\n\n", version())
	fmt.Fprintf(w, "  domain    %s\n  address   %s (STARTTLS)\n", s.Domain(), s.Addr())
	if a := s.HTTPAddr(); a != nil {
		fmt.Fprintf(w, "  http      %s (uploads, WebSocket)\n", a)
	}
	if c.CAOut == "" {
		fmt.Fprintln(w, "  ca        made at start: --ca-out FILE writes it for your client to trust")
	} else {
		fmt.Fprintf(w, "  ca        %s\n", c.CAOut)
	}
	fmt.Fprint(w, "\nDemo accounts: JID, password, and token of OAUTHBEARER\n\n")
	for _, name := range today.DemoPeople() {
		fmt.Fprintf(w, "  %-22s %-6s %s\n", s.JID(name), name, today.DemoTokenPrefix+name)
	}
	if c.CAOut != "" {
		fmt.Fprintf(w, "\nThe gateway in front of it:\n\n  perch --upload-http-host 127.0.0.1 --upstream 'xmpp://%s?domain=%s&token-mechanism=OAUTHBEARER&token-prefix=%s&ca-file=%s'\n",
			s.Addr(), s.Domain(), today.DemoTokenPrefix, strings.ReplaceAll(url.QueryEscape(c.CAOut), "%2F", "/"))
	}
	fmt.Fprint(w, stopLine)
}
