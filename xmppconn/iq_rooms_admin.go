package xmppconn

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// asking makes requests for the packages below, of what an upstream that takes chat messages only cannot
// do: nothing is sent to one.
func (c *Conn) asking(what string) func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
	return func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
		if c.login.Capabilities.ChatOnly {
			return nil, unsupported(what)
		}
		return requestLarge(ctx, c, kind, typ, to, payload, func(in stanza.IQ) (*xmlstream.Element, error) {
			if part != nil && in.Payload != nil {
				part(in.Payload.Borrowed())
			}
			return in.Payload, nil
		}, part, c.d.up.RequestTimeout)
	}
}
