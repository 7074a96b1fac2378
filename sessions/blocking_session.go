package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// Blocking is what a session may be asked about its block list.
type Blocking struct{ s *Session }

// BlockingOf returns the block list of a session.
func BlockingOf(s *Session) Blocking { return Blocking{s} }

var (
	errNoBlocking error = perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot block anybody")
	errNotBlocked error = perch.Errorf(perch.KindItemNotFound, "this address is not on the block list")
	errBlocked    error = perch.Errorf(perch.KindBlocked, "the account blocks this address, so nothing can be sent to it: unblock it first")
)

// List is whom the account blocks. It waits for the upstream only while the list is not known: then the
// error is of KindFeatureUnsupported where the upstream has none, and that of a request else.
func (bs Blocking) List(ctx context.Context) (perch.BlockList, error) {
	list := perch.BlockList{Items: []perch.Blocked{}}
	err := bs.withList(ctx, func(b *blocking) {
		list.Complete = !b.partial
		for _, jid := range b.list {
			list.Items = append(list.Items, perch.Blocked{JID: jid})
		}
	})
	return list, err
}

// Show is one entry of the list; KindItemNotFound when it is not there. It waits as List does.
func (bs Blocking) Show(ctx context.Context, jid perch.JID) (perch.Blocked, error) {
	entry, err := perch.Blocked{}, errNotBlocked
	if lerr := bs.withList(ctx, func(b *blocking) {
		if i, ok := b.find(jid); ok {
			entry, err = perch.Blocked{JID: b.list[i]}, nil
		}
	}); lerr != nil {
		return entry, lerr
	}
	return entry, err
}

// withList lets the owner read the list, once it is known.
func (bs Blocking) withList(ctx context.Context, read func(*blocking)) error {
	b, known := &bs.s.blocking, false
	try := func() error {
		switch {
		case b.support == unsupported || bs.s.conn.chatOnly():
			return errNoBlocking
		case b.known:
			known = true
			read(b)
		}
		return nil
	}
	if err := bs.s.callErr(ctx, try); err != nil || known {
		return err
	}
	if err := bs.do(ctx, BlockingConn.FetchBlockList); err != nil {
		return err
	}
	if err := bs.s.callErr(ctx, try); err != nil || known {
		return err
	}
	return perch.Errorf(perch.KindUpstreamTimeout, "the block list has not arrived")
}

// Block adds an address to the list: an account, one of its devices, or a domain with everybody of it. Report,
// which may be nil, tells the server why; one for an address that is blocked already is sent, too. It waits
// for the upstream. Errors are as of List; KindValidation for a report that cannot be sent or for the own address,
// and KindQuotaExceeded when the list is full.
func (bs Blocking) Block(ctx context.Context, jid perch.JID, report *perch.Report) error {
	if err := bs.s.callErr(ctx, func() error {
		b := &bs.s.blocking
		switch _, there := b.find(jid); {
		case jid.Bare().Equal(bs.s.state.JID.Bare()):
			return perch.Invalid("{jid}", "is the account itself")
		case len(b.list) >= maxBlocked && !there:
			return perch.Errorf(perch.KindQuotaExceeded, "%d addresses are blocked already; unblock one of them first", maxBlocked)
		}
		return nil
	}); err != nil {
		return err
	}
	return bs.do(ctx, func(conn BlockingConn, ctx context.Context) error { return conn.Block(ctx, jid, report) })
}

// Unblock takes an address off the list, if it is there, and asks for the presence of a contact who was blocked. It
// waits for the upstream; errors are as of List.
func (bs Blocking) Unblock(ctx context.Context, jid perch.JID) error {
	return bs.do(ctx, func(conn BlockingConn, ctx context.Context) error { return conn.Unblock(ctx, jid) })
}

// UnblockAll empties the list. It waits for the upstream; errors are as of List.
func (bs Blocking) UnblockAll(ctx context.Context) error {
	return bs.do(ctx, BlockingConn.UnblockAll)
}

// do asks the upstream; what it says is applied when do returns.
func (bs Blocking) do(ctx context.Context, ask func(BlockingConn, context.Context) error) error {
	var l *link
	if err := bs.s.callErr(ctx, func() error {
		if bs.s.blocking.support == unsupported {
			return errNoBlocking
		}
		_, err := bs.s.conn.requestConn("block anybody", func(c perch.Capabilities) bool { return !c.ChatOnly })
		l = bs.s.conn.stream()
		return err
	}); err != nil {
		return err
	}
	conn, ok := blockingConn(l)
	if !ok {
		return errNoBlocking
	}
	err := ask(conn, ctx)
	if err != nil && perch.KindOf(err) == perch.KindFeatureUnsupported {
		bs.s.post(func() { bs.s.blocking.notSupported(l) })
	}
	if err != nil {
		return err
	}
	return bs.s.call(ctx, func() {}) // what has arrived is applied before that
}
