// Package cards asks for the cards of accounts (XEP-0054), and changes the own one. It has no connection: it
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

// VCard fetches a card (XEP-0054), the own one for the own JID.
func (c *Cards) VCard(ctx context.Context, jid perch.JID) (perch.VCard, error) {
	jid, to := c.whose(jid)
	answer, err := c.ask(ctx, "vcard", "get", to, stanza.EncodeVCardGet())
	if err != nil {
		return perch.VCard{}, err
	}
	card := stanza.ParseVCard(answer, jid)
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
