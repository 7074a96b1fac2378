package cards

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// SetNick gives the account a nickname, which its contacts hear of (XEP-0172), and which is that of its card
// (XEP-0054), as far as the server has them; "" takes it back. The rest of the card stays. The error is of
// perch.KindFeatureUnsupported where it has neither, and nothing is sent.
func (c *Cards) SetNick(ctx context.Context, nick string) error {
	can := c.login().Capabilities
	if can.ChatOnly || !can.PEP && !can.StoreVCard {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store nicknames")
	}
	if can.PEP {
		payload, err := stanza.EncodeNick(nick)
		if err != nil {
			return err
		}
		if _, err := c.ask(ctx, "nick_set", "set", "", payload); err != nil {
			return err
		}
	}
	if !can.StoreVCard {
		return nil
	}
	return c.changeCard(ctx, func(card *perch.VCard) { card.Nickname = nick })
}
