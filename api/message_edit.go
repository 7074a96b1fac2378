package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// messageEditRequest is the body of PATCH /v1/conversations/{jid}/messages/{ref}: the message as it is
// from now on, whole.
type messageEditRequest struct {
	ID   string `json:"id"`
	Body string `json:"body" example:"Hello, Bob" need:"yes"`
	detailsRequest
} // @name MessageEditRequest

// checked returns what is sent. Its id is its idempotency key too, unless a header has another one.
func (req *messageEditRequest) checked(s *sessions.Session, t messageTarget) (sessions.NewMessage, error) {
	m := sessions.NewMessage{ID: req.ID, Key: req.ID, To: t.conversation, Kind: perch.ChatMessage}
	if err := checkMessageID("/id", req.ID); err != nil {
		return m, err
	}
	return m, req.text(s, req.Body, &m)
}

// handleMessageEdit corrects a message of the account (XEP-0308).
//
//	@ID				editMessage
//	@Summary		Edit an own message
//	@Description	The body is the message as it is from now on: what it leaves out is gone. 202 once it is in the outbox; its status is that of a message. The message.edited event, on all devices, has the message as it is then.
//	@Tags			conversations
//	@Accept			json
//	@Produce		json
//	@Param			jid				path		string				true	"JID of the other side, percent-encoded"
//	@Param			ref				path		string				true	"ref of the message"
//	@Param			Idempotency-Key	header		string				false	"structured string, quoted or not"
//	@Param			body			body		messageEditRequest	true	"the message"
//	@Success		202				{object}	messageAnswer
//	@Header			202				{string}	Location	"its status history"
//	@Failure		400				{object}	Problem
//	@Failure		401				{object}	Problem
//	@Failure		403				{object}	Problem	"it is not a message of the account"
//	@Failure		404				{object}	Problem
//	@Failure		409				{object}	Problem	"a request with this key is running"
//	@Failure		422				{object}	Problem
//	@Failure		501				{object}	Problem	"the upstream has no corrections"
//	@Failure		503				{object}	Problem
//	@Router			/v1/conversations/{jid}/messages/{ref} [patch]
//	@Security		BearerAuth
func (a *API) handleMessageEdit(w http.ResponseWriter, r *http.Request) error {
	var req messageEditRequest
	t, key, err := targetRequest(r, &req)
	if err != nil {
		return err
	}
	s := sessionFrom(r.Context())
	m, err := req.checked(s, t)
	if err != nil {
		return err
	}
	accepted, err := sessions.MessagesOf(s).Edit(r.Context(), t.conversation, t.ref, withKey(m, key))
	if err != nil {
		return err
	}
	return writeAccepted(w, http.StatusAccepted, accepted)
}
