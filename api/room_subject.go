package api

import (
	"net/http"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// roomSubjectRequest is the body of PUT /v1/rooms/{jid}/subject.
type roomSubjectRequest struct {
	Subject *string `json:"subject" need:"yes"` // "" removes it
} // @name RoomSubjectRequest

// checked returns the subject.
func (req *roomSubjectRequest) checked() (string, error) {
	switch {
	case req.Subject == nil:
		return "", perch.Invalid("/subject", `is needed; "" removes it`)
	case utf8.RuneCountInString(*req.Subject) > maxSubjectChars:
		return "", perch.Invalid("/subject", "must have at most %d characters", maxSubjectChars)
	}
	return *req.Subject, nil
}

// roomSubjectAnswer is a subject that was sent.
type roomSubjectAnswer struct {
	JID     perch.JID `json:"jid"` // of the room
	Subject string    `json:"subject"`
} // @name RoomSubjectAnswer

// handleRoomSubject changes the subject of a room (XEP-0045, 8.1).
//
//	@ID				setRoomSubject
//	@Summary		Change the subject
//	@Description	202: it was sent. room.changed says when the room has it; a room that does not let the account change it says nothing to the others.
//	@Tags			rooms
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string				true	"bare JID of the room, percent-encoded"
//	@Param			body	body		roomSubjectRequest	true	"the subject"
//	@Success		202		{object}	roomSubjectAnswer
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem
//	@Failure		409		{object}	Problem	"the account is not in the room"
//	@Failure		422		{object}	Problem
//	@Failure		501		{object}	Problem	"the upstream has no rooms"
//	@Failure		503		{object}	Problem
//	@Router			/v1/rooms/{jid}/subject [put]
//	@Security		BearerAuth
func (a *API) handleRoomSubject(w http.ResponseWriter, r *http.Request) error {
	var req roomSubjectRequest
	jid, err := roomRequest(r, &req)
	if err != nil {
		return err
	}
	subject, err := req.checked()
	if err != nil {
		return err
	}
	if err := sessions.RoomsOf(sessionFrom(r.Context())).SetRoomSubject(r.Context(), jid, subject); err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, roomSubjectAnswer{jid, subject})
}
