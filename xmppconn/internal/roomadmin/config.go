package roomadmin

import (
	"context"
	"reflect"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// RoomConfig fetches the configuration of a room, which only its owners may see (XEP-0045, 10.2).
func (a *Admin) RoomConfig(ctx context.Context, room perch.JID) (perch.RoomConfig, error) {
	f, err := a.form(ctx, room)
	if err != nil {
		return perch.RoomConfig{}, err
	}
	return f.Config(), nil
}

// SetRoomConfig changes what config names and leaves the rest as it is. Without any field it accepts
// the configuration that the service gives a new room (XEP-0045, 10.1.2), which then is locked no
// more. The error is of KindFeatureUnsupported for a setting that the room does not have, and of
// KindValidation for a value, or a name in Fields, that cannot be.
func (a *Admin) SetRoomConfig(ctx context.Context, room perch.JID, config perch.RoomConfig) error {
	payload := stanza.EncodeRoomConfigDefault()
	if !reflect.ValueOf(config).IsZero() {
		f, err := a.form(ctx, room)
		if err != nil {
			return err
		}
		if payload, err = f.Encode(config); err != nil {
			return err
		}
	}
	return a.set(ctx, "room_config_set", room, payload, nil)
}

// CancelRoomConfig leaves the configuration as it is. A room that is new and locked is destroyed
// (XEP-0045, 10.1.3).
func (a *Admin) CancelRoomConfig(ctx context.Context, room perch.JID) error {
	return a.set(ctx, "room_config_set", room, stanza.EncodeRoomConfigCancel(), nil)
}

func (a *Admin) form(ctx context.Context, room perch.JID) (stanza.RoomForm, error) {
	answer, err := a.ask(ctx, "room_config", "get", room, stanza.EncodeRoomConfigGet(), nil)
	if err != nil {
		return stanza.RoomForm{}, Refusal(err)
	}
	return stanza.ParseRoomForm(answer)
}
