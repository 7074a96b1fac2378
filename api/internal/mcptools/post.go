package mcptools

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// post is one POST: a message of a client, or, in the oldest version of the protocol, a batch of them.
type post struct {
	work  context.Context // of its calls: ends with the request, or when the client cancels the call
	out   *answerWriter
	calls atomic.Int32
}

type postKey struct{}

// postOf is the POST that ctx belongs to.
func postOf(ctx context.Context) *post {
	p, _ := ctx.Value(postKey{}).(*post)
	return p
}

// maxBatch bounds the messages of one POST, of which only the calls of tools count as requests.
const maxBatch = 20

// tooMany reports whether a body is a batch of more messages than one may have.
func tooMany(body []byte) bool {
	var batch []json.RawMessage
	return bytes.TrimSpace(body)[0] == '[' && json.Unmarshal(body, &batch) == nil && len(batch) > maxBatch
}

// message is what must be known of a message before the SDK reads it.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		RequestID json.RawMessage `json:"requestId"`
	} `json:"params"`
}

// ServeHTTP implements http.Handler, for POST alone.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		s.o.Refuse(w, r, err)
		return
	case !utf8.Valid(body) || len(bytes.TrimSpace(body)) == 0:
		s.o.Refuse(w, r, perch.Errorf(perch.KindMalformedJSON, "the body must be a JSON-RPC message in UTF-8"))
		return
	}
	if tooMany(body) {
		s.o.Refuse(w, r, perch.Errorf(perch.KindMalformedJSON, "a batch may have %d messages", maxBatch))
		return
	}
	var m message
	_ = json.Unmarshal(body, &m) // a batch has neither; what is no JSON is refused by the SDK
	caller := s.o.Caller(r.Context())
	if m.Method == "notifications/cancelled" {
		s.running.cancel(caller, m.Params.RequestID)
	}
	work, end := context.WithCancel(r.Context())
	defer end()
	if m.Method == "tools/call" {
		defer s.running.add(caller, m.ID, end)()
	}
	p := &post{work: work}
	p.out = &answerWriter{ResponseWriter: w, refuse: func(err error) { s.o.Refuse(w, r, err) }}
	defer p.out.close()
	r = r.WithContext(context.WithValue(r.Context(), postKey{}, p))
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.http.ServeHTTP(p.out, r)
}
