package api

import (
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// conversationMessage is a message as it is now, edited or retracted or with reactions, and when it
// was sent.
type conversationMessage struct {
	perch.Message
	Time          perch.Time `json:"time"`
	TimeIsArrival bool       `json:"time_is_arrival"` // the archive gave no time that can be read: time is when it arrived here
} // @name ConversationMessage

// handleConversationMessage shows one message, from the log or the archive.
//
//	@ID			getConversationMessage
//	@Summary	One message of a conversation
//	@Tags		conversations
//	@Produce	json
//	@Param		jid	path		string	true	"JID of the other side, percent-encoded"
//	@Param		ref	path		string	true	"ref of the message"
//	@Success	200	{object}	conversationMessage
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	422	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/conversations/{jid}/messages/{ref} [get]
//	@Security	BearerAuth
func (a *API) handleConversationMessage(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	t, err := pathTarget(r)
	if err != nil {
		return err
	}
	m, at, err := sessions.MessagesOf(sessionFrom(r.Context())).ByRef(r.Context(), t.conversation, t.ref)
	if err != nil {
		return err
	}
	return writeTagged(w, r, conversationMessage{Message: *m, Time: at})
}
