package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
)

// command is one frame from a client: {"id":"c7","type":"message.send","data":{...}}.
type command struct {
	ID   string          `json:"id"`
	Type string          `json:"type" need:"yes"`
	Data json.RawMessage `json:"data"`
}

// Limits of commands.
const (
	maxBadFrames = 10 // frames that are no valid command, until the socket is closed with 4008
	commandTime  = 15 * time.Second
)

// commandResult is what a command results in: a status as REST would give it, and its body.
type commandResult struct {
	status int
	data   any
	silent bool          // no reply without an id
	filter *streamFilter // of subscribe; nil: it stays
}

// commands are all commands of a socket; everything else is REST, where it can be cached, paged
// and described. A handler runs on the reader's goroutine.
var commands = map[string]func(*socket, context.Context, command) (commandResult, error){
	"message.send":      (*socket).messageSend,
	"message.edit":      (*socket).messageEdit,
	"message.retract":   (*socket).messageRetract,
	"message.react":     (*socket).messageReact,
	"conversation.read": (*socket).conversationRead,
	"room.join":         (*socket).roomJoin,
	"room.leave":        (*socket).roomLeave,
	"room.subject":      (*socket).roomSubject,
	"blocked.add":       (*socket).blockedAdd,
	"blocked.remove":    (*socket).blockedRemove,
	"chat_state.set":    (*socket).chatStateSet,
	"presence.set":      (*socket).presenceSet,
	"subscribe":         (*socket).subscribe,
	"ack":               (*socket).ack,
	"ping":              (*socket).ping,
}

// command runs the command of one frame, and replies to it.
func (s *socket) command(frame []byte) {
	var c command
	if err := strictjson.Decode(frame, &c); err != nil {
		s.rejectFrame(refOf(frame), err)
		return
	}
	if len(c.ID) > maxKeyBytes || !visible(c.ID) {
		s.rejectFrame("", perch.Invalid("/id", "must be visible ASCII of at most %d characters", maxKeyBytes))
		return
	}
	if c.Type == "" {
		s.rejectFrame(c.ID, perch.Invalid("/type", "is needed"))
		return
	}
	if wait, twice := s.budget.spend(time.Now()); wait > 0 {
		s.replyError(c.ID, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: wait,
			Detail: "too many commands: the next ones are carried out in " + wait.Round(time.Second).String()})
		if twice {
			s.end(ending{closeErrors, perch.Errorf(perch.KindQuotaExceeded, "command rate limit exceeded repeatedly")})
		}
		return
	}
	do, ok := commands[c.Type]
	if !ok {
		s.replyError(c.ID, perch.Invalid("/type", "%s is not a command of the socket; everything else is REST", quoteShort(c.Type)))
		return
	}
	if err := s.authorize(c.Type); err != nil {
		s.replyError(c.ID, err)
		return
	}
	ctx, cancel := context.WithTimeout(s.base, commandTime)
	defer cancel()
	s.mail.runs(cancel)
	defer s.mail.runs(nil)
	a, err := do(s, ctx, c)
	if err != nil {
		s.replyError(c.ID, underData(err))
		return
	}
	n := outFrame{filter: a.filter}
	if c.ID != "" || !a.silent {
		n.frame = reply(c.ID, a.status, a.data)
	}
	if n.frame != nil || n.filter != nil {
		s.postFrame(n)
	}
}

// authorize refuses a command that the token of the socket may not give.
func (s *socket) authorize(typ string) error {
	if !s.by.Restricted() {
		return nil
	}
	rule, ok := commandRules[typ]
	if !ok {
		return errNoRule
	}
	return rule.check(s.by.Grant)
}

// mayConverse is authorize for the conversation that a command is about.
func (s *socket) mayConverse(jid perch.JID) error { return mayConverse(s.by, jid) }

// refOf finds the id of a frame that is otherwise not valid, if it has a valid one.
func refOf(frame []byte) string {
	var c struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(frame, &c) != nil || len(c.ID) > maxKeyBytes || !visible(c.ID) {
		return ""
	}
	return c.ID
}

