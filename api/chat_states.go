package api

import (
	"net/http"

	"github.com/perch-im/perch"
)

// chatStateRequest is the body of PUT /v1/chat-states/{jid}.
type chatStateRequest struct {
	State string `json:"state" enums:"active,composing,paused,inactive,gone" need:"yes"`
} // @name ChatStateRequest

// handleChatState sends a chat state to a buddy (XEP-0085).
//
//	@ID			setChatState
//	@Summary	Send a chat state
//	@Tags		messages
//	@Accept		json
//	@Param		jid		path	string				true	"JID, percent-encoded"
//	@Param		body	body	chatStateRequest	true	"the state"
//	@Success	204
//	@Failure	400	{object}	Problem
//	@Failure	401	{object}	Problem
//	@Failure	403	{object}	Problem	"the account blocks the address"
//	@Failure	422	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/chat-states/{jid} [put]
//	@Security	BearerAuth
func (a *API) handleChatState(w http.ResponseWriter, r *http.Request) error {
	var req chatStateRequest
	jid, err := addressRequest(r, &req)
	if err != nil {
		return err
	}
	state := perch.ChatState(req.State)
	if !state.Valid() {
		return perch.Invalid("/state", "must be active, composing, paused, inactive or gone")
	}
	return done(w, sessionFrom(r.Context()).SetChatState(r.Context(), jid, state))
}
