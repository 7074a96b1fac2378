package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// receiver is the server of an account's webhook, written from docs/webhooks.md and nothing else: it checks
// the signature, knows a repeat by its webhook-id, and answers 200 when it has dealt with all events. While
// its client is away it fails, in the ways in which servers do.
type receiver struct {
	account *account
	h       *history
	url     string
	random  *rand.Rand // of whoever has the turn

	turn    chan struct{} // has room for one: a call, or a change of the webhook
	secrets [][]byte      // the newest first
	seen    map[string][sha256.Size]byte
	stream  *webhookStream // nil: the client is away
}

// webhookName is what each account calls its webhook.
const webhookName = "webhook"

// newReceiver starts the server.
func newReceiver(t testkit.TB, a *account, h *history, random *rand.Rand) *receiver {
	t.Helper()
	r := &receiver{account: a, h: h, random: random, turn: make(chan struct{}, 1), seen: map[string][sha256.Size]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", r.called)
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { r.broken("a redirect was followed") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) broken(format string, args ...any) {
	r.h.add(Entry{Op: OpBroken, Who: r.account.Name + "/" + webhookName, Text: fmt.Sprintf(format, args...)})
}

// enter takes the turn, and is false when ctx ends first.
func (r *receiver) enter(ctx context.Context) bool {
	select {
	case r.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *receiver) leave() { <-r.turn }

// delivery is the body of a call.
type delivery struct {
	Type string
	Data struct {
		Webhook string
		Events  []json.RawMessage
		Cursor  string
		Reset   *string
	}
}

// called deals with one call.
func (r *receiver) called(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<24))
	if err != nil || !r.enter(req.Context()) {
		return
	}
	defer r.leave()
	id := req.Header.Get("Webhook-Id")
	content := sha256.Sum256(body)
	before, again := r.seen[id]
	switch {
	case !r.signed(req.Header, body):
		r.broken("call %s has no signature of this webhook", id)
		w.WriteHeader(http.StatusUnauthorized)
	case again && before != content:
		r.broken("call %s came again with another content", id)
		w.WriteHeader(http.StatusConflict)
	case again:
		r.h.add(Entry{Op: OpNote, Who: r.account.Name + "/" + webhookName, ID: id, Text: "repeated"})
	case r.stream == nil:
		fail(w, req, r.random.IntN(failures))
	default:
		r.take(w, req, id, content, body)
	}
}

// take hands the events to the client, and answers when it has dealt with them. One time of twenty the
// answer is lost.
func (r *receiver) take(w http.ResponseWriter, req *http.Request, id string, content [sha256.Size]byte, body []byte) {
	frames, err := framesOf(body)
	if err != nil {
		r.broken("call %s: %v", id, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !r.stream.hand(req.Context(), frames) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.seen[id] = content; r.random.IntN(20) == 0 {
		panic(http.ErrAbortHandler)
	}
}

// framesOf are the events of a call as a stream would have them.
func framesOf(body []byte) ([]frame, error) {
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	if d.Type != "events" || d.Data.Webhook != webhookName || d.Data.Cursor == "" {
		return nil, fmt.Errorf("it is %q of %q up to %q", d.Type, d.Data.Webhook, d.Data.Cursor)
	}
	var frames []frame
	if d.Data.Reset != nil {
		frames = append(frames, hello(*d.Data.Reset))
	}
	for _, text := range d.Data.Events {
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return append(frames, live(d.Data.Cursor)), nil
}

func hello(reason string) (f frame) {
	f.Type, f.Data.ResetReason = "hello", reason
	return f
}

func live(tip string) (f frame) {
	f.Type, f.Data.Tip = "live", tip
	return f
}

// What a server does that is not well.
const (
	failsByStatus = iota
	failsByRedirect
	failsByCut
	failsBySilence
	failures // how many there are
)

func fail(w http.ResponseWriter, req *http.Request, how int) {
	switch how {
	case failsByStatus:
		w.WriteHeader(http.StatusInternalServerError)
	case failsByRedirect:
		http.Redirect(w, req, "/elsewhere", http.StatusTemporaryRedirect)
	case failsByCut:
		panic(http.ErrAbortHandler)
	default:
		pause(req.Context(), 8*time.Second) // the gateway waits for less
	}
}

// signed checks the signature of a call (Standard Webhooks).
func (r *receiver) signed(h http.Header, body []byte) bool {
	seconds, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); err != nil || age > 5*time.Minute || age < -5*time.Minute {
		return false
	}
	for _, secret := range r.secrets {
		mac := hmac.New(sha256.New, secret)
		_, _ = fmt.Fprintf(mac, "%s.%d.%s", h.Get("Webhook-Id"), seconds, body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for got := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
			if hmac.Equal([]byte(got), []byte(want)) {
				return true
			}
		}
	}
	return false
}

// put makes the webhook, or makes sure that it is still there, and returns its cursor.
func (r *receiver) put(ctx context.Context) (cursor string, err error) {
	got, err := r.account.call(ctx, http.MethodPut, "/v1/webhooks/"+webhookName, "", map[string]string{"url": r.url + "/events"})
	if err != nil {
		return "", err
	}
	if got.status/100 != 2 {
		return "", &refusal{code: got.status, after: got.after, text: got.problem()}
	}
	var made struct{ Secret, Cursor string }
	if err := got.decode(&made); err != nil {
		return "", err
	}
	if made.Secret != "" {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made.Secret, "whsec_"))
		if err != nil {
			return "", errors.New("the secret of the webhook is no base64")
		}
		r.secrets = append([][]byte{secret}, r.secrets...)
	}
	return made.Cursor, nil
}
