package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// roomJoinRequest is the optional body of PUT /v1/rooms/{jid}.
type roomJoinRequest struct {
	Nick     string `json:"nick"`     // left out: the one of before, of the bookmark, or of the account
	Password string `json:"password"` // of the room
	// AutoJoin lists the room in the bookmarks of the account: true when left out; null: they stay as
	// they are.
	AutoJoin  json.RawMessage    `json:"autojoin" swaggertype:"boolean"`
	Name      string             `json:"name"`   // of the bookmark
	Config    *roomConfigRequest `json:"config"` // of a room that this makes
	Delivery  *string            `json:"delivery" enums:"all,mentions,none"`
	Occupants *string            `json:"occupants" enums:"none,count,live"`
} // @name RoomJoinRequest

// checked returns how to join.
func (req *roomJoinRequest) checked() (j sessions.RoomJoin, err error) {
	j.Nick, j.Name = req.Nick, req.Name
	if err := checkNick("/nick", req.Nick); err != nil {
		return j, err
	}
	if err := oneLine("/name", req.Name, maxRoomNameChars); err != nil {
		return j, err
	}
	if err := checkRoomPassword("/password", req.Password); err != nil {
		return j, err
	}
	j.Password = perch.NewSecret(req.Password)
	if j.AutoJoin, err = autoJoinOf(req.AutoJoin); err != nil {
		return j, err
	}
	if req.Config != nil {
		config, err := req.Config.checked("/config")
		if err != nil {
			return j, err
		}
		j.Config = &config
	}
	j.Delivery, j.OccupantEvents, err = roomVolume(req.Delivery, req.Occupants)
	return j, err
}

// maxRoomPassword bounds the password of a room, in bytes.
const maxRoomPassword = 1024

func checkRoomPassword(pointer, password string) error {
	switch {
	case len(password) > maxRoomPassword:
		return perch.Invalid(pointer, "must have at most %d bytes", maxRoomPassword)
	case strings.ContainsFunc(password, unicode.IsControl):
		return perch.Invalid(pointer, "must not have control characters")
	}
	return nil
}

// autoJoinOf is true, unless it says otherwise; null is nil: the bookmarks stay as they are.
func autoJoinOf(field json.RawMessage) (*bool, error) {
	auto := new(bool)
	*auto = true
	if field == nil {
		return auto, nil
	}
	if json.Unmarshal(field, &auto) != nil {
		return nil, perch.Invalid("/autojoin", "must be true, false or null")
	}
	return auto, nil
}

// handleRoomJoin joins a room.
//
//	@ID				joinRoom
//	@Summary		Join a room
//	@Description	Joins, now and after every login, and makes the room if there is none. 202: the join is under way, room.state follows; with wait=joined the answer comes when the room has decided: 200, 201 when the session did not have the room before, the reason as a problem, or 202 when that takes longer than 20 seconds, or is tried again later (retry_at). The room is listed in the bookmarks of the account, unless autojoin is null. config is that of a room that is made by this; one that is there keeps its own. To repeat the request does no harm.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string			true	"bare JID of the room, percent-encoded"
//	@Param			wait	query		string			false	"joined"
//	@Param			body	body		roomJoinRequest	false	"how to join"
//	@Success		200		{object}	perch.Room
//	@Success		201		{object}	perch.Room
//	@Header			201		{string}	Location	"of the room"
//	@Success		202		{object}	perch.Room
//	@Header			202		{string}	Location	"of the room"
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"a password, a membership, or more is needed"
//	@Failure		404		{object}	Problem	"there is no such service, or the room is locked"
//	@Failure		409		{object}	Problem	"another occupant, or a member, has the nick"
//	@Failure		410		{object}	Problem	"the room was destroyed"
//	@Failure		422		{object}	Problem
//	@Failure		429		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		503		{object}	Problem
//	@Router			/v1/rooms/{jid} [put]
//	@Security		BearerAuth
func (a *API) handleRoomJoin(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "wait")
	if err == nil && q.Has("wait") && q.Get("wait") != "joined" {
		err = perch.Invalid("?wait", "must be joined, or left out")
	}
	if err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	var req roomJoinRequest
	if _, err := decodeOptional(r, &req); err != nil {
		return err
	}
	join, err := req.checked()
	if err != nil {
		return err
	}
	rooms := sessions.RoomsOf(sessionFrom(r.Context()))
	v, created, err := rooms.JoinRoom(r.Context(), jid, join)
	if err != nil {
		return err
	}
	if q.Has("wait") {
		if v, err = awaitRoom(r.Context(), rooms, jid); err != nil {
			return err
		}
	}
	status := http.StatusOK
	switch {
	case v.State != perch.RoomStateJoined:
		status = http.StatusAccepted
	case created:
		status = http.StatusCreated
	}
	if status != http.StatusOK {
		w.Header().Set("Location", "/v1/rooms/"+url.PathEscape(string(v.JID)))
	}
	return writeJSON(w, status, v)
}

