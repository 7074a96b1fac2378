package webhook_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/webhook"
	"github.com/perch-im/perch/sessions"
)

var loopback = webhook.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// request is what a receiver has got.
type request struct {
	header http.Header
	body   string
}

// receiver answers as answer does, and keeps what has come.
func receiver(t *testing.T, answer http.HandlerFunc) (url string, got func() []request) {
	t.Helper()
	var all []request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all = append(all, request{r.Header, string(body)}) // one at a time: the tests make no others
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []request { return all }
}

func newSecret() perch.Secret {
	key := make([]byte, 24)
	rand.Read(key)
	text := "whsec_" + base64.StdEncoding.EncodeToString(key)
	canary.Note(text)
	return perch.NewSecret(text)
}

func newSender(t *testing.T, o webhook.Options) *webhook.Sender {
	t.Helper()
	s := webhook.New(o)
	t.Cleanup(s.Close)
	return s
}

func message(n uint64, body string) *perch.Event {
	return perch.NewEvent(perch.Position{Epoch: "e1", Offset: n}, perch.EventMessageReceived, perch.Time(1_790_000_000_000+int64(n)),
		perch.Message{ID: fmt.Sprintf("m%d", n), Ref: fmt.Sprintf("r%d", n), From: "bob@example.net/phone", To: "alice@example.org", Kind: perch.ChatMessage, Body: body})
}

func delivery(url string, secrets ...perch.Secret) sessions.Delivery {
	return sessions.Delivery{
		ID: "d-1-2", Account: "alice@example.org", Secrets: secrets, Cursor: perch.Position{Epoch: "e1", Offset: 2},
		Reader: perch.Reader{Kind: perch.WebhookReader, ID: "bot", Target: perch.ReaderTarget{URL: url}, Created: 1_780_000_000_000,
			Spec: perch.ReaderSpec{When: perch.ReadAlways, Include: perch.IncludeFull}},
		Events: []*perch.Event{message(1, "hello </script> \u2028"), message(2, "второе")},
	}
}

// TestBody: events are there as the streams have them, and with ids alone nothing that somebody has written.
func TestBody(t *testing.T) {
	url, got := receiver(t, func(http.ResponseWriter, *http.Request) {})
	s := newSender(t, loopback)
	d := delivery(url, newSecret())
	test := d
	test.Events, test.Test = nil, true
	lost := d
	lost.Events, lost.Reset = d.Events[1:], sessions.ResetExpired
	ids := d
	ids.Reader.Spec.Include = perch.IncludeIDs
	ids.Events = append(ids.Events[:1:1],
		perch.NewEvent(perch.Position{Epoch: "e1", Offset: 2}, perch.EventRosterItem, 1_790_000_000_002, perch.Buddy{JID: "carol@example.net", Name: "Carol"}),
		perch.NewEvent(perch.Position{Epoch: "e1", Offset: 3}, perch.EventSessionState, 1_790_000_000_003, perch.StateChange{State: "online"}))
	begin := time.Now()
	for _, x := range []sessions.Delivery{d, lost, ids, test} {
		if o := s.Send(t.Context(), x); o.Err != nil || o.Status != 200 {
			t.Fatalf("Send: got %+v, want 200", o)
		}
	}
	head := func(at perch.Time) string {
		return `{"type":"events","timestamp":"` + at.String() + `","data":{"webhook":"bot","account":"alice@example.org","events":[`
	}
	all := got()
	for i, want := range []string{
		head(1_790_000_000_002) + string(d.Events[0].Wire) + "," + string(d.Events[1].Wire) + `],"cursor":"e1-2","reset":null}}`,
		head(1_790_000_000_002) + string(d.Events[1].Wire) + `],"cursor":"e1-2","reset":"expired"}}`,
		head(1_790_000_000_003) + `{"id":"e1-1","type":"message.received","time":"` + perch.Time(1_790_000_000_001).String() + `","data":{"id":"m1","ref":"r1","conversation":"bob@example.net"}},` +
			`{"id":"e1-2","type":"roster.item","time":"` + perch.Time(1_790_000_000_002).String() + `","data":{"conversation":"carol@example.net"}},` +
			`{"id":"e1-3","type":"session.state","time":"` + perch.Time(1_790_000_000_003).String() + `","data":{}}],"cursor":"e1-2","reset":null}}`,
	} {
		if all[i].body != want {
			t.Errorf("body %d:\n got %s\nwant %s", i, all[i].body, want)
		}
	}
	var x struct {
		Type      string
		Timestamp time.Time
		Data      struct{ Events []any }
	}
	if err := json.Unmarshal([]byte(all[3].body), &x); err != nil || x.Type != "test" || x.Timestamp.Before(begin.Truncate(time.Millisecond)) || x.Data.Events == nil || len(x.Data.Events) != 0 {
		t.Errorf("a test: got %s, error %v, want the type test of now, without events", all[3].body, err)
	}
}

