package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/messenger"
)

type messengerCommand struct {
	Listen      string        `default:"127.0.0.1:5222" help:"Address of the XMPP service (STARTTLS)."`
	HTTPListen  string        `default:"127.0.0.1:5280" help:"Address of the consent page and token endpoint (/oauth20_authorize, /oauth20_token); \"off\" for none."`
	Domain      string        `default:"messenger.live.com" help:"XMPP domain that the service answers for."`
	CAOut       string        `name:"ca-out" placeholder:"FILE" help:"Write the PEM of the service's own CA here, for clients to trust."`
	TokenLife   time.Duration `default:"1h" help:"Life of the tokens that the consent page issues."`
	IdleTimeout time.Duration `default:"0s" help:"Drop streams that were silent for this long, as the real service did after one or two minutes; 0 = never."`
	AllowRemote bool          `help:"Allow an address that is not loopback. The demo tokens are published: only for a private network."`

	logSettings
}

// Run serves until the context ends.
func (m *messengerCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	o := messenger.Demo()
	o.Listen, o.Domain, o.AllowRemote = m.Listen, m.Domain, m.AllowRemote
	o.TokenLife, o.IdleTimeout = m.TokenLife, m.IdleTimeout
	var lines *app.LogWriter
	o.Logger, lines, _ = m.openLog(os.Stderr)
	defer lines.Flush()
	s, err := messenger.New(o)
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
	if m.CAOut != "" {
		if err := os.WriteFile(m.CAOut, s.CAPEM(), 0o644); err != nil { //nolint:gosec // a CA certificate is public
			return fmt.Errorf("--ca-out: %w", err)
		}
	}
	m.welcome(stdout, s)
	return m.serveOAuth(ctx, stdout, s)
}

// stopLine is the last one: from here on it serves.
const stopLine = "\nStop with Ctrl-C.\n"

// welcome prints what runs and what a client needs to know.
func (m *messengerCommand) welcome(w io.Writer, s *messenger.Service) {
	fmt.Fprintf(w, "Perch %s: a Messenger-compatible XMPP service, for any client\n\n", version())
	fmt.Fprintf(w, "  domain    %s\n  address   %s (STARTTLS)\n  sasl      %s, its text is the access token as it is\n", s.Domain(), s.Addr(), messenger.Mechanism)
	if m.CAOut == "" {
		fmt.Fprintln(w, "  ca        made at start: --ca-out FILE writes it for your client to trust")
	} else {
		fmt.Fprintf(w, "  ca        %s\n", m.CAOut)
	}
	fmt.Fprintln(w, "\nDemo accounts: access token and JID")
	fmt.Fprintln(w)
	for _, user := range []string{"alice", "bob", "carol"} {
		fmt.Fprintf(w, "  %-12s %s\n", "demo-"+user, s.JID(user))
	}
	if m.CAOut != "" {
		fmt.Fprintf(w, "\nThe gateway in front of it:\n\n  perch --upstream 'xmpp://%s?domain=%s&profile=messenger&ca-file=%s'\n",
			s.Addr(), s.Domain(), strings.ReplaceAll(url.QueryEscape(m.CAOut), "%2F", "/"))
	}
}

// serveOAuth runs the consent page beside the service until the context ends.
func (m *messengerCommand) serveOAuth(ctx context.Context, stdout io.Writer, s *messenger.Service) error {
	if m.HTTPListen == "off" {
		fmt.Fprint(stdout, stopLine)
		<-ctx.Done()
		return nil
	}
	l, err := net.Listen("tcp", m.HTTPListen)
	if err != nil {
		return app.ListenError("http-listen", m.HTTPListen, err)
	}
	fmt.Fprintf(stdout, "\nConsent page, for an access token of one of them:\n\n  %s\n"+stopLine, messenger.ConsentURL(l.Addr().String()))
	srv := api.NewServer(s.OAuthHandler(), nil)
	stopped := context.AfterFunc(ctx, func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		_ = srv.Shutdown(stopCtx) // Serve returns either way
	})
	defer stopped()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
