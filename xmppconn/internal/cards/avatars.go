package cards

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// avatar is the picture that an account has published (XEP-0084); nil: none that can be had. Have is the photo of
// its card, which mostly is the same. One that is elsewhere on the web is its address: it is not fetched.
func (c *Cards) avatar(ctx context.Context, to perch.JID, metadata []stanza.AvatarInfo, have *perch.Photo) *perch.Photo {
	for _, info := range metadata {
		if have != nil && have.Hash == info.ID && len(have.Data) > 0 {
			return have
		}
		if info.URL != "" {
			return &perch.Photo{Hash: info.ID, URL: info.URL}
		}
		payload, err := stanza.EncodeAvatarDataGet(info.ID)
		if err != nil {
			continue
		}
		if answer, err := c.ask(ctx, "avatar", "get", to, payload); err == nil {
			if photo := stanza.ParseAvatarData(answer, info.ID); photo != nil {
				return photo
			}
		}
	}
	return nil
}

// metadata asks what avatar an account has. Where it cannot be asked, or does not say, there is none.
func (c *Cards) metadata(ctx context.Context, to perch.JID) []stanza.AvatarInfo {
	answer, err := c.ask(ctx, "avatar", "get", to, stanza.EncodeAvatarMetadataGet())
	if err != nil {
		return nil
	}
	return stanza.ParseAvatarMetadata(answer)
}

// SetPhoto gives the account a picture, or without data none: as an avatar (XEP-0084), and in the own card
// (XEP-0054) unless the server does that by itself (XEP-0398). The rest of the card stays as far as this gateway
// knows it. The error is of KindFeatureUnsupported where the server keeps neither, and nothing is sent.
func (c *Cards) SetPhoto(ctx context.Context, data []byte) error {
	can := c.login().Capabilities
	if can.ChatOnly || !can.PEP && !can.StoreVCard {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store photos")
	}
	if can.PEP {
		if err := c.publish(ctx, data); err != nil {
			return err
		}
		if can.AvatarConversion {
			return nil
		}
	}
	return c.setCardPhoto(ctx, data)
}

// publish puts an avatar where contacts find it: the bytes first, so that whoever hears of it finds them.
func (c *Cards) publish(ctx context.Context, data []byte) error {
	if len(data) > 0 {
		payload, err := stanza.EncodeAvatarData(data)
		if err != nil {
			return err
		}
		if _, err := c.ask(ctx, "avatar_set", "set", "", payload); err != nil {
			return err
		}
	}
	payload, err := stanza.EncodeAvatarMetadata(data)
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, "avatar_set", "set", "", payload)
	return err
}

func (c *Cards) setCardPhoto(ctx context.Context, data []byte) error {
	return c.changeCard(ctx, func(card *perch.VCard) {
		card.Photo = nil
		if len(data) > 0 {
			card.Photo = &perch.Photo{Data: data}
		}
	})
}

// changeCard stores the own card with a change. One that is not there is an empty one.
func (c *Cards) changeCard(ctx context.Context, change func(*perch.VCard)) error {
	answer, err := c.ask(ctx, "vcard", "get", "", stanza.EncodeVCardGet())
	if err != nil && perch.ConditionOf(err) != "item-not-found" {
		return err
	}
	card := stanza.ParseVCard(answer, "")
	change(&card)
	return c.SetVCard(ctx, card)
}
