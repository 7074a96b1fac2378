// Package pepnode publishes in a node of the own account (XEP-0163) that cannot lose an item and that
// nobody else can read. It has no connection: it asks by a function.
//
// A publication with options is safe by itself where the server knows them: it makes the node as it
// must be, or is refused. Where an option is refused (a server may know no max_items, and its
// nodes then have room for one item: each would delete the one before), nothing is published
// before the node was configured and its configuration read back. A node that stays otherwise is
// not used.
package pepnode

import (
	"context"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request to the own account and returns the payload of its answer, nil for none. An
// error answer is a *perch.Error with XMPP.
type Ask func(ctx context.Context, typ string, payload []byte) (*xmlstream.Element, error)

// Kind is what a node is for.
type Kind struct {
	Name string
	Many bool   // it has many items, none of which may be lost; else one, which is replaced
	What string // is in it, for errors
}

// Node is what is known of a node of an account. The zero value knows nothing. It is safe for
// concurrent use, and two that find out at once do the same twice.
type Node struct{ state atomic.Uint32 }

// The states of a Node.
const (
	unknown  = iota
	checked  // it is configured as it must be
	unusable // it is not, or the server has none
)

// Usable reports whether the node may be used, as far as is known.
func (n *Node) Usable() bool { return n.state.Load() != unusable }

// Publish asks with what encode makes: a publication with options, or without where the node is
// known to be safe. The error is of KindFeatureUnsupported where the node cannot be made safe, which
// is remembered, and that of ask or encode else.
func (n *Node) Publish(ctx context.Context, ask Ask, of Kind, encode func(options bool) ([]byte, error)) error {
	state := n.state.Load()
	if state == unusable {
		return of.Unsupported(nil)
	}
	err := publish(ctx, ask, encode, state == unknown)
	if state != unknown || !Refused(err) {
		return err
	}
	if err := n.makeSafe(ctx, ask, of); err != nil {
		return err
	}
	return publish(ctx, ask, encode, false)
}

func publish(ctx context.Context, ask Ask, encode func(options bool) ([]byte, error), options bool) error {
	payload, err := encode(options)
	if err != nil {
		return err
	}
	_, err = ask(ctx, "set", payload)
	return err
}

// makeSafe configures the node, which it makes when there is none, and reads back how it is.
func (n *Node) makeSafe(ctx context.Context, ask Ask, of Kind) error {
	get := func() (*xmlstream.Element, error) { return ask(ctx, "get", stanza.EncodeNodeGet(of.Name)) }
	config, err := get()
	if perch.ConditionOf(err) == "item-not-found" {
		if _, err = ask(ctx, "set", stanza.EncodeNodeCreate(of.Name)); err == nil || perch.ConditionOf(err) == "conflict" {
			config, err = get()
		}
	}
	if err == nil && !stanza.NodeSafe(config, of.Many) {
		config, err = configure(ctx, ask, of, get)
	}
	switch {
	case err != nil && perch.ConditionOf(err) == "":
		return err // no answer: to be tried again
	case err != nil || !stanza.NodeSafe(config, of.Many):
		n.state.Store(unusable)
		return of.Unsupported(err)
	}
	n.state.Store(checked)
	return nil
}

func configure(ctx context.Context, ask Ask, of Kind, get func() (*xmlstream.Element, error)) (*xmlstream.Element, error) {
	payload, err := stanza.EncodeNodeSet(of.Name, of.Many)
	if err != nil {
		return nil, err
	}
	if _, err = ask(ctx, "set", payload); err != nil {
		return nil, err
	}
	return get()
}

// Refused reports whether a server does not do what it was asked, now and later: of the same
// request it would say the same again.
func Refused(err error) bool {
	switch perch.ConditionOf(err) {
	case "bad-request", "conflict", "feature-not-implemented", "forbidden", "item-not-found", "not-acceptable", "not-allowed",
		"resource-constraint", "service-unavailable":
		return true
	}
	return false
}

// Unsupported says that the server has no such node that is safe; cause may be nil.
func (k Kind) Unsupported(cause error) error {
	if cause == nil {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot keep %s", k.What)
	}
	return perch.Wrap(perch.KindFeatureUnsupported, cause, "this upstream cannot keep %s", k.What)
}
