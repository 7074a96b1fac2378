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
	maxBadFrames = 10 // frames that are no command, until the socket is closed with 4008
	commandTime  = 15 * time.Second
)

// answer is what a command comes to: a status as REST would give it, and its body.
type answer struct {
	status int
	data   any
	silent bool     // without an id there is nothing to answer
	filter []string // of subscribe
	set    bool     // filter is to be applied, even nil
}

// commands are all that a socket understands; everything else is REST, where it can be
// cached, paged and described. A handler runs on the reader's goroutine.
var commands = map[string]func(*socket, context.Context, command) (answer, error){
	"message.send":   (*socket).messageSend,
	"chat_state.set": (*socket).chatStateSet,
	"presence.set":   (*socket).presenceSet,
	"subscribe":      (*socket).subscribe,
	"ack":            (*socket).ack,
	"ping":           (*socket).ping,
}

// command runs the command of one frame, and answers it.
func (s *socket) command(frame []byte) {
	var c command
	if err := strictjson.Decode(frame, &c); err != nil {
		s.bad(refOf(frame), err)
		return
	}
	if len(c.ID) > maxKeyBytes || !visible(c.ID) {
		s.bad("", perch.Invalid("/id", "must be visible ASCII of at most %d characters", maxKeyBytes))
		return
	}
	if c.Type == "" {
		s.bad(c.ID, perch.Invalid("/type", "is needed"))
		return
	}
	if wait, over := s.budget.spend(time.Now()); wait > 0 {
		s.fail(c.ID, &perch.Error{Kind: perch.KindQuotaExceeded, RetryAfter: wait,
			Detail: "too many commands: the next ones are read again in " + wait.Round(time.Second).String()})
		if over {
			s.end(ending{closeErrors, perch.Errorf(perch.KindQuotaExceeded, "commands go on far above the limit")})
		}
		return
	}
	do, ok := commands[c.Type]
	if !ok {
		s.fail(c.ID, perch.Invalid("/type", "%s is no command; everything else is REST", quoteShort(c.Type)))
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, commandTime)
	defer cancel()
	a, err := do(s, ctx, c)
	if err != nil {
		s.fail(c.ID, underData(err))
		return
	}
	n := note{filter: a.set, types: a.filter}
	if c.ID != "" || !a.silent {
		n.frame = reply(c.ID, a.status, a.data)
	}
	if n.frame != nil || n.filter {
		s.post(n)
	}
}

// refOf finds the id of a frame that is otherwise not understood, if it has a sane one.
func refOf(frame []byte) string {
	var c struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(frame, &c) != nil || len(c.ID) > maxKeyBytes || !visible(c.ID) {
		return ""
	}
	return c.ID
}

// bad answers a frame that is no command. A client that sends many of them is cut.
func (s *socket) bad(ref string, err error) {
	s.fail(ref, err)
	if s.badFrames++; s.badFrames >= maxBadFrames {
		s.end(ending{closeErrors, perch.Errorf(perch.KindMalformedJSON, "%d frames were not understood", s.badFrames)})
	}
}

func (s *socket) fail(ref string, err error) {
	s.post(note{frame: failure(ref, problemOf(s.r, err))})
}

// underData puts the pointers of a problem where the client finds them: below /data.
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

// online refuses what would reach the upstream on a session whose credential ran out, as
// REST does.
func (s *socket) online() error { return credentialOf(s.sess) }

func (s *socket) messageSend(ctx context.Context, c command) (answer, error) {
	var req messageRequest
	if err := decodeData(c, &req); err != nil {
		return answer{}, err
	}
	m, err := req.checked(s.sess)
	if err != nil {
		return answer{}, err
	}
	if c.ID != "" {
		m.Key = c.ID
	}
	if err := s.online(); err != nil {
		return answer{}, err
	}
	sent, err := s.sess.SendMessage(ctx, m)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, data: messageAnswer{ID: sent.ID, Status: sent.Status}}, nil
}

// chatStateData is the data of chat_state.set.
type chatStateData struct {
	To    string `json:"to" need:"yes"`
	State string `json:"state" need:"yes"`
}

func (s *socket) chatStateSet(ctx context.Context, c command) (answer, error) {
	var req chatStateData
	if err := decodeData(c, &req); err != nil {
		return answer{}, err
	}
	to, err := addressOf(s.sess, "/to", req.To)
	if err != nil {
		return answer{}, err
	}
	state := perch.ChatState(req.State)
	if !state.Valid() {
		return answer{}, perch.Invalid("/state", "must be active, composing, paused, inactive or gone")
	}
	if err := s.online(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent, silent: true}, s.sess.SetChatState(ctx, to, state)
}

func (s *socket) presenceSet(ctx context.Context, c command) (answer, error) {
	var req ownPresenceRequest
	if err := decodeData(c, &req); err != nil {
		return answer{}, err
	}
	own, err := req.checked()
	if err != nil {
		return answer{}, err
	}
	if err := s.online(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, data: own, silent: true}, s.sess.SetOwnPresence(ctx, own)
}

// subscribeData is the data of subscribe: the types from now on; null or [] is all.
type subscribeData struct {
	Types []string `json:"types"`
}

// subscribe changes the filter. It takes effect before its reply is sent.
func (s *socket) subscribe(_ context.Context, c command) (answer, error) {
	var req subscribeData
	if err := decodeData(c, &req); err != nil {
		return answer{}, err
	}
	types, err := typesOf("/types", req.Types)
	if err != nil {
		return answer{}, err
	}
	shown := subscribeData{Types: append([]string{}, types...)}
	return answer{status: http.StatusOK, data: shown, silent: true, filter: types, set: true}, nil
}

// ackData is the data of ack: the last durable event that the client has dealt with.
type ackData struct {
	ID string `json:"id" need:"yes"`
}

// ack checks a cursor and echoes it. The cursor stays the client's own: nothing is kept
// here, so an ack that is lost costs nothing.
func (s *socket) ack(_ context.Context, c command) (answer, error) {
	var req ackData
	if err := decodeData(c, &req); err != nil {
		return answer{}, err
	}
	p, err := perch.ParsePosition(req.ID)
	if err != nil || p.Epoch != s.sub.Tip.Epoch {
		return answer{}, perch.Invalid("/id", "is not the id of an event of this stream")
	}
	return answer{status: http.StatusOK, data: req, silent: true}, nil
}

func (s *socket) ping(_ context.Context, c command) (answer, error) {
	var none struct{}
	return answer{status: http.StatusOK, silent: true}, decodeData(c, &none)
}

// budget counts commands a minute. The first command begins the minute.
type budget struct {
	perMinute int
	began     time.Time
	used      int
}

// spend takes one. It returns how long to wait when there is nothing left, and whether
// the client has sent twice the limit all the same.
func (b *budget) spend(now time.Time) (wait time.Duration, over bool) {
	if b.used == 0 || now.Sub(b.began) >= time.Minute {
		b.began, b.used = now, 0
	}
	b.used++
	if b.used <= b.perMinute {
		return 0, false
	}
	return b.began.Add(time.Minute).Sub(now), b.used >= 2*b.perMinute
}