// rejectFrame refuses a frame that is no valid command. The socket of a client that sends many
// of them is closed.
func (s *socket) rejectFrame(ref string, err error) {
	s.replyError(ref, err)
	if s.badFrames++; s.badFrames >= maxBadFrames {
		s.end(ending{closeErrors, perch.Errorf(perch.KindMalformedJSON, "%d frames were not valid commands", s.badFrames)})
	}
}

func (s *socket) replyError(ref string, err error) {
	s.postFrame(outFrame{frame: failure(ref, s.problem(err))})
}

// underData moves the pointers of a problem below /data, where the fields are in the frame.
func underData(err error) error {
	e := kinded(err)
	if len(e.Fields) == 0 {
		return err
	}
	moved := *e
	moved.Fields = make([]perch.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		f.Pointer = "/data" + f.Pointer
		moved.Fields[i] = f
	}
	if strings.HasPrefix(e.Detail, e.Fields[0].Pointer+": ") {
		moved.Detail = "/data" + e.Detail
	}
	return &moved
}

// decodeData reads the data of a command, as strictly as the body of a request.
func decodeData[T any](c command, into *T) error {
	if len(c.Data) == 0 || string(c.Data) == "null" {
		return strictjson.Decode([]byte("{}"), into)
	}
	return strictjson.Decode(c.Data, into)
}

// online refuses what would reach the upstream on a session whose credential has expired, as
// REST does.
func (s *socket) online() error { return credentialOf(s.sess) }

// chatStateData is the data of chat_state.set.
type chatStateData struct {
	To    string `json:"to" need:"yes"`
	State string `json:"state" need:"yes"`
}

func (s *socket) chatStateSet(ctx context.Context, c command) (commandResult, error) {
	var req chatStateData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	to, err := addressOf(s.sess, "/to", req.To)
	if err != nil {
		return commandResult{}, err
	}
	if err := s.mayConverse(to); err != nil {
		return commandResult{}, err
	}
	state := perch.ChatState(req.State)
	if !state.Valid() {
		return commandResult{}, perch.Invalid("/state", "must be active, composing, paused, inactive or gone")
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusNoContent, silent: true}, s.sess.SetChatState(ctx, to, state)
}

func (s *socket) presenceSet(ctx context.Context, c command) (commandResult, error) {
	var req ownPresenceRequest
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	own, err := req.checked()
	if err != nil {
		return commandResult{}, err
	}
	if err := s.online(); err != nil {
		return commandResult{}, err
	}
	return commandResult{status: http.StatusOK, data: own, silent: true}, s.sess.SetOwnPresence(ctx, own)
}

// ackData is the data of ack: the last durable event that the client has handled.
type ackData struct {
	ID string `json:"id" need:"yes"`
}

// ack checks a cursor and echoes it. The cursor stays with the client: nothing is stored
// here, so a lost ack costs nothing.
func (s *socket) ack(_ context.Context, c command) (commandResult, error) {
	var req ackData
	if err := decodeData(c, &req); err != nil {
		return commandResult{}, err
	}
	p, err := perch.ParsePosition(req.ID)
	if err != nil || p.Epoch != s.sub.Tip.Epoch {
		return commandResult{}, perch.Invalid("/id", "is not the id of an event of this stream")
	}
	return commandResult{status: http.StatusOK, data: req, silent: true}, nil
}

func (s *socket) ping(_ context.Context, c command) (commandResult, error) {
	var none struct{}
	return commandResult{status: http.StatusOK, silent: true}, decodeData(c, &none)
}

// budget counts commands a minute. The first command begins the minute.
type budget struct {
	perMinute int
	began     time.Time
	used      int
}

// spend counts one command. It returns how long to wait when the limit is reached, and whether
// the client has sent twice the limit nevertheless.
func (b *budget) spend(now time.Time) (wait time.Duration, twice bool) {
	if b.used == 0 || now.Sub(b.began) >= time.Minute {
		b.began, b.used = now, 0
	}
	b.used++
	if b.used <= b.perMinute {
		return 0, false
	}
	return b.began.Add(time.Minute).Sub(now), b.used >= 2*b.perMinute
}
