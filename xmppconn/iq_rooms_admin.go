package xmppconn

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// askRoom is a request for internal/roomadmin, or to "" one for internal/bookmarks.
func (c *Conn) askRoom(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
	if c.login.Capabilities.ChatOnly {
		return nil, unsupported("have rooms")
	}
	return requestLarge(ctx, c, kind, typ, to, payload, func(in stanza.IQ) (*xmlstream.Element, error) {
		if part != nil && in.Payload != nil {
			part(in.Payload.Borrowed())
		}
		return in.Payload, nil
	}, part, c.d.up.RequestTimeout)
}
