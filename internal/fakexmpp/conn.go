package fakexmpp

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// Conn is one connection. It implements sessions.Conn; the methods that sessions.Conn
// does not have are for the test.
type Conn struct {
	server *Server
	login  perch.Login
	done   chan struct{}
	out    chan perch.Outbound

	deliver sync.Mutex // one Deliver at a time, as one reader would
	mu      sync.Mutex
	sink    sessions.Sink
	ended   func()
	seq     uint64
	handled uint64
	sent    []perch.Outbound

	published []perch.ReadIn // by PublishRead
	err       error
	closed    bool
}

var _ sessions.Conn = (*Conn)(nil)

// Deliver says something to the session, as the upstream would. It waits as long as the
// session takes, and panics before Start.
func (c *Conn) Deliver(in perch.Inbound) {
	c.deliver.Lock()
	defer c.deliver.Unlock()
	c.mu.Lock()
	c.seq++
	seq, sink := c.seq, c.sink
	c.mu.Unlock()
	sink(seq, in)
}

// Ack acknowledges everything that was sent until now, as XEP-0198 would.
func (c *Conn) Ack() {
	c.mu.Lock()
	n := uint64(len(c.sent))
	c.mu.Unlock()
	c.Deliver(&perch.AckIn{Through: n})
}

// Fail ends the connection with err, as a lost link or a stream error would.
func (c *Conn) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	close(c.done)
	if c.ended != nil {
		c.ended()
	}
}

// Sent returns what the session sent, in order.
func (c *Conn) Sent() []perch.Outbound {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent)
}

// Next waits for the next thing that the session sends and Next has not returned before;
// nil when ctx ends first.
func (c *Conn) Next(ctx context.Context) perch.Outbound {
	select {
	case out := <-c.out:
		return out
	case <-ctx.Done():
		return nil
	}
}

// HandledSeq is the highest number that the session gave back to Handled, and Delivered
// the highest that it was given.
func (c *Conn) HandledSeq() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handled
}

// Delivered is the number of the last Deliver.
func (c *Conn) Delivered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// Closed reports whether the session signed out (Close), and did not only drop the connection
// (Abort).
func (c *Conn) Closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Login implements sessions.Conn.
func (c *Conn) Login() perch.Login { return c.login }

// Start implements sessions.Conn.
func (c *Conn) Start(sink sessions.Sink, ended func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sink, c.ended = sink, ended
	if c.err != nil {
		ended()
	}
}

// Send implements sessions.Conn.
func (c *Conn) Send(out perch.Outbound) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, perch.Wrap(perch.KindSessionOffline, c.err, "the connection has ended")
	}
	c.sent = append(c.sent, out)
	select {
	case c.out <- out:
	default: // a test that never looks is not held up
	}
	return uint64(len(c.sent)), nil
}

// Handled implements sessions.Conn.
func (c *Conn) Handled(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handled = max(c.handled, seq)
}

// ask is the way of every request to the upstream: refused by the script, or by an ended
// connection, or answered from the data.
func (c *Conn) ask(ctx context.Context, method string, answer func(*Data) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.Err(); err != nil {
		return perch.Wrap(perch.KindSessionOffline, err, "the connection has ended")
	}
	var refuse func(string) error
	c.server.read(func(d *Data) { refuse = d.Refuse })
	if refuse != nil {
		if err := refuse(method); err != nil {
			return err
		}
	}
	var err error
	c.server.read(func(d *Data) { err = answer(d) })
	return err
}

func notFound() error {
	return &perch.Error{Kind: perch.KindXMPP, Detail: "the upstream answered with an error",
		XMPP: &perch.XMPPError{Condition: "item-not-found", Type: "cancel"}}
}

// Roster implements sessions.Conn; it always gives the whole roster.
func (c *Conn) Roster(ctx context.Context, _ string) (r perch.RosterResult, err error) {
	err = c.ask(ctx, "Roster", func(d *Data) error {
		r.Items = slices.Clone(d.Roster)
		return nil
	})
	return r, err
}

// SetRosterItem implements sessions.Conn. The push of a real server comes with it.
func (c *Conn) SetRosterItem(ctx context.Context, jid perch.JID, name string, groups []string) error {
	item := perch.Buddy{JID: jid, Subscription: perch.SubscriptionNone}
	err := c.ask(ctx, "SetRosterItem", func(d *Data) error {
		i := slices.IndexFunc(d.Roster, func(b perch.Buddy) bool { return b.JID == jid })
		if i >= 0 {
			item = d.Roster[i]
		}
		item.Name, item.Groups = name, append([]string{}, groups...)
		if i >= 0 {
			d.Roster[i] = item
		} else {
			d.Roster = append(d.Roster, item)
		}
		return nil
	})
	if err == nil {
		c.Deliver(&perch.RosterPush{Item: item})
	}
	return err
}

