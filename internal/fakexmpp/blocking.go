package fakexmpp

import (
	"context"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var _ sessions.BlockingConn = (*Conn)(nil)

// BlockingData is the part of Data about the block list. Without Blocking the server has none.
type BlockingData struct {
	Blocking bool
	Blocked  []perch.JID
	Reports  []perch.Report
}

// blocking is ask for a server that has block lists, and delivers what f makes.
func (c *Conn) blocking(ctx context.Context, method string, f func(*Data) *perch.BlockListIn) error {
	var in *perch.BlockListIn
	if err := c.ask(ctx, method, func(d *Data) error {
		if !d.Blocking {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot block anybody")
		}
		in = f(d)
		return nil
	}); err != nil {
		return err
	}
	c.Deliver(in)
	return nil
}

// FetchBlockList implements sessions.BlockingConn.
func (c *Conn) FetchBlockList(ctx context.Context) error {
	return c.blocking(ctx, "FetchBlockList", func(d *Data) *perch.BlockListIn {
		return &perch.BlockListIn{All: true, Added: slices.Clone(d.Blocked)}
	})
}

// Block implements sessions.BlockingConn.
func (c *Conn) Block(ctx context.Context, jid perch.JID, report *perch.Report) error {
	return c.blocking(ctx, "Block", func(d *Data) *perch.BlockListIn {
		if !slices.ContainsFunc(d.Blocked, jid.Equal) {
			d.Blocked = append(slices.Clip(d.Blocked), jid)
		}
		if report != nil {
			d.Reports = append(d.Reports, *report)
		}
		return &perch.BlockListIn{Added: []perch.JID{jid}}
	})
}

// Unblock implements sessions.BlockingConn.
func (c *Conn) Unblock(ctx context.Context, jid perch.JID) error {
	return c.blocking(ctx, "Unblock", func(d *Data) *perch.BlockListIn {
		d.Blocked = slices.DeleteFunc(slices.Clone(d.Blocked), jid.Equal)
		return &perch.BlockListIn{Removed: []perch.JID{jid}}
	})
}

// UnblockAll implements sessions.BlockingConn.
func (c *Conn) UnblockAll(ctx context.Context) error {
	return c.blocking(ctx, "UnblockAll", func(d *Data) *perch.BlockListIn {
		d.Blocked = nil
		return &perch.BlockListIn{All: true}
	})
}
