package api

import (
	"net/http"
	"net/url"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// messageTarget is the message that a request is about.
type messageTarget struct {
	conversation perch.JID
	ref          perch.Ref
}

// pathTarget reads {jid} and {ref} of the path.
func pathTarget(r *http.Request) (t messageTarget, err error) {
	if t.conversation, err = pathAddress(r); err != nil {
		return t, err
	}
	text, err := pathText(r, "ref")
	if err != nil {
		return t, err
	}
	t.ref, err = refOfRequest("{ref}", text)
	return t, err
}

// targetRequest reads the path, the idempotency key and the body of a request about a message, which
// has no query.
func targetRequest[T any](r *http.Request, body *T) (t messageTarget, key string, err error) {
	if _, err := queryOf(r); err != nil {
		return t, "", err
	}
	if t, err = pathTarget(r); err != nil {
		return t, "", err
	}
	if key, err = idempotencyKey(r); err != nil {
		return t, "", err
	}
	return t, key, decodeJSON(r, body)
}

// targetData is the part of a command that names a message.
type targetData struct {
	Conversation string `json:"conversation" need:"yes"`
	Ref          string `json:"ref" need:"yes"`
}

func (d targetData) checked(s *sessions.Session) (t messageTarget, err error) {
	if d.Conversation == "" {
		return t, perch.Invalid("/conversation", "is needed")
	}
	if t.conversation, err = addressOf(s, "/conversation", d.Conversation); err != nil {
		return t, err
	}
	t.ref, err = refOfRequest("/ref", d.Ref)
	return t, err
}

// control is a message about another one, which has an id and a key but no text.
func (t messageTarget) control(id string) (sessions.NewMessage, error) {
	return sessions.NewMessage{ID: id, Key: id, To: t.conversation, Kind: perch.ChatMessage}, checkMessageID("/id", id)
}

// checkMessageID checks the id that a client wants for what it sends.
func checkMessageID(pointer, id string) error {
	if len(id) > maxKeyBytes || !visible(id) {
		return perch.Invalid(pointer, "must be visible ASCII of at most %d characters", maxKeyBytes)
	}
	return nil
}

// withKey replaces the idempotency key, which is the id when there is no other.
func withKey(m sessions.NewMessage, key string) sessions.NewMessage {
	if key != "" {
		m.Key = key
	}
	return m
}

// messageAnswer reports that a message is in the outbox.
type messageAnswer struct {
	ID     string              `json:"id"`
	Ref    string              `json:"ref,omitempty"` // of the message; of an edit, a retraction or reactions, of the one that they are about
	Status perch.MessageStatus `json:"status"`
} // @name MessageAnswer

func messageAnswerOf(c perch.StatusChange) messageAnswer {
	return messageAnswer{ID: c.ID, Ref: c.Ref, Status: c.Status}
}

// writeAccepted answers with what is in the outbox, and says where its status is.
func writeAccepted(w http.ResponseWriter, status int, c perch.StatusChange) error {
	w.Header().Set("Location", "/v1/messages/"+url.PathEscape(c.ID))
	return writeJSON(w, status, messageAnswerOf(c))
}
