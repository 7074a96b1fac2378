// Package readsync keeps the read positions of an account on its server (XEP-0490), in a node that
// cannot lose one and that nobody else can read (see internal/pepnode). It has no connection: it asks
// by a function.
package readsync

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/pepnode"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

var positions = pepnode.Kind{Name: stanza.NodeReadPositions, Many: true, What: "read positions"}

// Positions are the read positions of an account. It is safe for concurrent use.
type Positions struct {
	node pepnode.Node
	ask  pepnode.Ask
	own  func() perch.JID
}

// New are the positions of an account, with nothing known of its server. Own is its bare JID, and is not
// needed before a request.
func New(ask pepnode.Ask, own func() perch.JID) *Positions { return &Positions{ask: ask, own: own} }

// PublishRead tells the other devices of the account how far a conversation was read: up to the message
// with this id in the own archive, or in that of the room. The error is of KindFeatureUnsupported where the server cannot keep
// that safely, which is remembered, and that of the request else.
func (p *Positions) PublishRead(ctx context.Context, read perch.ReadIn) error {
	return p.node.Publish(ctx, p.ask, positions, func(options bool) ([]byte, error) {
		return stanza.EncodeReadPosition(p.own(), read, options)
	})
}

// ReadPositions fetches how far each conversation was read, on whatever device; none where there is no
// node yet. The error is as that of PublishRead.
func (p *Positions) ReadPositions(ctx context.Context) ([]perch.ReadIn, error) {
	if !p.node.Usable() {
		return nil, positions.Unsupported(nil)
	}
	payload, err := p.ask(ctx, "get", stanza.EncodeReadPositions())
	switch {
	case perch.ConditionOf(err) == "item-not-found":
		return nil, nil
	case pepnode.Refused(err):
		return nil, positions.Unsupported(err)
	case err != nil:
		return nil, err
	}
	return stanza.ParseReadPositions(payload, p.own()), nil
}