// joinWait is how long ?wait=joined waits.
const joinWait = 20 * time.Second

// awaitRoom waits for the end of a join. The room that refuses it is an error; one that is not joined yet,
// or will be tried again, is none.
func awaitRoom(ctx context.Context, rooms sessions.Rooms, jid perch.JID) (perch.Room, error) {
	short, cancel := context.WithTimeout(ctx, joinWait)
	defer cancel()
	v, err := rooms.AwaitRoom(short, jid)
	if err != nil {
		return v, err
	}
	return v, refusedJoin(&v)
}

// joinRefusal is what the end of a join, other than in the room, means as an error.
type joinRefusal struct {
	kind   perch.Kind
	detail string
}

// joinRefusals are those of the states that say why by themselves.
var joinRefusals = map[perch.RoomState]joinRefusal{
	perch.RoomStateBanned:    {perch.KindForbidden, "the account is banned from this room"},
	perch.RoomStateKicked:    {perch.KindForbidden, "the account was kicked out of this room"},
	perch.RoomStateDestroyed: {perch.KindGone, "the room was destroyed"},
}

// joinReasons are those of the reasons of a room that is left, or whose join has failed.
var joinReasons = map[string]joinRefusal{
	"":                           {perch.KindConflict, "the room was left meanwhile"},
	perch.RoomReasonPassword:     {perch.KindForbidden, "the room has a password, and this is not it"},
	perch.RoomReasonMembersOnly:  {perch.KindForbidden, "only members may enter this room"},
	perch.RoomReasonNickConflict: {perch.KindNickConflict, "another occupant, or a member, of the room has the nick"},
	perch.RoomReasonLocked:       {perch.KindItemNotFound, "the room is not open: its owner has not configured it yet"},
	perch.RoomReasonNotFound:     {perch.KindItemNotFound, "there is no such room, or no such service"},
	perch.RoomReasonFull:         {perch.KindQuotaExceeded, "the room is full, or its service takes no more"},
	perch.RoomReasonTimeout:      {perch.KindUpstreamTimeout, "the room does not answer"},
	perch.RoomReasonUnavailable:  {perch.KindConflict, "the account is unavailable, and so is in no room: see PUT /v1/presence/me"},
}

// refusedJoin is why a room has not let the account in; nil: it has, or may still do so.
func refusedJoin(v *perch.Room) error {
	why, ok := joinRefusals[v.State]
	if !ok && v.State != perch.RoomStateFailed && v.State != perch.RoomStateLeft {
		return nil
	}
	if !ok {
		why, ok = joinReasons[v.Reason]
	}
	if !ok {
		why = joinRefusal{perch.KindXMPP, "the room has refused the account (" + v.Reason + ")"}
	}
	if why.kind == perch.KindNickConflict {
		why.detail += " " + quoteShort(v.Nick)
	}
	if v.Text != "" {
		why.detail += ": " + v.Text
	}
	return &perch.Error{Kind: why.kind, Detail: why.detail, Successor: v.Successor}
}

// handleRoomLeave leaves a room.
//
//	@ID				leaveRoom
//	@Summary		Leave a room, or decline an invitation
//	@Description	Leaves the room. The bookmark says from then on that the room is not joined by itself; with forget it is removed, and the session has nothing of the room any more. An invitation that is open is declined. It never destroys a room.
//	@Tags			rooms
//	@Param			jid		path	string	true	"bare JID of the room, percent-encoded"
//	@Param			forget	query	string	false	"1: forget the room"
//	@Success		204
//	@Failure		401	{object}	Problem
//	@Failure		404	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no rooms"
//	@Failure		503	{object}	Problem
//	@Router			/v1/rooms/{jid} [delete]
//	@Security		BearerAuth
func (a *API) handleRoomLeave(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "forget")
	if err != nil {
		return err
	}
	forget, err := flagOf(q, "forget")
	if err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	return done(w, sessions.RoomsOf(sessionFrom(r.Context())).LeaveRoom(r.Context(), jid, forget))
}
