// Package readsync keeps the read positions of an account on its server (XEP-0490), in a node that
// cannot lose one and that nobody else can read. It has no connection: it asks by a function.
//
// A publication with options is safe by itself where the server knows them: it makes the node as it
// must be, or is refused. Where an option is refused (a server may know no max_items, and its
// nodes then have room for one item: each position would delete the one before), nothing is published
// before the node was configured and its configuration read back. A node that stays otherwise is
// not used.
package readsync

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request to the own account and returns the payload of its answer, nil for none. An
// error answer is a *perch.Error with XMPP.
type Ask func(ctx context.Context, typ string, payload []byte) (*xmlstream.Element, error)

// Node is what is known of the node of an account. The zero value knows nothing. It is safe for
// concurrent use, and two that find out at once do the same twice.
type Node struct{ state atomic.Uint32 }

// The states of a Node.
const (
	unknown  = iota
	checked  // it is configured as it must be
	unusable // it is not, or the server has none
)

// Publish says how far a conversation was read: up to the message with this id in the archive of the
// account, whose bare JID is own. The error is of KindFeatureUnsupported where the node cannot be
// made safe, which is remembered, and that of ask else.
func (n *Node) Publish(ctx context.Context, ask Ask, own, conversation perch.JID, stanzaID string) error {
	state := n.state.Load()
	if state == unusable {
		return unsupported(nil)
	}
	err := publish(ctx, ask, own, conversation, stanzaID, state == unknown)
	if state != unknown || !refused(err) {
		return err
	}
	if err := n.makeSafe(ctx, ask); err != nil {
		return err
	}
	return publish(ctx, ask, own, conversation, stanzaID, false)
}

func publish(ctx context.Context, ask Ask, own, conversation perch.JID, stanzaID string, options bool) error {
	payload, err := stanza.EncodeReadPosition(own, conversation, stanzaID, options)
	if err != nil {
		return err
	}
	_, err = ask(ctx, "set", payload)
	return err
}

// Positions are those of all conversations; none where there is no node yet. The error is as that of
// Publish.
func (n *Node) Positions(ctx context.Context, ask Ask, own perch.JID) ([]perch.ReadIn, error) {
	if n.state.Load() == unusable {
		return nil, unsupported(nil)
	}
	payload, err := ask(ctx, "get", stanza.EncodeReadPositions())
	switch {
	case condition(err) == "item-not-found":
		return nil, nil
	case refused(err):
		return nil, unsupported(err)
	case err != nil:
		return nil, err
	}
	return stanza.ParseReadPositions(payload, own), nil
}

// makeSafe configures the node, which it makes when there is none, and reads back how it is.
func (n *Node) makeSafe(ctx context.Context, ask Ask) error {
	get := func() (*xmlstream.Element, error) { return ask(ctx, "get", stanza.EncodeReadNodeGet()) }
	config, err := get()
	if condition(err) == "item-not-found" {
		if _, err = ask(ctx, "set", stanza.EncodeReadNodeCreate()); err == nil || condition(err) == "conflict" {
			config, err = get()
		}
	}
	if err == nil && !stanza.ReadNodeSafe(config) {
		config, err = configure(ctx, ask, get)
	}
	switch {
	case err != nil && condition(err) == "":
		return err // no answer: to be tried again
	case err != nil || !stanza.ReadNodeSafe(config):
		n.state.Store(unusable)
		return unsupported(err)
	}
	n.state.Store(checked)
	return nil
}

func configure(ctx context.Context, ask Ask, get func() (*xmlstream.Element, error)) (*xmlstream.Element, error) {
	payload, err := stanza.EncodeReadNodeSet()
	if err != nil {
		return nil, err
	}
	if _, err = ask(ctx, "set", payload); err != nil {
		return nil, err
	}
	return get()
}

// condition is that of an error answer; "" for anything else.
func condition(err error) string {
	if e, ok := errors.AsType[*perch.Error](err); ok && e.XMPP != nil {
		return e.XMPP.Condition
	}
	return ""
}

// refused reports whether a server does not do what it was asked, now and later: of the same
// request it would say the same again.
func refused(err error) bool {
	switch condition(err) {
	case "bad-request", "conflict", "feature-not-implemented", "forbidden", "item-not-found", "not-acceptable", "not-allowed",
		"resource-constraint", "service-unavailable":
		return true
	}
	return false
}

func unsupported(cause error) error {
	if cause == nil {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot keep read positions")
	}
	return perch.Wrap(perch.KindFeatureUnsupported, cause, "this upstream cannot keep read positions")
}
