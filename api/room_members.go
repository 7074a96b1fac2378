package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// handleRoomMembers shows the lists that a room keeps (XEP-0045, 9.5, 9.8, 10.5 and 10.8).
//
//	@ID				listRoomMembers
//	@Summary		List members
//	@Description	Those who have an affiliation to the room, whether or not they are in it, as the room tells it now. Without affiliation: owners, admins and members, as far as the account may see them; outcasts, who are banned, are only shown when they are asked for.
//	@Tags			rooms
//	@Produce		json
//	@Param			jid			path		string	true	"bare JID of the room, percent-encoded"
//	@Param			affiliation	query		string	false	"only this list"	Enums(owner, admin, member, outcast)
//	@Success		200			{object}	perch.MemberList
//	@Failure		401			{object}	Problem
//	@Failure		403			{object}	Problem	"the account may not see it"
//	@Failure		404			{object}	Problem
//	@Failure		422			{object}	Problem
//	@Failure		501			{object}	Problem	"the upstream has no rooms"
//	@Failure		502			{object}	Problem
//	@Failure		503			{object}	Problem
//	@Failure		504			{object}	Problem
//	@Router			/v1/rooms/{jid}/members [get]
//	@Security		BearerAuth
func (a *API) handleRoomMembers(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "affiliation")
	if err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	affiliation := perch.Affiliation(q.Get("affiliation"))
	if q.Has("affiliation") && (!affiliation.Valid() || affiliation == perch.AffiliationNone) {
		return perch.Invalid("?affiliation", "must be owner, admin, member or outcast")
	}
	list, err := sessions.RoomsOf(sessionFrom(r.Context())).RoomMembers(r.Context(), jid, affiliation)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, list)
}

// affiliationRequest is the body of PUT /v1/rooms/{jid}/members/{member}.
type affiliationRequest struct {
	Affiliation string `json:"affiliation" enums:"owner,admin,member,none,outcast" need:"yes"`
	Nick        string `json:"nick"` // kept for the member; not by every service
	Reason      string `json:"reason"`
} // @name AffiliationRequest

// checked returns the member; jid is theirs.
func (req *affiliationRequest) checked(jid perch.JID) (m perch.Member, err error) {
	m = perch.Member{JID: jid, Affiliation: perch.Affiliation(req.Affiliation), Nick: req.Nick, Reason: req.Reason}
	switch {
	case req.Affiliation == "":
		return m, perch.Invalid("/affiliation", "is needed")
	case !m.Affiliation.Valid():
		return m, perch.Invalid("/affiliation", "must be owner, admin, member, none or outcast")
	}
	if err := checkNick("/nick", req.Nick); err != nil {
		return m, err
	}
	return m, checkRoomReason("/reason", req.Reason)
}

// memberRequest reads the path of a request about one member.
func memberRequest(r *http.Request) (room, member perch.JID, err error) {
	if room, err = pathRoom(r); err != nil {
		return "", "", err
	}
	text, err := pathText(r, "member")
	if err != nil {
		return "", "", err
	}
	member, err = accountOf(sessionFrom(r.Context()), "{member}", text)
	return room, member, err
}

// handleRoomMemberPut gives an account an affiliation to a room (XEP-0045, 9 and 10).
//
//	@ID				setRoomMember
//	@Summary		Give an affiliation
//	@Description	owner, admin and member as the room knows them; outcast is a ban, which makes them leave; none takes them off the lists. Neither the account nor the other one need be in the room.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string				true	"bare JID of the room, percent-encoded"
//	@Param			member	path		string				true	"bare JID of the account, percent-encoded"
//	@Param			body	body		affiliationRequest	true	"the affiliation"
//	@Success		200		{object}	perch.Member
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		403		{object}	Problem	"the account may not"
//	@Failure		404		{object}	Problem
//	@Failure		409		{object}	Problem	"the room keeps its last owner"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		502		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Failure		504		{object}	Problem
//	@Router			/v1/rooms/{jid}/members/{member} [put]
//	@Security		BearerAuth
func (a *API) handleRoomMemberPut(w http.ResponseWriter, r *http.Request) error {
	var req affiliationRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	room, jid, err := memberRequest(r)
	if err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	m, err := req.checked(jid)
	if err != nil {
		return err
	}
	if err := sessions.RoomsOf(sessionFrom(r.Context())).SetRoomMember(r.Context(), room, m); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, m)
}

// handleRoomMemberRemove takes an account off the lists of a room.
//
//	@ID			removeRoomMember
//	@Summary	Take an affiliation away
//	@Tags		rooms
//	@Param		jid		path	string	true	"bare JID of the room, percent-encoded"
//	@Param		member	path	string	true	"bare JID of the account, percent-encoded"
//	@Param		reason	query	string	false	"why, one line"
//	@Success	204
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem	"the account may not"
//	@Failure	404	{object}	Problem
//	@Failure	409	{object}	Problem	"the room keeps its last owner"
//	@Failure	422	{object}	Problem
//	@Failure	501	{object}	Problem	"the upstream has no rooms"
//	@Failure	502	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Failure	504	{object}	Problem
//	@Router		/v1/rooms/{jid}/members/{member} [delete]
//	@Security	BearerAuth
func (a *API) handleRoomMemberRemove(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "reason")
	if err != nil {
		return err
	}
	room, jid, err := memberRequest(r)
	if err != nil {
		return err
	}
	if err := checkRoomReason("?reason", q.Get("reason")); err != nil {
		return err
	}
	m := perch.Member{JID: jid, Affiliation: perch.AffiliationNone, Reason: q.Get("reason")}
	return done(w, sessions.RoomsOf(sessionFrom(r.Context())).SetRoomMember(r.Context(), room, m))
}
