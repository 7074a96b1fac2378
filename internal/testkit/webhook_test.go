package testkit_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

const webhookKey = "a key of the test, of no value"

// call posts a part of a log to a receiver, as a gateway would.
func call(t *testing.T, url, id, body string, change func(http.Header)) int {
	t.Helper()
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(webhookKey))
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatalf("NewRequest: got error %v, want none", err)
	}
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if change != nil {
		change(req.Header)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func part(reset string, ids ...string) string {
	events := make([]string, len(ids))
	for i, id := range ids {
		events[i] = fmt.Sprintf(`{"id":%q,"type":"message.received","time":"","data":{"body":%q}}`, id, "text of "+id)
	}
	return `{"type":"events","timestamp":"","data":{"events":[` + strings.Join(events, ",") + `],"reset":` + reset + `}}`
}

// TestWebhookReceiver: what a gateway must not do is found, and what it may do is none of it.
func TestWebhookReceiver(t *testing.T) {
	fails := testkit.WebhookAnswer{Status: 500}
	type attempt struct {
		id, body string
		answer   testkit.WebhookAnswer
		change   func(http.Header)
	}
	for name, tt := range map[string]struct {
		attempts []attempt
		want     string // in the one problem; "": there is none
		events   int
	}{
		"in order":              {[]attempt{{"a", part("null", "e-1", "e-2"), testkit.WebhookAnswer{}, nil}, {"b", part("null", "e-4"), testkit.WebhookAnswer{}, nil}}, "", 3},
		"a repeat":              {[]attempt{{"a", part("null", "e-1"), fails, nil}, {"a", part("null", "e-1"), testkit.WebhookAnswer{}, nil}, {"b", part("null", "e-2"), testkit.WebhookAnswer{}, nil}}, "", 2},
		"an answer was lost":    {[]attempt{{"a", part("null", "e-1"), testkit.WebhookAnswer{Cut: true, Worked: true}, nil}, {"a", part("null", "e-1"), testkit.WebhookAnswer{}, nil}}, "", 1},
		"a late repeat":         {[]attempt{{"a", part("null", "e-1"), testkit.WebhookAnswer{}, nil}, {"b", part("null", "e-2"), testkit.WebhookAnswer{}, nil}, {"a", part("null", "e-1"), testkit.WebhookAnswer{}, nil}}, "", 2},
		"a reset":               {[]attempt{{"a", part("null", "e-9"), testkit.WebhookAnswer{}, nil}, {"b", part(`"epoch"`, "f-1"), testkit.WebhookAnswer{}, nil}}, "", 2},
		"under another id":      {[]attempt{{"a", part("null", "e-1"), testkit.WebhookAnswer{}, nil}, {"b", part("null", "e-1"), testkit.WebhookAnswer{}, nil}}, "e-1 comes after e-1", 2},
		"another body":          {[]attempt{{"a", part("null", "e-1"), fails, nil}, {"a", part("null", "e-2"), testkit.WebhookAnswer{}, nil}}, "another body", 1},
		"out of order":          {[]attempt{{"a", part("null", "e-2", "e-1"), testkit.WebhookAnswer{}, nil}}, "e-1 comes after e-2", 2},
		"before it has arrived": {[]attempt{{"a", part("null", "e-1"), fails, nil}, {"b", part("null", "e-2"), testkit.WebhookAnswer{}, nil}}, "before a has arrived", 1},
		"another log":           {[]attempt{{"a", part("null", "e-1"), testkit.WebhookAnswer{}, nil}, {"b", part("null", "f-2"), testkit.WebhookAnswer{}, nil}}, "without a reset", 2},
		"no JSON":               {[]attempt{{"a", "no", testkit.WebhookAnswer{}, nil}}, "its body is", 0},
		"not signed":            {[]attempt{{"a", part("null", "e-1"), testkit.WebhookAnswer{}, func(h http.Header) { h.Set("Webhook-Signature", "v1,AAAA") }}}, "no secret", 1},
		"another time":          {[]attempt{{"a", part("null", "e-1"), testkit.WebhookAnswer{}, func(h http.Header) { h.Set("Webhook-Timestamp", "17") }}}, "off by", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := testkit.NewWebhookReceiver(t)
			r.Trust("whsec_" + base64.StdEncoding.EncodeToString([]byte(webhookKey)))
			r.Behave(func(n int, _ *testkit.WebhookCall) testkit.WebhookAnswer { return tt.attempts[n].answer })
			for _, a := range tt.attempts {
				want := a.answer.Status
				if want == 0 && !a.answer.Cut {
					want = 204
				}
				if got := call(t, r.URL, a.id, a.body, a.change); got != want {
					t.Errorf("call %s: got status %d, want %d", a.id, got, want)
				}
			}
			problems := strings.Join(r.Problems(), "\n")
			if (problems == "") != (tt.want == "") || !strings.Contains(problems, tt.want) {
				t.Errorf("problems: got %q, want %q in them", problems, tt.want)
			}
			if got := len(r.Events()); got != tt.events {
				t.Errorf("events: got %d, want %d", got, tt.events)
			}
		})
	}
}

// TestWebhookReceiverDies: one that is down takes nothing, and is at the same address again.
func TestWebhookReceiverDies(t *testing.T) {
	r := testkit.NewWebhookReceiver(t)
	r.Down()
	if got := call(t, r.URL, "a", part("null", "e-1"), nil); got != 0 {
		t.Errorf("while it is down: got status %d, want none", got)
	}
	r.Up(t)
	if got := call(t, r.URL, "a", part("null", "e-1"), nil); got != 204 {
		t.Errorf("once it is up: got status %d, want 204", got)
	}
	r.Await(t, "the call", time.Second, func() bool { return len(r.Events()) == 1 })
	if e := r.Events(); e[0].Body() != "text of e-1" {
		t.Errorf("body: got %q, want %q", e[0].Body(), "text of e-1")
	}
}
