package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// reactionsRequest is the body of PUT /v1/conversations/{jid}/messages/{ref}/reactions: all reactions of
// the account from now on.
type reactionsRequest struct {
	ID     string    `json:"id"`
	Emojis *[]string `json:"emojis" need:"yes"`
} // @name ReactionsRequest

// checked returns the reactions, and what they are sent with.
func (req reactionsRequest) checked(t messageTarget) (emojis []string, m sessions.NewMessage, err error) {
	if m, err = t.control(req.ID); err != nil {
		return nil, m, err
	}
	if req.Emojis == nil {
		return nil, m, perch.Invalid("/emojis", "is needed; [] removes all reactions")
	}
	emojis = *req.Emojis
	if len(emojis) > perch.MaxReactions {
		return nil, m, perch.Invalid("/emojis", "must have at most %d entries", perch.MaxReactions)
	}
	for i, e := range emojis {
		at := fmt.Sprintf("/emojis/%d", i)
		switch {
		case e == "" || len(e) > perch.MaxReactionBytes || strings.ContainsFunc(e, isBlank):
			return nil, m, perch.Invalid(at, "must be an emoji: 1 to %d bytes without blanks", perch.MaxReactionBytes)
		case slices.Contains(emojis[:i], e):
			return nil, m, perch.Invalid(at, "stands in the list twice")
		}
	}
	return emojis, m, nil
}

// handleMessageReact sets the reactions of the account to a message (XEP-0444).
//
//	@ID				reactToMessage
//	@Summary		React to a message
//	@Description	The whole set of the account's reactions; an empty list removes them. 202 once it is in the outbox. The message.reactions event, on all devices, has the reactions of both sides as they are then.
//	@Tags			conversations
//	@Accept			json
//	@Produce		json
//	@Param			jid				path		string				true	"JID of the other side, percent-encoded"
//	@Param			ref				path		string				true	"ref of the message"
//	@Param			Idempotency-Key	header		string				false	"structured string, quoted or not"
//	@Param			body			body		reactionsRequest	true	"the reactions"
//	@Success		202				{object}	messageAnswer
//	@Header			202				{string}	Location	"its status history"
//	@Failure		400				{object}	Problem
//	@Failure		401				{object}	Problem
//	@Failure		403				{object}	Problem	"the account blocks the other side"
//	@Failure		404				{object}	Problem
//	@Failure		409				{object}	Problem	"a request with this key is running"
//	@Failure		422				{object}	Problem
//	@Failure		501				{object}	Problem	"the upstream has no reactions"
//	@Failure		503				{object}	Problem
//	@Router			/v1/conversations/{jid}/messages/{ref}/reactions [put]
//	@Security		BearerAuth
func (a *API) handleMessageReact(w http.ResponseWriter, r *http.Request) error {
	var req reactionsRequest
	t, key, err := targetRequest(r, &req)
	if err != nil {
		return err
	}
	emojis, m, err := req.checked(t)
	if err != nil {
		return err
	}
	accepted, err := sessions.MessagesOf(sessionFrom(r.Context())).React(r.Context(), t.conversation, t.ref, emojis, withKey(m, key))
	if err != nil {
		return err
	}
	return writeAccepted(w, http.StatusAccepted, accepted)
}
