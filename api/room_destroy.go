package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// roomDestroyRequest is the optional body of POST /v1/rooms/{jid}/destroy.
type roomDestroyRequest struct {
	Reason    string `json:"reason"`
	Successor string `json:"successor" example:"other@rooms.example.net"` // told to those who are in the room
} // @name RoomDestroyRequest

// handleRoomDestroy ends a room (XEP-0045, 10.9).
//
//	@ID				destroyRoom
//	@Summary		Destroy a room
//	@Description	Ends it for all who are in it; its owners alone may. It has a path of its own, so that no DELETE destroys a room by mistake.
//	@Tags			rooms
//	@Accept			json
//	@Param			jid		path	string				true	"bare JID of the room, percent-encoded"
//	@Param			body	body	roomDestroyRequest	false	"why, and where to go"
//	@Success		204
//	@Failure		400	{object}	Problem
//	@Failure		401	{object}	Problem
//	@Failure		403	{object}	Problem	"the account does not own the room"
//	@Failure		404	{object}	Problem
//	@Failure		422	{object}	Problem
//	@Failure		501	{object}	Problem	"the upstream has no rooms"
//	@Failure		502	{object}	Problem
//	@Failure		503	{object}	Problem
//	@Failure		504	{object}	Problem
//	@Router			/v1/rooms/{jid}/destroy [post]
//	@Security		BearerAuth
func (a *API) handleRoomDestroy(w http.ResponseWriter, r *http.Request) error {
	var req roomDestroyRequest
	if _, err := queryOf(r); err != nil {
		return err
	}
	jid, err := pathRoom(r)
	if err != nil {
		return err
	}
	if _, err := decodeOptional(r, &req); err != nil {
		return err
	}
	if err := checkRoomReason("/reason", req.Reason); err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	var successor perch.JID
	if req.Successor != "" {
		if successor, err = roomOf(s, "/successor", req.Successor); err != nil {
			return err
		}
	}
	return done(w, sessions.RoomsOf(s).DestroyRoom(r.Context(), jid, req.Reason, successor))
}
