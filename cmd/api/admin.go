package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// adminCommand asks the admin API of a running gateway. Any node answers for all.
type adminCommand struct {
	adminSettings

	Sessions  adminSessions  `cmd:"" help:"List the sessions of all nodes, and those that are only stored."`
	Session   adminSession   `cmd:"" help:"Show one session: its state and why, event streams, log and tokens."`
	Reconnect adminReconnect `cmd:"" help:"Drop the connection of a session and make it anew; one that is suspended tries again."`
	Evict     adminEvict     `cmd:"" help:"Have a session leave its node. Another node resumes it, and nothing is lost."`
	SignOut   adminSignOut   `cmd:"" help:"End a session, with its log and all its tokens."`
	Nodes     adminNodes     `cmd:"" help:"List the nodes: how many sessions each owns, whether it drains or does not answer."`
	Drain     adminDrain     `cmd:"" help:"Hand the sessions and streams of a node over to the others, and wait for it. The node does not end."`
	Upstreams adminUpstreams `cmd:"" help:"List the upstreams: logins, why they fail, how long they take."`
	LogLevel  adminLogLevel  `cmd:"" help:"Show the log level of all nodes, or change it: until they end, or SIGHUP changes --log-level."`
}

// Help is what --help says below the summary.
func (*adminCommand) Help() string {
	return `Asks the admin listener of a node, which answers for all nodes. A listener of loopback needs no token, unless the gateway has one; else PERCH_ADMIN_TOKEN must have that of the gateway, or --token-file name a file with it. A token is never an argument, where every user of the machine could read it.

A session is named by its id, or by the first eight characters, as "session" in log lines has them; a node by its name or id.`
}

// adminSettings are those of every request.
type adminSettings struct {
	URL       string        `name:"url" env:"PERCH_ADMIN_URL" default:"http://127.0.0.1:9090" placeholder:"URL" help:"Admin listener of any node."`
	TokenFile string        `env:"PERCH_ADMIN_TOKEN_FILE" placeholder:"FILE" help:"File with the admin token of the gateway; else it is taken from the environment variable PERCH_ADMIN_TOKEN."`
	JSON      bool          `name:"json" env:"-" help:"Print the answer of the API as it is, in JSON."`
	Timeout   time.Duration `env:"-" default:"30s" help:"How long to wait for an answer."`
}

// adminSessions is perch admin sessions.
type adminSessions struct {
	JID      string `name:"jid" env:"-" placeholder:"JID" help:"Only those of this account."`
	Upstream string `env:"-" placeholder:"NAME" help:"Only those of this upstream."`
	State    string `env:"-" placeholder:"STATE" help:"Only those in this state: connecting, online, reconnecting, suspended; stored: those that no node has."`
	Node     string `env:"-" placeholder:"NAME" help:"Only those of this node."`
	Limit    int    `env:"-" default:"100" help:"Most sessions that are listed; 0 = all."`
}

// Run lists page after page.
func (x *adminSessions) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	client, err := c.Admin.client()
	if err != nil {
		return err
	}
	q := url.Values{}
	for name, value := range map[string]string{"jid": x.JID, "upstream": x.Upstream, "state": x.State, "node": x.Node} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Admin.JSON {
		all, err := sessionsOf[json.RawMessage](ctx, client, q, x.Limit)
		if err != nil {
			return err
		}
		return printJSON(stdout, all)
	}
	all, err := sessionsOf[sessionRow](ctx, client, q, x.Limit)
	if err != nil {
		return err
	}
	return printSessions(stdout, all)
}

// sessionsOf reads page after page, up to a limit; 0 is none.
func sessionsOf[T any](ctx context.Context, client *adminClient, q url.Values, limit int) (sessionList[T], error) {
	all := sessionList[T]{Items: []T{}, Unreachable: []unreachable{}}
	for {
		q.Set("limit", "200")
		if limit > 0 {
			q.Set("limit", fmt.Sprint(min(200, limit-len(all.Items))))
		}
		var page sessionList[T]
		if err := client.do(ctx, http.MethodGet, "sessions?"+q.Encode(), nil, &page); err != nil {
			return all, err
		}
		all.Items, all.Next = append(all.Items, page.Items...), page.Next
		for _, n := range page.Unreachable { // of any page: its sessions are missing there
			if !slices.ContainsFunc(all.Unreachable, func(u unreachable) bool { return u.Node == n.Node }) {
				all.Unreachable = append(all.Unreachable, n)
			}
		}
		if page.Next == nil || limit > 0 && len(all.Items) >= limit {
			return all, nil
		}
		q.Set("cursor", *page.Next)
	}
}

// sessionArgument names a session.
type sessionArgument struct {
	ID string `arg:"" help:"Id of the session, or its first eight characters, as log lines have them."`
}

func (s sessionArgument) path(action string) string {
	return "sessions/" + url.PathEscape(s.ID) + action
}

// adminSession is perch admin session.
type adminSession struct{ sessionArgument }

// Run shows one session.
func (x *adminSession) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	return c.Admin.show(ctx, stdout, http.MethodGet, x.path(""), nil, &sessionRow{})
}

// What changes a session.
type (
	adminReconnect struct{ sessionArgument }
	adminEvict     struct{ sessionArgument }
	adminSignOut   struct{ sessionArgument }
)

// Run reconnects a session.
func (x *adminReconnect) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	return c.Admin.act(ctx, stdout, x.path("/reconnect"), "the session reconnects: perch admin session %s shows how it goes", x.ID)
}

// Run evicts a session.
func (x *adminEvict) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	return c.Admin.act(ctx, stdout, x.path("/evict"), "the session %s has left its node; another one opens it, or its client's next request does", x.ID)
}

// Run signs a session out.
func (x *adminSignOut) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	return c.Admin.act(ctx, stdout, x.path("/sign-out"), "the session %s has ended, with its log and tokens", x.ID)
}

// adminNodes is perch admin nodes.
type adminNodes struct{}

// Run lists the nodes.
func (*adminNodes) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	return c.Admin.show(ctx, stdout, http.MethodGet, "nodes", nil, &nodeList{})
}

// adminUpstreams is perch admin upstreams.
type adminUpstreams struct{}

// Run lists the upstreams.
func (*adminUpstreams) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	return c.Admin.show(ctx, stdout, http.MethodGet, "upstreams", nil, &upstreamList{})
}

// adminLogLevel is perch admin log-level.
type adminLogLevel struct {
	Level string `arg:"" optional:"" help:"The level to set: debug, info, warn or error. Not given: the levels are shown."`
	Node  string `env:"-" placeholder:"NAME" help:"Change that of this node alone."`
}

// Run shows the level, or changes it.
func (x *adminLogLevel) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	if x.Level == "" {
		return c.Admin.show(ctx, stdout, http.MethodGet, "log-level", nil, &levelList{})
	}
	body := map[string]string{"level": x.Level}
	if x.Node != "" {
		body["node"] = x.Node
	}
	return c.Admin.show(ctx, stdout, http.MethodPut, "log-level", body, &levelList{})
}
