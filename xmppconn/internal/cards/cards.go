// Package cards asks for the cards of accounts (XEP-0054) and their avatars (XEP-0084), and changes the own ones. It has no connection: it
// asks by a function.
package cards

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request and returns the payload of its answer, nil for none. An error answer is a
// *perch.Error with XMPP. Kind names the request in statistics.
type Ask func(ctx context.Context, kind, typ string, to perch.JID, payload []byte) (*xmlstream.Element, error)

// Cards are what a connection asks for cards. Its methods wait for the answer of the server, as long as Ask does.
type Cards struct {
	ask   Ask
	login func() perch.Login
}

// New are the cards of a connection; login is not needed before a request.
func New(ask Ask, login func() perch.Login) Cards { return Cards{ask, login} }

// VCard fetches a card (XEP-0054), the own one for the own JID. Its photo is the avatar of the account (XEP-0084),
// if it has one that can be had, and else that of the card. An account with an avatar and without a card has one
// that is empty but for it.
func (c *Cards) VCard(ctx context.Context, jid perch.JID) (perch.VCard, error) {
	jid, to := c.whose(jid)
	found := make(chan []stanza.AvatarInfo, 1)
	if c.login().Capabilities.ChatOnly {
		found <- nil
	} else {
		go func() { found <- c.metadata(ctx, to) }() // waited for below
	}
	answer, err := c.ask(ctx, "vcard", "get", to, stanza.EncodeVCardGet())
	metadata := <-found
	if err != nil && (perch.ConditionOf(err) == "" || len(metadata) == 0) {
		return perch.VCard{}, err
	}
	card := stanza.ParseVCard(answer, jid)
	if photo := c.avatar(ctx, to, metadata, card.Photo); photo != nil {
		card.Photo = photo
	} else if err != nil {
		return perch.VCard{}, err
	}
	card.FetchedAt = perch.At(time.Now())
	return card, nil
}

// whose is the account of an address, and to whom a request about it goes: about the own one to nobody.
func (c *Cards) whose(jid perch.JID) (account, to perch.JID) {
	jid = jid.Bare()
	if me := c.login().JID.Bare(); jid == "" || jid.Equal(me) {
		return me, ""
	}
	return jid, jid
}

// SetVCard replaces the own card. The error is of KindFeatureUnsupported where the server keeps none, and nothing
// is sent.
func (c *Cards) SetVCard(ctx context.Context, card perch.VCard) error {
	if !c.login().Capabilities.StoreVCard {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store vCards")
	}
	payload, err := stanza.EncodeVCardSet(card)
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, "vcard_set", "set", "", payload)
	return err
}
