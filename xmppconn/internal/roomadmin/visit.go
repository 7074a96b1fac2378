package roomadmin

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// RoomInfo asks a room what it is and can do (XEP-0045, 6.4). The error is of KindItemNotFound where
// there is no room of this address.
func (a *Admin) RoomInfo(ctx context.Context, room perch.JID) (perch.RoomInfo, error) {
	answer, err := a.ask(ctx, "room_info", "get", room, stanza.EncodeDiscoInfo(), nil)
	if err != nil {
		return perch.RoomInfo{}, Refusal(err)
	}
	return stanza.ParseRoomInfo(answer)
}

// SelfPing asks whether the account is still in a room under a nick (XEP-0410, 3.2). The error is why it
// is not known, and nil otherwise. The nick must be the own one: a ping to another goes to its client.
//
// Not to know an occupant and not to know the room is one condition: which it is, the room says.
func (a *Admin) SelfPing(ctx context.Context, room perch.JID, nick string) (perch.SelfPing, error) {
	_, err := a.ask(ctx, "room_ping", "get", room+"/"+perch.JID(nick), stanza.EncodePing(), nil)
	switch perch.ConditionOf(err) {
	case "":
		if err == nil {
			return perch.SelfPingIn, nil
		}
		return perch.SelfPingUnknown, err
	case "service-unavailable", "feature-not-implemented": // of the own client, which it has reached
		return perch.SelfPingIn, nil
	case "remote-server-not-found", "remote-server-timeout", "resource-constraint", "internal-server-error":
		return perch.SelfPingUnknown, err
	case "item-not-found":
		return a.renamed(ctx, room)
	}
	return perch.SelfPingOut, nil
}

// renamed says why a room, or the service, knows no occupant of a nick.
func (a *Admin) renamed(ctx context.Context, room perch.JID) (perch.SelfPing, error) {
	switch _, err := a.RoomInfo(ctx, room); {
	case err == nil:
		return perch.SelfPingRenamed, nil
	case perch.KindOf(err) == perch.KindItemNotFound:
		return perch.SelfPingNoRoom, nil
	default:
		return perch.SelfPingUnknown, err
	}
}
