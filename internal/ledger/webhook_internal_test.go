package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hooked is a receiver with a client that is there, and what was written down.
type hooked struct {
	*testing.T
	r      *receiver
	broken atomic.Int32
	events atomic.Int32
	secret []byte
}

func newHooked(t *testing.T) *hooked {
	k := &hooked{T: t, secret: []byte("0123456789abcdef")}
	h, err := newHistory(filepath.Join(t.TempDir(), "history"), func(e Entry) {
		if e.Op == OpBroken {
			k.broken.Add(1)
		}
	})
	if err != nil {
		t.Fatalf("newHistory: got error %v, want none", err)
	}
	a := &account{person: person{Name: "a1"}}
	k.r = newReceiver(t, a, h, rand.New(rand.NewPCG(1, 2)))
	k.r.secrets = [][]byte{k.secret}
	s := &webhookStream{r: k.r, calls: make(chan call), closed: make(chan struct{})}
	k.r.stream = s
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			f, err := s.next(t.Context())
			if err != nil {
				return
			}
			if f.Type == "message.received" {
				k.events.Add(1)
			}
		}
	}()
	t.Cleanup(func() { <-done; _ = h.close() })
	return k
}

// call makes a call as a gateway does, and gives the status; 0: there was no answer.
func (k *hooked) call(id, body string, change func(http.Header)) int {
	k.Helper()
	now := time.Now().Unix()
	mac := hmac.New(sha256.New, k.secret)
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, now, body)
	req, err := http.NewRequestWithContext(k.Context(), http.MethodPost, k.r.url+"/events", bytes.NewReader([]byte(body)))
	if err != nil {
		k.Fatalf("NewRequest: got error %v, want none", err)
	}
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", fmt.Sprint(now))
	req.Header.Set("Webhook-Signature", "v1,AAAA v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if change != nil {
		change(req.Header)
	}
	res, err := newHTTP().Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func bodyOf(event string) string {
	return `{"type":"events","data":{"webhook":"webhook","cursor":"e-1","reset":null,"events":[{"id":"e-1","type":"` + event + `","data":{}}]}}`
}

// TestReceiver: what a gateway may not do is written down, and a repeat is taken once.
func TestReceiver(t *testing.T) {
	for name, x := range map[string]struct {
		calls          func(k *hooked) int // gives the last status
		status         int
		broken, events int32
	}{
		"once": {func(k *hooked) int { return k.call("1", bodyOf("message.received"), nil) }, 200, 0, 1},
		"twice": {func(k *hooked) int {
			k.call("1", bodyOf("message.received"), nil)
			return k.call("1", bodyOf("message.received"), nil)
		}, 200, 0, 1},
		"with other events": {func(k *hooked) int {
			k.call("1", bodyOf("message.received"), nil)
			return k.call("1", bodyOf("message.sent"), nil)
		}, 409, 1, 1},
		"not signed": {func(k *hooked) int {
			return k.call("1", bodyOf("message.received"), func(h http.Header) { h.Set("Webhook-Id", "2") })
		}, 401, 1, 0},
		"an old call": {func(k *hooked) int {
			return k.call("1", bodyOf("message.received"), func(h http.Header) { h.Set("Webhook-Timestamp", "1") })
		}, 401, 1, 0},
		"of another webhook": {func(k *hooked) int {
			return k.call("1", strings.Replace(bodyOf("message.received"), `"webhook":"webhook"`, `"webhook":"w"`, 1), nil)
		}, 400, 1, 0},
		"no JSON": {func(k *hooked) int { return k.call("1", "x", nil) }, 400, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := newHooked(t)
			status := x.calls(k)
			if status != x.status || k.broken.Load() != x.broken || k.events.Load() != x.events {
				t.Errorf("got status %d, %d broken promises, %d events, want %d, %d, %d", status, k.broken.Load(), k.events.Load(), x.status, x.broken, x.events)
			}
		})
	}
}

// TestReceiverFails: without its client a receiver takes nothing.
func TestReceiverFails(t *testing.T) {
	k := newHooked(t)
	k.r.stream.close()
	if status := k.call("1", bodyOf("message.received"), nil); status == http.StatusOK && k.broken.Load() == 0 || k.events.Load() != 0 {
		t.Errorf("got status %d and %d events, want a failure and none", status, k.events.Load())
	}
	for how, want := range map[int]int{failsByStatus: http.StatusInternalServerError, failsByRedirect: http.StatusTemporaryRedirect} {
		w := httptest.NewRecorder()
		if fail(w, httptest.NewRequest(http.MethodPost, "/events", nil), how); w.Code != want {
			t.Errorf("failure %d: got status %d, want %d", how, w.Code, want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.r.url+"/elsewhere", nil)
	if err != nil {
		t.Fatalf("NewRequest: got error %v, want none", err)
	}
	res, err := newHTTP().Do(req)
	if err != nil {
		t.Fatalf("elsewhere: got error %v, want none", err)
	}
	if _ = res.Body.Close(); k.broken.Load() == 0 {
		t.Error("a redirect that is followed: got nothing written down, want a broken promise")
	}
}

// TestCallBeforeTheClientLeaves: a call that was dealt with is answered so, though its client goes away at once: it
// would come again otherwise, and its events twice.
func TestCallBeforeTheClientLeaves(t *testing.T) {
	for i := range 200 {
		s := &webhookStream{calls: make(chan call), closed: make(chan struct{})}
		go func() {
			c := <-s.calls
			close(c.done)
			close(s.closed)
		}()
		if !s.hand(t.Context(), nil) {
			t.Fatalf("call %d: got false, want true: it was dealt with", i)
		}
	}
}
