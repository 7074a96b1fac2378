package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// messageRequest is the body of POST /v1/messages, and the data of message.send.
type messageRequest struct {
	ID      string `json:"id"`
	To      string `json:"to" example:"bob@example.net" need:"yes"`
	Body    string `json:"body" example:"Hello" need:"yes"`
	Kind    string `json:"kind" enums:"chat,normal,groupchat,headline"`
	Thread  string `json:"thread"`
	Subject string `json:"subject"`
	// For whom a private message in a room is, as the list of its occupants has it; * is whoever has the nick.
	OccupantID string `json:"occupant_id"`
	detailsRequest
} // @name MessageRequest

// handleMessageSend puts a message into the outbox.
//
//	@ID				sendMessage
//	@Summary		Send a message
//	@Description	202 once it is stored in the outbox; GET /v1/messages/{id} and message.status events have its status from then on. With wait=acked the answer is 200 as soon as the server has acknowledged the message, or its status is failed or unknown; 202 when that takes longer than 10 seconds. An Idempotency-Key header or an id makes it safe to repeat: the same key and body give the same answer and one stanza. A body may be left out where there are attachments: it has their addresses then. To the address of an occupant (room@service/nick) it is a private message: occupant_id says for whom, as the list of occupants has it, and when another occupant has the nick by now the answer is 409 occupant-changed; without it, it is for the one with whom private messages were exchanged last under that nick. * is whoever has the nick.
//	@Tags			messages
//	@Accept			json
//	@Produce		json
//	@Param			Idempotency-Key	header		string			false	"structured string, quoted or not"
//	@Param			wait			query		string			false	"acked"
//	@Param			body			body		messageRequest	true	"the message"
//	@Success		200				{object}	messageAnswer
//	@Header			200				{string}	Location	"its status history"
//	@Success		202				{object}	messageAnswer
//	@Header			202				{string}	Location	"its status history"
//	@Failure		400				{object}	Problem
//	@Failure		401				{object}	Problem
//	@Failure		403				{object}	Problem	"the account blocks the recipient"
//	@Failure		409				{object}	Problem	"a request with this key is running"
//	@Failure		413				{object}	Problem
//	@Failure		415				{object}	Problem
//	@Failure		422				{object}	Problem
//	@Failure		429				{object}	Problem
//	@Failure		501				{object}	Problem
//	@Failure		503				{object}	Problem
//	@Router			/v1/messages [post]
//	@Security		BearerAuth
func (a *API) handleMessageSend(w http.ResponseWriter, r *http.Request) error {
	var req messageRequest
	wait, err := waitOf(r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	m, err := req.checked(sessionFrom(r.Context()))
	if err != nil {
		return err
	}
	if err := mayConverse(accessFrom(r.Context()), m.To); err != nil {
		return err
	}
	accepted, err := sessionFrom(r.Context()).SendMessage(r.Context(), withKey(m, key))
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if wait {
		status = awaitMessage(r.Context(), sessionFrom(r.Context()), &accepted)
	}
	return writeAccepted(w, status, accepted)
}

// waitOf reads ?wait=acked.
func waitOf(r *http.Request) (bool, error) {
	q, err := queryOf(r, "wait")
	if err == nil && q.Has("wait") && q.Get("wait") != "acked" {
		err = perch.Invalid("?wait", "must be acked, or left out")
	}
	return q.Has("wait"), err
}

// ackTime is how long ?wait=acked waits.
const ackTime = 10 * time.Second

// awaitMessage waits for the final status of a message: 200, or 202 when there is none in time.
// The message is stored in any case, so an error of waiting is not one of the request.
func awaitMessage(ctx context.Context, s *sessions.Session, m *perch.StatusChange) int {
	ctx, cancel := context.WithTimeout(ctx, ackTime)
	defer cancel()
	if record, err := s.AwaitMessage(ctx, m.ID); err == nil {
		m.Status = record.Status
	}
	if m.Status == perch.StatusAccepted || m.Status == perch.StatusSent {
		return http.StatusAccepted
	}
	return http.StatusOK
}

// maxKeyBytes bounds an idempotency key and a message id.
const maxKeyBytes = 128

// checked returns the message of the request. Its id is its idempotency key too, unless a header
// has another one. The WebSocket's message.send is checked here as well.
func (req *messageRequest) checked(s *sessions.Session) (sessions.NewMessage, error) {
	m := sessions.NewMessage{ID: req.ID, Key: req.ID, Kind: perch.MessageKind(req.Kind), Thread: req.Thread, Subject: req.Subject, OccupantID: req.OccupantID}
	if req.To == "" {
		return m, perch.Invalid("/to", "is needed")
	}
	var err error
	if m.To, err = addressOf(s, "/to", req.To); err != nil {
		return m, err
	}
	if err := req.text(s, req.Body, &m); err != nil {
		return m, err
	}
	switch m.Kind {
	case "":
		m.Kind = sessions.RoomsOf(s).KindTo(m.To)
	case perch.ChatMessage, perch.NormalMessage, perch.GroupchatMessage, perch.HeadlineMessage:
	default:
		return m, perch.Invalid("/kind", "must be chat, normal, groupchat or headline")
	}
	if err := checkMessageID("/id", req.ID); err != nil {
		return m, err
	}
	if err := oneLine("/occupant_id", req.OccupantID, 256); err != nil {
		return m, err
	}
	if err := oneLine("/thread", req.Thread, 256); err != nil {
		return m, err
	}
	return m, oneLine("/subject", req.Subject, 1024)
}

// idempotencyKey reads the Idempotency-Key header: a structured string (RFC 8941, 3.3.3),
// as draft-ietf-httpapi-idempotency-key-header wants it, or the same text without quotes,
// as most clients send it.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	bad := perch.Invalid("Idempotency-Key", "must be a single value of 1 to %d printable ASCII characters, quoted or not", maxKeyBytes)
	if len(values) > 1 {
		return "", bad
	}
	key := strings.TrimSpace(values[0])
	quoted := strings.HasPrefix(key, `"`)
	if quoted {
		var ok bool
		if key, ok = unquote(key); !ok {
			return "", bad
		}
	}
	text := key
	if quoted {
		text = strings.ReplaceAll(key, " ", "") // blanks are allowed between quotes only
	}
	if text == "" || len(key) > maxKeyBytes || !visible(text) {
		return "", bad
	}
	return key, nil
}

// unquote reads a structured string; only the quote and the backslash may be escaped.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		switch s[i] {
		case '"':
			return "", false
		case '\\':
			i++
			if i == len(s)-1 || (s[i] != '"' && s[i] != '\\') {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// handleMessageShow gives the status history of a message that was sent here.
//
//	@ID			getMessage
//	@Summary	Status of a message
//	@Tags		messages
//	@Produce	json
//	@Param		id	path		string	true	"id of the message"
//	@Success	200	{object}	perch.MessageRecord
//	@Success	304
//	@Failure	401	{object}	Problem
//	@Failure	404	{object}	Problem
//	@Failure	503	{object}	Problem
//	@Router		/v1/messages/{id} [get]
//	@Security	BearerAuth
func (a *API) handleMessageShow(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	id, err := pathText(r, "id")
	if err != nil {
		return err
	}
	record, err := sessionFrom(r.Context()).Message(r.Context(), id)
	if err != nil {
		return err
	}
	if by := accessFrom(r.Context()); !by.Grant.AllowsConversation(record.To) {
		return perch.Errorf(perch.KindNotFound, "no such message of the conversations that the token is for")
	}
	return writeTagged(w, r, record)
}