// TestRepeatIsTheSame: a repeat, by whatever sender, has the same id and body, and the time of its own attempt.
func TestRepeatIsTheSame(t *testing.T) {
	url, got := receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	d := delivery(url, newSecret())
	for range 2 {
		o := newSender(t, loopback).Send(t.Context(), d)
		if o.Status != 500 || o.Err == nil || o.Err.Error() != "it answered 500 Internal Server Error" || o.Gone || o.Refused {
			t.Errorf("Send: got %+v, want the status 500 as an error", o)
		}
	}
	all := got()
	if len(all) != 2 || all[0].body != all[1].body || all[0].header.Get("Webhook-Id") != "d-1-2" || all[1].header.Get("Webhook-Id") != "d-1-2" {
		t.Errorf("got %v, want the same id and body twice", all)
	}
	for _, r := range all {
		at, err := strconv.ParseInt(r.header.Get("Webhook-Timestamp"), 10, 64)
		if age := time.Since(time.Unix(at, 0)); err != nil || age < 0 || age > time.Minute {
			t.Errorf("Webhook-Timestamp: got %q, want now", r.header.Get("Webhook-Timestamp"))
		}
		for name, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "Perch", "Authorization": "", "Cookie": ""} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

// TestOutcomes: what an answer means for a webhook.
func TestOutcomes(t *testing.T) {
	for status, want := range map[int]sessions.Outcome{
		200: {Status: 200}, 202: {Status: 202}, 204: {Status: 204}, 404: {Status: 404},
		410: {Status: 410, Gone: true}, 429: {Status: 429, RetryAfter: 3 * time.Second}, 503: {Status: 503, RetryAfter: 3 * time.Second}, 302: {Status: 302},
	} {
		url, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			if status == 429 || status == 503 {
				w.Header().Set("Retry-After", "3")
			}
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
		})
		o := newSender(t, loopback).Send(t.Context(), delivery(url, newSecret()))
		if (o.Err == nil) != (status < 300) {
			t.Errorf("%d: got error %v, want one: %v", status, o.Err, status >= 300)
		}
		if o.Err = nil; o != want {
			t.Errorf("%d: got %+v, want %+v", status, o, want)
		}
	}
}

// TestRefused: where the operator has allowed nothing, nothing inside is called; what is allowed may change.
func TestRefused(t *testing.T) {
	url, got := receiver(t, func(http.ResponseWriter, *http.Request) {})
	s := newSender(t, webhook.Options{})
	d := delivery(url, newSecret())
	if o := s.Send(t.Context(), d); !o.Refused || o.Err == nil || strings.Contains(o.Err.Error(), "127") {
		t.Errorf("got %+v, want it refused without its address", o)
	}
	s.Reconfigure(loopback)
	if o := s.Send(t.Context(), d); o.Err != nil {
		t.Errorf("once it is allowed: got %+v, want 200", o)
	}
	s.Reconfigure(webhook.Options{})
	if o := s.Send(t.Context(), d); !o.Refused {
		t.Errorf("once it is not any more: got %+v, want it refused", o)
	}
	if n := len(got()); n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
}

// TestCheck: what can never be served is refused with the field.
func TestCheck(t *testing.T) {
	s := newSender(t, webhook.Options{})
	full := perch.ReaderSpec{When: perch.ReadAlways, Include: perch.IncludeFull}
	for name, tt := range map[string]struct {
		url   string
		spec  perch.ReaderSpec
		field string
	}{
		"all is well": {"https://example.org/", full, ""},
		"ids":         {"https://example.org/", perch.ReaderSpec{Include: perch.IncludeIDs}, ""},
		"inside":      {"https://10.0.0.1/", full, "/url"},
		"no TLS":      {"http://example.org/", full, "/url"},
		"include":     {"https://example.org/", perch.ReaderSpec{Include: "some"}, "/include"},
	} {
		err := s.Check(perch.ReaderTarget{URL: tt.url}, tt.spec)
		e, _ := errors.AsType[*perch.Error](err)
		got := ""
		if e != nil {
			got = e.Fields[0].Pointer
		}
		if got != tt.field || tt.field != "" && e.Kind != perch.KindValidation {
			t.Errorf("%s: got error %v, want one of the field %q", name, err, tt.field)
		}
	}
}

// TestWithoutSecret: nothing is sent that nobody could verify.
func TestWithoutSecret(t *testing.T) {
	url, got := receiver(t, func(http.ResponseWriter, *http.Request) {})
	for _, secrets := range [][]perch.Secret{nil, {perch.NewSecret("whsec_")}, {perch.NewSecret("whsec_%%%")}, {perch.NewSecret("c2VjcmV0")}} {
		if o := newSender(t, loopback).Send(t.Context(), delivery(url, secrets...)); o.Err == nil {
			t.Errorf("%v: got %+v, want an error", secrets, o)
		}
	}
	if n := len(got()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

// TestEnded: a delivery that is given up says so, and that no address is to blame.
func TestEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o := newSender(t, webhook.Options{}).Send(ctx, delivery("https://8.8.8.8/", newSecret()))
		if o.Err == nil || o.Refused || o.Gone || o.Status != 0 {
			t.Errorf("got %+v, want an error", o)
		}
	})
}
