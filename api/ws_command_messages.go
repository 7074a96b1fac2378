package api

import (
	"context"
	"net/http"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// keyed gives a message the id of its command as idempotency key.
func (c command) keyed(m sessions.NewMessage) sessions.NewMessage { return withKey(m, c.ID) }

// accepted is the answer to a command that has put a message into the outbox.
func accepted(sent perch.StatusChange, err error) (commandResult, error) {
	if err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusAccepted, data: messageAnswerOf(sent)}, nil
}

func (s *socket) messageSend(ctx context.Context, c command) (commandResult, error) {
	var req messageRequest
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	m, err := req.checked(s.sess)
	if err == nil {
		err = s.mayConverse(m.To)
	}
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return accepted(s.sess.SendMessage(ctx, c.keyed(m)))
}

// editData is the data of message.edit.
type editData struct {
	targetData
	messageEditRequest
}

func (s *socket) messageEdit(ctx context.Context, c command) (commandResult, error) {
	var req editData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	t, err := req.targetData.checked(s.sess)
	if err == nil {
		err = s.mayConverse(t.conversation)
	}
	if err != nil {
		return commandResult{}, err
	}
	m, err := req.messageEditRequest.checked(s.sess, t)
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return accepted(sessions.MessagesOf(s.sess).Edit(ctx, t.conversation, t.ref, c.keyed(m)))
}

func (s *socket) messageRetract(ctx context.Context, c command) (commandResult, error) {
	var req retractData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	t, m, err := req.checked(s.sess)
	if err == nil {
		err = s.mayConverse(t.conversation)
	}
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	sent, moderated, err := retract(ctx, s.by, t, req.Reason, c.keyed(m))
	if err == nil && moderated {
		return commandResult{status: http.StatusNoContent}, nil
	}
	return accepted(sent, err)
}

// reactData is the data of message.react.
type reactData struct {
	targetData
	reactionsRequest
}

func (s *socket) messageReact(ctx context.Context, c command) (commandResult, error) {
	var req reactData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	t, err := req.targetData.checked(s.sess)
	if err == nil {
		err = s.mayConverse(t.conversation)
	}
	if err != nil {
		return commandResult{}, err
	}
	emojis, m, err := req.reactionsRequest.checked(t)
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return accepted(sessions.MessagesOf(s.sess).React(ctx, t.conversation, t.ref, emojis, c.keyed(m)))
}

func (s *socket) conversationRead(ctx context.Context, c command) (commandResult, error) {
	var req readData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	t, err := req.targetData.checked(s.sess)
	if err == nil {
		err = s.mayConverse(t.conversation)
	}
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	read, err := sessions.ConversationsOf(s.sess).Read(ctx, t.conversation, t.ref, wantsReceipts(req.Receipts))
	if err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusOK, data: read, silent: true}, nil
}