// ChangePassword implements sessions.PasswordChanger; Refuse is all that says no. The last password is
// Data.Password.
func (c *Conn) ChangePassword(ctx context.Context, fresh perch.Secret) error {
	return c.ask(ctx, "ChangePassword", func(d *Data) error {
		d.Password = fresh
		return nil
	})
}

// RemoveRosterItem implements sessions.Conn. The push of a real server comes with it.
func (c *Conn) RemoveRosterItem(ctx context.Context, jid perch.JID) error {
	err := c.ask(ctx, "RemoveRosterItem", func(d *Data) error {
		n := len(d.Roster)
		d.Roster = slices.DeleteFunc(d.Roster, func(b perch.Buddy) bool { return b.JID == jid })
		if len(d.Roster) == n {
			return notFound()
		}
		return nil
	})
	if err == nil {
		c.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: jid, Groups: []string{}, Subscription: perch.SubscriptionRemove}})
	}
	return err
}

// VCard implements sessions.Conn.
func (c *Conn) VCard(ctx context.Context, jid perch.JID) (card perch.VCard, err error) {
	err = c.ask(ctx, "VCard", func(d *Data) error {
		var ok bool
		if card, ok = d.Cards[jid]; !ok {
			return notFound()
		}
		return nil
	})
	return card, err
}

// SetVCard implements sessions.Conn.
func (c *Conn) SetVCard(ctx context.Context, card perch.VCard) error {
	return c.ask(ctx, "SetVCard", func(d *Data) error {
		card.JID = c.login.JID.Bare()
		d.Cards[card.JID] = card
		return nil
	})
}

// SearchesArchive implements sessions.ArchiveSearcher.
func (c *Conn) SearchesArchive() (yes bool) {
	c.server.read(func(d *Data) { yes = d.Search })
	return yes
}

// noSearch is the answer for an archive that cannot be searched, before it is asked.
func noSearch() error {
	return perch.Errorf(perch.KindFeatureUnsupported, "this archive has no search")
}

// Archive implements sessions.Conn; without a script it gives the same page to every query.
func (c *Conn) Archive(ctx context.Context, q perch.ArchiveQuery) (p perch.ArchivePage, err error) {
	if q.Text != "" && !c.SearchesArchive() {
		return p, noSearch()
	}
	err = c.ask(ctx, "Archive", func(d *Data) (err error) {
		if d.Archived != nil {
			p, err = d.Archived(q)
			return err
		}
		p = d.Archive
		p.Items = slices.Clone(p.Items)
		return nil
	})
	return p, err
}

// LookupJID implements sessions.Conn.
func (c *Conn) LookupJID(ctx context.Context, account string) (jid perch.JID, err error) {
	err = c.ask(ctx, "LookupJID", func(d *Data) error {
		var ok bool
		if jid, ok = d.JIDs[account]; !ok {
			return notFound()
		}
		return nil
	})
	return jid, err
}

// PublishRead implements sessions.Conn. What a real server tells the other devices is for the test to
// deliver.
func (c *Conn) PublishRead(ctx context.Context, read perch.ReadIn) error {
	return c.ask(ctx, "PublishRead", func(d *Data) error {
		if err := c.keepsRead(); err != nil {
			return err
		}
		d.Read = append(slices.DeleteFunc(d.Read, func(r perch.ReadIn) bool { return r.Conversation.Equal(read.Conversation) }), read)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.published = append(c.published, read)
		return nil
	})
}

// ReadPositions implements sessions.Conn.
func (c *Conn) ReadPositions(ctx context.Context) (list []perch.ReadIn, err error) {
	err = c.ask(ctx, "ReadPositions", func(d *Data) error {
		list = slices.Clone(d.Read)
		return c.keepsRead()
	})
	return list, err
}

func (c *Conn) keepsRead() error {
	if !c.login.Capabilities.ReadSync {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot keep read positions")
	}
	return nil
}

// Published returns what the session gave to PublishRead, in order.
func (c *Conn) Published() []perch.ReadIn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.published)
}

// Ping implements sessions.Conn.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	return time.Millisecond, c.ask(ctx, "Ping", func(*Data) error { return nil })
}

// Stats implements sessions.Conn.
func (c *Conn) Stats() perch.ConnStats { return perch.ConnStats{} }

// StreamState implements sessions.Conn: a stream here cannot be resumed.
func (c *Conn) StreamState() []byte { return nil }

// Done implements sessions.Conn.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err implements sessions.Conn.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close implements sessions.Conn.
func (c *Conn) Close(context.Context) error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.Abort()
	return nil
}

// Abort implements sessions.Conn.
func (c *Conn) Abort() { c.Fail(perch.Errorf(perch.KindLinkLost, "the connection was dropped")) }
