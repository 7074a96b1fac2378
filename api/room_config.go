package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
	"github.com/perch-im/perch/sessions"
)

// roomConfigRequest is a perch.RoomConfig: what is left out stays as it is.
type roomConfigRequest struct {
	Name          *string             `json:"name"`
	Description   *string             `json:"description"`
	Language      *string             `json:"language" example:"en"`
	Persistent    *bool               `json:"persistent"`
	Public        *bool               `json:"public"`
	MembersOnly   *bool               `json:"members_only"`
	Moderated     *bool               `json:"moderated"`
	RealJIDs      *string             `json:"real_jids" enums:"anyone,moderators"`
	ChangeSubject *bool               `json:"change_subject"`
	AllowInvites  *bool               `json:"allow_invites"`
	Archive       *bool               `json:"archive"`
	MaxOccupants  *int                `json:"max_occupants"`      // 0: no limit
	Password      *string             `json:"password"`           // "": none
	PresenceOf    *[]string           `json:"presence_broadcast"` // roles
	Fields        map[string][]string `json:"fields"`             // of the room's own form
} // @name RoomConfigRequest

// Bounds of a configuration, beside those of the room.
const (
	maxDescriptionRoom = 4096 // characters
	maxLanguageChars   = 64
	maxOccupantsLimit  = 1_000_000
	maxFieldName       = 256 // bytes
	maxFieldValue      = 4096
)

// checked returns the configuration. What a value may be in this room is for the room to say; at is
// the pointer of the object.
func (req *roomConfigRequest) checked(at string) (c perch.RoomConfig, err error) {
	c = perch.RoomConfig(*req)
	for _, t := range []struct {
		pointer string
		text    *string
		most    int
	}{{"/name", c.Name, maxRoomNameChars}, {"/language", c.Language, maxLanguageChars}} {
		if t.text != nil {
			if err := oneLine(at+t.pointer, *t.text, t.most); err != nil {
				return c, err
			}
		}
	}
	switch {
	case c.Description != nil && utf8.RuneCountInString(*c.Description) > maxDescriptionRoom:
		return c, perch.Invalid(at+"/description", "must have at most %d characters", maxDescriptionRoom)
	case c.RealJIDs != nil && *c.RealJIDs != "anyone" && *c.RealJIDs != "moderators":
		return c, perch.Invalid(at+"/real_jids", "must be anyone or moderators")
	case c.MaxOccupants != nil && (*c.MaxOccupants < 0 || *c.MaxOccupants > maxOccupantsLimit):
		return c, perch.Invalid(at+"/max_occupants", "must be a whole number from 0 to %d", maxOccupantsLimit)
	}
	if c.Password != nil {
		if err := checkRoomPassword(at+"/password", *c.Password); err != nil {
			return c, err
		}
	}
	if c.PresenceOf != nil {
		if err := checkRoles(at+"/presence_broadcast", *c.PresenceOf); err != nil {
			return c, err
		}
	}
	return c, checkFormFields(at+"/fields", c.Fields)
}

// checkRoles checks the roles whose presence a room tells to all.
func checkRoles(pointer string, roles []string) error {
	for i, role := range roles {
		at := fmt.Sprintf("%s/%d", pointer, i)
		switch {
		case !perch.Role(role).Valid() || perch.Role(role) == perch.RoleNone:
			return perch.Invalid(at, "must be moderator, participant or visitor")
		case slices.Contains(roles[:i], role):
			return perch.Invalid(at, "stands in the list twice")
		}
	}
	return nil
}

// checkFormFields bounds the fields of the form of a room, which alone knows what they may be.
func checkFormFields(pointer string, fields map[string][]string) error {
	for name, values := range fields {
		at := pointer + "/" + strictjson.EscapePointer(name)
		if name == "" || len(name) > maxFieldName {
			return perch.Invalid(at, "must have a name of 1 to %d bytes", maxFieldName)
		}
		for i, v := range values {
			if len(v) > maxFieldValue {
				return perch.Invalid(fmt.Sprintf("%s/%d", at, i), "must have at most %d bytes", maxFieldValue)
			}
		}
	}
	return nil
}

// handleRoomConfig shows the configuration of a room (XEP-0045, 10.2).
//
//	@ID				getRoomConfig
//	@Summary		Configuration
//	@Description	The settings that most services have, by name; fields has the rest of the form of the room, under its own names. Only owners may see it.
//	@Tags			rooms
//	@Produce		json
//	@Param			jid	path		string	true	"bare JID of the room, percent-encoded"
//	@Success		200	{object}	perch.RoomConfig
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"the account does not own the room"
//	@Failure		404	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no rooms"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/rooms/{jid}/config [get]
//	@Security		BearerAuth
func (a *API) handleRoomConfig(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	return writeRoomConfig(w, r, jid)
}

func writeRoomConfig(w http.ResponseWriter, r *http.Request, jid perch.JID) error {
	c, err := sessions.RoomsOf(sessionFrom(r.Context())).RoomConfig(r.Context(), jid)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c)
}

// handleRoomConfigPatch changes the configuration of a room.
//
//	@ID				updateRoomConfig
//	@Summary		Configure a room
//	@Description	What is left out stays as it is. The answer is the configuration as the room has it then; room.changed tells the others what they can see of it. 501: the room has no such setting.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string				true	"bare JID of the room, percent-encoded"
//	@Param			body	body		roomConfigRequest	true	"what to change"
//	@Success		200		{object}	perch.RoomConfig
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the account does not own the room"
//	@Failure		404		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms, or the room no such setting"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/rooms/{jid}/config [patch]
//	@Security		BearerAuth
func (a *API) handleRoomConfigPatch(w http.ResponseWriter, r *http.Request) error {
	var req roomConfigRequest
	jid, err := roomRequest(r, &req)
	if err != nil {
		return err
	}
	if reflect.ValueOf(req).IsZero() {
		return perch.Invalid("/name", "this, or another setting is needed")
	}
	c, err := req.checked("")
	if err != nil {
		return err
	}
	if err := sessions.RoomsOf(sessionFrom(r.Context())).SetRoomConfig(r.Context(), jid, c); err != nil {
		return err
	}
	return writeRoomConfig(w, r, jid)
}
