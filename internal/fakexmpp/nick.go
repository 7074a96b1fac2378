package fakexmpp

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var _ sessions.NickConn = (*Conn)(nil)

// SetNick implements sessions.NickConn: it becomes the nickname of the own card.
func (c *Conn) SetNick(ctx context.Context, nick string) error {
	return c.ask(ctx, "SetNick", func(d *Data) error {
		if !d.Capabilities.StoreVCard {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store nicknames")
		}
		own := c.login.JID.Bare()
		card := d.Cards[own]
		card.JID, card.Nickname = own, nick
		d.Cards[own] = card
		return nil
	})
}
