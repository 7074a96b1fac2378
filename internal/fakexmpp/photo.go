package fakexmpp

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var _ sessions.PhotoConn = (*Conn)(nil)

// SetPhoto implements sessions.PhotoConn: it becomes the photo of the own card.
func (c *Conn) SetPhoto(ctx context.Context, data []byte) error {
	return c.ask(ctx, "SetPhoto", func(d *Data) error {
		if !d.Capabilities.StoreVCard {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store photos")
		}
		own := c.login.JID.Bare()
		card := d.Cards[own]
		card.JID, card.Photo = own, nil
		if len(data) > 0 {
			card.Photo = &perch.Photo{Size: len(data), Data: data}
		}
		d.Cards[own] = card
		return nil
	})
}
