package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// adminDrain is perch admin drain.
type adminDrain struct {
	Node   string        `arg:"" help:"Name or id of the node."`
	Undo   bool          `env:"-" help:"End the drain: the node takes sessions again."`
	NoWait bool          `env:"-" help:"Begin it, and do not wait for its end."`
	Within time.Duration `env:"-" default:"10m" help:"How long to wait for its end."`
}

// drainEvery is the time between two looks at a node that drains.
const drainEvery = time.Second

// Run drains a node and says how far it is, or ends its drain.
func (x *adminDrain) Run(ctx context.Context, c *commandLine, stdout io.Writer) error {
	path := "nodes/" + url.PathEscape(x.Node) + "/drain"
	switch {
	case x.Undo:
		return c.Admin.show(ctx, stdout, http.MethodDelete, path, nil, &resumedNode{})
	case x.NoWait:
		return c.Admin.show(ctx, stdout, http.MethodPost, path, nil, &nodeRow{})
	}
	client, err := c.Admin.client()
	if err != nil {
		return err
	}
	var n nodeRow
	if err := client.do(ctx, http.MethodPost, path, nil, &n); err != nil {
		return err
	}
	return x.wait(ctx, client, c.Admin.JSON, stdout, n)
}

// wait writes a line whenever something has changed, until the node has nothing more.
func (x *adminDrain) wait(ctx context.Context, client *adminClient, asJSON bool, stdout io.Writer, n nodeRow) error {
	ctx, cancel := context.WithTimeout(ctx, x.Within)
	defer cancel()
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	last := ""
	for {
		if line := fmt.Sprintf("%s: %d sessions and %d streams left", printable(n.ID), n.Owned, n.Streams); line != last && !asJSON {
			fmt.Fprintln(stdout, line)
			last = line
		}
		if n.Owned == 0 && n.Streams == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the node %s still has %d sessions and %d streams: it goes on, and perch admin nodes shows how far it is", printable(n.ID), n.Owned, n.Streams), ctx.Err())
		case <-tick.C:
		}
		now, err := x.look(ctx, client, n.ID)
		if err != nil {
			return err
		}
		n = now
	}
	if asJSON {
		return printJSON(stdout, n)
	}
	_, err := fmt.Fprintf(stdout, "drained: stop it with SIGTERM, or have it take sessions again with perch admin drain --undo %s\n", printable(n.Name))
	return err
}

// look finds the node again.
func (*adminDrain) look(ctx context.Context, client *adminClient, id string) (nodeRow, error) {
	var list nodeList
	if err := client.do(ctx, http.MethodGet, "nodes", nil, &list); err != nil {
		return nodeRow{}, err
	}
	for _, n := range list.Items {
		if n.ID == id && n.Detail != "" {
			return n, fmt.Errorf("the node %s does not answer any more: %s", printable(id), printable(n.Detail))
		}
		if n.ID == id {
			return n, nil
		}
	}
	return nodeRow{}, fmt.Errorf("the node %s has ended", printable(id))
}
