package api

import (
	"net/http"

	"github.com/perch-im/perch/sessions"
)

// readRequest is the body of PUT /v1/conversations/{jid}/read.
type readRequest struct {
	Ref      string `json:"ref" need:"yes"`
	Receipts *bool  `json:"receipts"` // tell the other side, if it has asked; true when left out
} // @name ReadRequest

// wantsReceipts is what the field receipts says, left out or not.
func wantsReceipts(field *bool) bool { return field == nil || *field }

// handleConversationRead moves the read position forward (XEP-0490, XEP-0333).
//
//	@ID				readConversation
//	@Summary		Mark messages as read
//	@Description	Marks everything up to this message as read, on all devices of the account. The position goes forward only: for an earlier message the answer is the position that holds. The other side learns it when it has asked for it (markable) and receipts is not false.
//	@Tags			conversations
//	@Accept			json
//	@Produce		json
//	@Param			jid		path		string		true	"JID of the other side, percent-encoded"
//	@Param			body	body		readRequest	true	"the message"
//	@Success		200		{object}	perch.ConversationRead
//	@Failure		400		{object}	Problem
//	@Failure		401		{object}	Problem
//	@Failure		404		{object}	Problem
//	@Failure		422		{object}	Problem
//	@Failure		503		{object}	Problem
//	@Router			/v1/conversations/{jid}/read [put]
//	@Security		BearerAuth
func (a *API) handleConversationRead(w http.ResponseWriter, r *http.Request) error {
	var req readRequest
	jid, err := addressRequest(r, &req)
	if err != nil {
		return err
	}
	ref, err := refOfRequest("/ref", req.Ref)
	if err != nil {
		return err
	}
	read, err := sessions.ConversationsOf(sessionFrom(r.Context())).Read(r.Context(), jid, ref, wantsReceipts(req.Receipts))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, read)
}

// readData is the data of conversation.read.
type readData struct {
	targetData
	Receipts *bool `json:"receipts"`
}
