package xmppconn

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// ask is a request for the packages that have no connection. Answered, which may be nil, is called by the reader.
func (c *Conn) ask(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed), answered func()) (*xmlstream.Element, error) {
	return requestLarge(ctx, c, kind, typ, to, payload, func(in stanza.IQ) (*xmlstream.Element, error) {
		if part != nil && in.Payload != nil {
			part(in.Payload.Borrowed())
		}
		if answered != nil {
			answered()
		}
		return in.Payload, nil
	}, asked{part: part, timeout: c.d.up.RequestTimeout})
}

// asking makes requests for the packages below, of what an upstream that takes chat messages only cannot
// do: nothing is sent to one.
func (c *Conn) asking(what string) func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
	return func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
		if c.login.Capabilities.ChatOnly {
			return nil, unsupported(what)
		}
		return c.ask(ctx, kind, typ, to, payload, part, nil)
	}
}

// askBlocking is ask for internal/blocking. What follows from the answer is delivered in its place.
func (c *Conn) askBlocking(ctx context.Context, typ string, payload []byte, answered func() perch.Inbound, part func(*xmlstream.Borrowed)) error {
	if c.login.Capabilities.ChatOnly {
		return unsupported("block anybody")
	}
	_, err := c.ask(ctx, "blocking", typ, "", payload, part, func() { c.deliver(answered()) })
	return err
}

// askOwn is ask for internal/readsync.
func (c *Conn) askOwn(ctx context.Context, typ string, payload []byte) (*xmlstream.Element, error) {
	if !c.login.Capabilities.ReadSync {
		return nil, unsupported("keep read positions")
	}
	return c.ask(ctx, "read_positions", typ, "", payload, nil, nil)
}

// askCard is ask for internal/cards.
func (c *Conn) askCard(ctx context.Context, kind, typ string, to perch.JID, payload []byte) (*xmlstream.Element, error) {
	return c.ask(ctx, kind, typ, to, payload, nil, nil)
}
