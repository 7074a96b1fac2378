package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// roomInviteRequest is the body of POST /v1/rooms/{jid}/invitations.
type roomInviteRequest struct {
	To     string `json:"to" example:"bob@example.net" need:"yes"`
	Reason string `json:"reason"`
	Via    string `json:"via" enums:"auto,room,direct"` // auto when left out
} // @name RoomInviteRequest

// checked returns the invitation.
func (req *roomInviteRequest) checked(s *sessions.Session) (i sessions.RoomInvite, err error) {
	if req.To == "" {
		return i, perch.Invalid("/to", "is needed")
	}
	if i.To, err = accountOf(s, "/to", req.To); err != nil {
		return i, err
	}
	switch req.Via {
	case "", sessions.ViaAuto, perch.ViaRoom, perch.ViaDirect:
	default:
		return i, perch.Invalid("/via", "must be auto, room or direct")
	}
	i.Reason, i.Via = req.Reason, req.Via
	return i, checkRoomReason("/reason", req.Reason)
}

// roomInviteAnswer is an invitation that was sent.
type roomInviteAnswer struct {
	JID perch.JID `json:"jid"` // of the room
	To  perch.JID `json:"to"`
} // @name RoomInviteAnswer

// handleRoomInvite invites a user to a room (XEP-0045, 7.8; XEP-0249).
//
//	@ID				inviteToRoom
//	@Summary		Invite a user
//	@Description	auto: by the room where only members may enter, which makes them one; else by a message of the account. 202: it was sent. There is no answer that says whether it has arrived.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string				true	"bare JID of the room, percent-encoded"
//	@Param			body	body		roomInviteRequest	true	"whom"
//	@Success		202		{object}	roomInviteAnswer
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem
//	@Failure		409		{object}	Problem	"the account is not in the room"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		503		{object}	Problem
//	@Router			/v1/rooms/{jid}/invitations [post]
//	@Security		BearerAuth
func (a *API) handleRoomInvite(w http.ResponseWriter, r *http.Request) error {
	var req roomInviteRequest
	jid, err := roomRequest(r, &req)
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	invite, err := req.checked(s)
	if err != nil {
		return err
	}
	if err := sessions.RoomsOf(s).InviteToRoom(r.Context(), jid, invite); err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, roomInviteAnswer{JID: jid, To: invite.To.Bare()})
}
