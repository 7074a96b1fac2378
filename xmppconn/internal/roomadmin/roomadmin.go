// Package roomadmin asks rooms, and the services that have them, for what owners, moderators and
// members may ask (XEP-0045, 6 and 8 to 10). It has no connection: it asks by a function.
package roomadmin

import (
	"context"
	"errors"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request and returns the payload of its answer, nil for none. With part the answer may
// be larger than a stanza: part is given its payload, in one or more parts, and the result is nil. An
// error answer is a *perch.Error with XMPP; where the upstream has no rooms nothing is sent, and the
// error is of KindFeatureUnsupported. Kind names the request in statistics.
type Ask func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error)

// Admin is what a connection asks of rooms. All of its methods wait for the answer of the service, as
// long as Ask does. A refusal is of KindForbidden when the account may not do what it asks for, and
// else of KindXMPP or KindItemNotFound with the condition of the service.
type Admin struct {
	ask    Ask
	server func() perch.JID
}

// New is an Admin that asks so; server is that of the account, and is not needed before a request.
func New(ask Ask, server func() perch.JID) Admin { return Admin{ask, server} }

// RoomMembers is one of the lists that a room keeps: of its owners, admins, members or outcasts
// (XEP-0045, 9.5, 9.8, 10.5 and 10.8).
func (a *Admin) RoomMembers(ctx context.Context, room perch.JID, affiliation perch.Affiliation) (perch.MemberList, error) {
	payload, err := stanza.EncodeRoomMembers(affiliation)
	if err != nil {
		return perch.MemberList{}, err
	}
	var all stanza.MemberCollector
	if _, err := a.ask(ctx, "room_members", "get", room, payload, all.Add); err != nil {
		return perch.MemberList{}, Refusal(err)
	}
	return all.Result(), nil
}

// SetAffiliation gives m.JID an affiliation to a room (XEP-0045, 9 and 10); outcast is a ban. Some
// services keep the nick, or the reason.
func (a *Admin) SetAffiliation(ctx context.Context, room perch.JID, m perch.Member) error {
	payload, err := stanza.EncodeAffiliation(m)
	return a.set(ctx, "room_affiliation", room, payload, err)
}

// SetRole gives an occupant a role (XEP-0045, 8.2 to 8.4, 9.6 and 9.7); none is a kick. The error is of
// KindItemNotFound when nobody in the room has the nick.
func (a *Admin) SetRole(ctx context.Context, room perch.JID, nick string, role perch.Role, reason string) error {
	payload, err := stanza.EncodeRole(nick, role, reason)
	err = a.set(ctx, "room_role", room, payload, err)
	if e, ok := errors.AsType[*perch.Error](err); ok && perch.ConditionOf(err) == "not-acceptable" { // which is ejabberd's word for it
		return &perch.Error{Kind: perch.KindItemNotFound, Detail: "nobody in the room has this nick", XMPP: e.XMPP, Err: err}
	}
	return err
}

// DestroyRoom ends a room for all who are in it, and tells them of another one; successor may be ""
// (XEP-0045, 10.9).
func (a *Admin) DestroyRoom(ctx context.Context, room perch.JID, reason string, successor perch.JID) error {
	payload, err := stanza.EncodeRoomDestroy(reason, successor)
	return a.set(ctx, "room_destroy", room, payload, err)
}

// ModerateMessage retracts a message of another occupant, by its id in the archive of the room
// (XEP-0425). The error is of KindFeatureUnsupported where the room cannot.
func (a *Admin) ModerateMessage(ctx context.Context, room perch.JID, stanzaID, reason string) error {
	info, err := a.ask(ctx, "disco_info", "get", room, stanza.EncodeDiscoInfo(), nil)
	if err != nil {
		return Refusal(err)
	}
	old := !stanza.HasFeature(info, stanza.FeatureModeration)
	if old && !stanza.HasFeature(info, stanza.FeatureModerationOld) {
		return perch.Errorf(perch.KindFeatureUnsupported, "this room has no moderation of messages")
	}
	payload, err := stanza.EncodeModeration(stanzaID, reason, old)
	return a.set(ctx, "room_moderate", room, payload, err)
}

// ReservedNick is the nick that a room keeps for the account (XEP-0045, 7.12); "" when it keeps none,
// and where a room knows no such thing.
func (a *Admin) ReservedNick(ctx context.Context, room perch.JID) (string, error) {
	info, err := a.ask(ctx, "room_nick", "get", room, stanza.EncodeReservedNick(), nil)
	switch perch.ConditionOf(err) {
	case "item-not-found", "feature-not-implemented", "service-unavailable", "bad-request", "not-acceptable":
		return "", nil
	}
	if err != nil {
		return "", Refusal(err)
	}
	return stanza.ParseReservedNick(info), nil
}

// SetRoomPhoto gives a room a picture, which only its owners may: PNG, JPEG, GIF or WebP. Without data
// it has none. The rest of its card stays as far as this gateway knows it (XEP-0054).
func (a *Admin) SetRoomPhoto(ctx context.Context, room perch.JID, data []byte) error {
	answer, err := a.ask(ctx, "vcard", "get", room, stanza.EncodeVCardGet(), nil)
	if err != nil && perch.ConditionOf(err) != "item-not-found" {
		return Refusal(err)
	}
	card := stanza.ParseVCard(answer, room)
	card.Photo = nil
	if len(data) > 0 {
		card.Photo = &perch.Photo{Data: data}
	}
	payload, err := stanza.EncodeVCardSet(card)
	return a.set(ctx, "vcard_set", room, payload, err)
}

// set asks for a change, unless it cannot be written.
func (a *Admin) set(ctx context.Context, kind string, room perch.JID, payload []byte, err error) error {
	if err != nil {
		return err
	}
	_, err = a.ask(ctx, kind, "set", room, payload, nil)
	return Refusal(err)
}

// Refusal gives the error of a request to a room the kind that its condition has there (XEP-0045,
// 17.2): what is not allowed in general may be allowed to others in a room.
func Refusal(err error) error {
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.XMPP == nil || e.Kind != perch.KindXMPP {
		return err
	}
	switch e.XMPP.Condition {
	case "forbidden", "not-allowed", "not-authorized", "registration-required":
		return &perch.Error{Kind: perch.KindForbidden, Detail: "the room does not allow this account to do so", XMPP: e.XMPP, Err: err}
	}
	return err
}
