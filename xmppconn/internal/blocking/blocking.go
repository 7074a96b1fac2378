// Package blocking asks a server whom the account blocks, and changes that (XEP-0191), with reports
// (XEP-0377). It has no connection: it asks by a function.
package blocking

import (
	"context"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request to the own account, and calls answered when its answer is there, in its place among what
// arrives, with what follows from it. With part the answer may be larger than a stanza: part is given its
// payload, in one or more parts, before answered is called. An error answer is a *perch.Error with XMPP;
// where the upstream has no block list nothing is sent, and the error is of KindFeatureUnsupported.
type Ask func(ctx context.Context, typ string, payload []byte, answered func() perch.Inbound, part func(*xmlstream.Borrowed)) error

// Blocking is the block list of an account on its server. All of its methods wait for the server, as long as Ask
// does, and what they change arrives before they return. It is safe for concurrent use.
type Blocking struct {
	ask  Ask
	own  func() perch.JID
	none atomic.Bool // the server has said that it has no block list
}

// New is the list of an account. Own is its bare JID, and is not needed before a request.
func New(ask Ask, own func() perch.JID) *Blocking { return &Blocking{ask: ask, own: own} }

// FetchBlockList asks for the list, which arrives as a perch.BlockListIn, and has the server report
// changes of it from then on. The error is of KindFeatureUnsupported where the server has none, which is
// remembered.
func (b *Blocking) FetchBlockList(ctx context.Context) error {
	if b.none.Load() {
		return unsupported(nil)
	}
	var all stanza.BlockListCollector
	return b.judge(b.ask(ctx, "get", stanza.EncodeBlockListGet(), func() perch.Inbound { return all.Result() }, all.Add))
}

// Block adds an address to the list; one that is there stays. Report may be nil. The error is as that of
// FetchBlockList.
func (b *Blocking) Block(ctx context.Context, jid perch.JID, report *perch.Report) error {
	payload, err := stanza.EncodeBlock(jid, b.own(), report)
	return b.change(ctx, payload, err, &perch.BlockListIn{Added: []perch.JID{jid}})
}

// Unblock takes an address off the list, if it is there. The error is as that of FetchBlockList.
func (b *Blocking) Unblock(ctx context.Context, jid perch.JID) error {
	payload, err := stanza.EncodeUnblock(jid)
	err = b.change(ctx, payload, err, &perch.BlockListIn{Removed: []perch.JID{jid}})
	if perch.ConditionOf(err) == "item-not-found" {
		return nil
	}
	return err
}

// UnblockAll empties the list. The error is as that of FetchBlockList.
func (b *Blocking) UnblockAll(ctx context.Context) error {
	payload, err := stanza.EncodeUnblock()
	return b.change(ctx, payload, err, &perch.BlockListIn{All: true})
}

func (b *Blocking) change(ctx context.Context, payload []byte, err error, change *perch.BlockListIn) error {
	switch {
	case err != nil:
		return err
	case b.none.Load():
		return unsupported(nil)
	}
	return b.judge(b.ask(ctx, "set", payload, func() perch.Inbound { return change }, nil))
}

// judge tells a server without block lists from one that refuses a request.
func (b *Blocking) judge(err error) error {
	switch perch.ConditionOf(err) {
	case "service-unavailable", "feature-not-implemented":
		b.none.Store(true)
		return unsupported(err)
	}
	return err
}

func unsupported(cause error) error {
	if cause == nil {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot block anybody")
	}
	return perch.Wrap(perch.KindFeatureUnsupported, cause, "this upstream cannot block anybody")
}
