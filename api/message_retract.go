package api

import (
	"context"
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// maxReasonChars bounds why a message is retracted.
const maxReasonChars = 1024

// checkReason checks why a message is retracted.
func checkReason(pointer, reason string) error { return oneLine(pointer, reason, maxReasonChars) }

// handleMessageRetract retracts a message (XEP-0424).
//
//	@ID				retractMessage
//	@Summary		Retract a message
//	@Description	202 once the retraction is in the outbox; its status is that of a message. Whoever has the message may keep it all the same. The message.retracted event follows on all devices. A message of another occupant of a room is retracted by the room, when the account is its moderator (XEP-0425): 204 then, and 403 or 501 when it may not, or the room cannot.
//	@Tags			conversations
//	@Produce		json
//	@Param			jid				path		string	true	"JID of the other side, percent-encoded"
//	@Param			ref				path		string	true	"ref of the message"
//	@Param			reason			query		string	false	"why, one line"
//	@Param			id				query		string	false	"id of the retraction, and its idempotency key"
//	@Param			Idempotency-Key	header		string	false	"structured string, quoted or not"
//	@Success		202				{object}	messageAnswer
//	@Header			202				{string}	Location	"its status history"
//	@Success		204				"the room has retracted it"
//	@Failure		401				{object}	Problem
//	@Failure		403				{object}	Problem	"it is not a message of the account, and the account may not moderate the room"
//	@Failure		404				{object}	Problem
//	@Failure		409				{object}	Problem	"a request with this key is running"
//	@Failure		422				{object}	Problem
//	@Failure		501				{object}	Problem	"the upstream has no retractions"
//	@Failure		503				{object}	Problem
//	@Router			/v1/conversations/{jid}/messages/{ref} [delete]
//	@Security		BearerAuth
func (a *API) handleMessageRetract(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "reason", "id")
	if err != nil {
		return err
	}
	t, err := pathTarget(r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if err := checkReason("?reason", q.Get("reason")); err != nil {
		return err
	}
	if err := checkMessageID("?id", q.Get("id")); err != nil {
		return err
	}
	m, err := t.control(q.Get("id"))
	if err != nil {
		return err
	}
	accepted, moderated, err := retract(r.Context(), accessFrom(r.Context()), t, q.Get("reason"), withKey(m, key))
	if err != nil || moderated {
		return done(w, err)
	}
	return writeAccepted(w, http.StatusAccepted, accepted)
}

// retract retracts an own message. One of another occupant is retracted by the room, if the account may
// ask it to (XEP-0425): that is done, or refused, at once.
func retract(ctx context.Context, by sessions.Access, t messageTarget, reason string, m sessions.NewMessage) (sent perch.StatusChange, moderated bool, err error) {
	s := by.Session
	sent, err = sessions.MessagesOf(s).Retract(ctx, t.conversation, t.ref, reason, m)
	if !t.ref.Room || perch.KindOf(err) != perch.KindForbidden {
		return sent, false, err
	}
	if !by.Grant.Allows(inRooms...) {
		return sent, false, lacks(inRooms, "the message is of another occupant: to moderate the room the token needs the scope rooms")
	}
	return sent, true, sessions.RoomsOf(s).ModerateMessage(ctx, t.conversation, t.ref, reason)
}

// retractData is the data of message.retract.
type retractData struct {
	targetData
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// checked returns the message that is retracted, and what is sent.
func (d retractData) checked(s *sessions.Session) (t messageTarget, m sessions.NewMessage, err error) {
	if t, err = d.targetData.checked(s); err != nil {
		return t, m, err
	}
	if err := checkReason("/reason", d.Reason); err != nil {
		return t, m, err
	}
	m, err = t.control(d.ID)
	return t, m, err
}
