package api

import (
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// handleRoomOccupants lists who is in a room.
//
//	@ID				listRoomOccupants
//	@Summary		List occupants
//	@Description	By nick, of a room that is joined. complete is false while the room has not told of all: the list was lost with another node, say, and is being read. Real addresses are there for those only who may see them.
//	@Tags			rooms
//	@Produce		json
//	@Param			jid		path		string	true	"bare JID of the room, percent-encoded"
//	@Param			q		query		string	false	"only those with this text in the nick"
//	@Param			role	query		string	false	"only this role"	Enums(moderator, participant, visitor)
//	@Param			limit	query		int		false	"items a page; 50"	minimum(1)	maximum(200)
//	@Param			cursor	query		string	false	"next of the page before"
//	@Success		200		{object}	perch.OccupantPage
//	@Header			200		{string}	Link	"rel=next"
//	@Success		304
//	@Failure		401	{object}	Problem
//	@Failure		404	{object}	Problem
//	@Failure		409	{object}	Problem	"the account is not in the room"
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no rooms"
//	@Failure		503	{object}	Problem
//	@Router			/v1/rooms/{jid}/occupants [get]
//	@Security		BearerAuth
func (a *API) handleRoomOccupants(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "q", "role", "limit", "cursor")
	if err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	query, err := occupantQuery(q)
	if err != nil {
		return err
	}
	found, err := sessions.RoomsOf(sessionFrom(r.Context())).Occupants(r.Context(), jid, query)
	if err != nil {
		return err
	}
	if found.Next != nil {
		next := makeCursor(*found.Next)
		found.Next = &next
		linkPage(w, r, "next", map[string]string{"cursor": next})
	}
	content := found
	content.AsOf = 0
	return writeTaggedBy(w, r, found, content)
}

func occupantQuery(q url.Values) (out sessions.OccupantQuery, err error) {
	if out.Limit, err = limitOf(q); err != nil {
		return out, err
	}
	if q.Has("cursor") {
		if out.Cursor, err = parseCursor(q.Get("cursor")); err != nil {
			return out, err
		}
	}
	if out.Text = q.Get("q"); utf8.RuneCountInString(out.Text) > maxRoomNameChars {
		return out, perch.Invalid("?q", "must have at most %d characters", maxRoomNameChars)
	}
	out.Role = perch.Role(q.Get("role"))
	if q.Has("role") && (!out.Role.Valid() || out.Role == perch.RoleNone) {
		return out, perch.Invalid("?role", "must be moderator, participant or visitor")
	}
	return out, nil
}

// roleRequest is the body of PATCH /v1/rooms/{jid}/occupants/{nick}.
type roleRequest struct {
	Role   string `json:"role" enums:"moderator,participant,visitor,none" need:"yes"`
	Reason string `json:"reason"`
} // @name RoleRequest

// checked returns the role.
func (req *roleRequest) checked() (perch.Role, error) {
	role := perch.Role(req.Role)
	switch {
	case req.Role == "":
		return role, perch.Invalid("/role", "is needed")
	case !role.Valid():
		return role, perch.Invalid("/role", "must be moderator, participant, visitor or none")
	}
	return role, checkRoomReason("/reason", req.Reason)
}

// roleAnswer is the role of an occupant, which the room has taken.
type roleAnswer struct {
	Nick string     `json:"nick"`
	Role perch.Role `json:"role"`
} // @name RoleAnswer

// occupantRequest reads the path of a request about one occupant.
func occupantRequest(r *http.Request) (room perch.JID, nick string, err error) {
	if room, err = pathRoom(r); err == nil {
		nick, err = pathNick(r)
	}
	return room, nick, err
}

// handleOccupantRole gives an occupant a role (XEP-0045, 8.3, 8.4, 9.6 and 9.7).
//
//	@ID				setOccupantRole
//	@Summary		Give a role
//	@Description	visitor takes the voice in a moderated room, participant gives it back; none is a kick, as DELETE is.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string		true	"bare JID of the room, percent-encoded"
//	@Param			nick	path		string		true	"of the occupant, percent-encoded"
//	@Param			body	body		roleRequest	true	"the role"
//	@Success		200		{object}	roleAnswer
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the account is no moderator, or the other one is more"
//	@Failure		404		{object}	Problem
//	@Failure		409		{object}	Problem	"the account is not in the room"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/rooms/{jid}/occupants/{nick} [patch]
//	@Security		BearerAuth
func (a *API) handleOccupantRole(w http.ResponseWriter, r *http.Request) error {
	var req roleRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	room, nick, err := occupantRequest(r)
	if err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	role, err := req.checked()
	if err != nil {
		return err
	}
	if err := sessions.RoomsOf(sessionFrom(r.Context())).SetRole(r.Context(), room, nick, role, req.Reason); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, roleAnswer{nick, role})
}

// handleOccupantKick makes an occupant leave (XEP-0045, 8.2).
//
//	@ID			kickOccupant
//	@Summary	Kick
//	@Tags		rooms
//	@Param		jid		path	string	true	"bare JID of the room, percent-encoded"
//	@Param		nick	path	string	true	"of the occupant, percent-encoded"
//	@Param		reason	query	string	false	"why, one line"
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem	"the account is no moderator, or the other one is more"
//	@Failure	404	{object}	Problem
//	@Failure	409	{object}	Problem	"the account is not in the room"
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no rooms"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/rooms/{jid}/occupants/{nick} [delete]
//	@Security	BearerAuth
func (a *API) handleOccupantKick(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "reason")
	if err != nil {
		return err
	}
	room, nick, err := occupantRequest(r)
	if err != nil {
		return err
	}
	if err := checkRoomReason("?reason", q.Get("reason")); err != nil {
		return err
	}
	return done(w, sessions.RoomsOf(sessionFrom(r.Context())).SetRole(r.Context(), room, nick, perch.RoleNone, q.Get("reason")))
}
