package webpush_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/internal/webpush"
	"github.com/perch-im/perch/sessions"
)

const me = perch.JID("me@a.test")

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// world is a sender, a push service, and a subscription of it.
type world struct {
	service *testkit.PushService
	sub     *testkit.PushSubscription
	key     *webpush.Key
	sender  *webpush.Sender
}

func newWorld(t *testing.T, answer func(testkit.PushMessage) testkit.PushAnswer) *world {
	w := &world{service: testkit.NewPushService(t, answer), key: newKey(t)}
	w.sub = w.service.Subscribe(t, "phone", w.key.Public())
	w.sender = webpush.NewSender(func() *webpush.Key { return w.key }, webpush.Options{Contact: "mailto:ops@example.org", Allow: loopback, Roots: w.service.Roots})
	t.Cleanup(w.sender.Close)
	return w
}

func targetOf(s *testkit.PushSubscription) perch.ReaderTarget {
	return perch.ReaderTarget{URL: s.Endpoint, P256DH: s.P256DH, Auth: s.Auth}
}

// delivery has a message of each sender.
func (w *world) delivery(body string, from ...perch.JID) sessions.Delivery {
	d := sessions.Delivery{ID: "d1", Account: me, Reader: perch.Reader{Kind: perch.PushReader, ID: "phone", Target: targetOf(w.sub)}}
	d.Reader.Spec.Include = perch.IncludeFull
	for i, jid := range from {
		m := perch.Message{ID: fmt.Sprint("m", i), From: jid, To: me, Kind: perch.ChatMessage, Body: body}
		d.Events = append(d.Events, perch.NewEvent(perch.Position{Epoch: "k", Offset: uint64(i + 1)}, perch.EventMessageReceived, 1, m))
	}
	return d
}

func decoded(t *testing.T, m testkit.PushMessage) (p struct {
	Type, Conversation, ID, Body string
	Count                        int
}) {
	t.Helper()
	if err := json.Unmarshal(m.Plain, &p); err != nil {
		t.Fatalf("Unmarshal(%q): got error %v, want none", m.Plain, err)
	}
	return p
}

// TestSend: a message arrives encrypted and signed, with what the service needs to know, once for each
// conversation.
func TestSend(t *testing.T) {
	w := newWorld(t, nil)
	if o := w.sender.Send(t.Context(), w.delivery("hello", "bob@a.test/x", "bob@a.test/y")); o != (sessions.Outcome{Status: 201}) {
		t.Fatalf("Send: got %+v, want 201 and no error", o)
	}
	m := w.service.Next(t)
	if p := decoded(t, m); p.Type != "message.received" || p.Conversation != "bob@a.test" || p.ID != "k-2" || p.Count != 2 || p.Body != "hello" {
		t.Errorf("got %+v, want the newest of two messages of bob@a.test", p)
	}
	if m.TTL != "86400" || m.Urgency != "high" || len(m.Topic) != 32 || m.Contact != "mailto:ops@example.org" || m.ServerKey != w.key.Public() {
		t.Errorf("got TTL %s, urgency %s, topic %q, contact %s, key %s, want 86400, high, 32 characters, the operator's, %s", m.TTL, m.Urgency, m.Topic, m.Contact, m.ServerKey, w.key.Public())
	}
	var many []perch.JID
	for i := range 100 {
		many = append(many, perch.JID(fmt.Sprintf("b%d@a.test", i)))
	}
	if o := w.sender.Send(t.Context(), w.delivery("hello", many...)); o.Err != nil {
		t.Fatalf("Send: got error %v, want none", o.Err)
	}
	topics, found := map[string]bool{}, map[string]bool{}
	for range many {
		m := w.service.Next(t)
		topics[m.Topic], found[decoded(t, m).Conversation] = true, true
	}
	if len(topics) != 100 || len(found) != 100 {
		t.Errorf("got %d topics of %d conversations, want 100 of 100", len(topics), len(found))
	}
	d := w.delivery("")
	d.Test = true
	if o := w.sender.Send(t.Context(), d); o.Err != nil {
		t.Errorf("a test: got error %v, want none", o.Err)
	}
	if m := w.service.Next(t); m.TTL != "300" || decoded(t, m).Type != "test" {
		t.Errorf("a test: got TTL %s, %s, want 300 and the type test", m.TTL, m.Plain)
	}
}

// TestSendAnswers: what a push service answers becomes what is done next.
func TestSendAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer testkit.PushAnswer
		want   sessions.Outcome // Err is whether there is one
	}{
		"taken":               {testkit.PushAnswer{Status: 201}, sessions.Outcome{Status: 201}},
		"taken, and kept":     {testkit.PushAnswer{Status: 202}, sessions.Outcome{Status: 202}},
		"not known":           {testkit.PushAnswer{Status: 404}, sessions.Outcome{Status: 404, Gone: true, Err: errAny}},
		"ended":               {testkit.PushAnswer{Status: 410}, sessions.Outcome{Status: 410, Gone: true, Err: errAny}},
		"too many":            {testkit.PushAnswer{Status: 429, RetryAfter: "120"}, sessions.Outcome{Status: 429, Err: errAny, RetryAfter: 2 * time.Minute}},
		"too many, unnamed":   {testkit.PushAnswer{Status: 429}, sessions.Outcome{Status: 429, Err: errAny}},
		"out of order":        {testkit.PushAnswer{Status: 503, RetryAfter: "5"}, sessions.Outcome{Status: 503, Err: errAny, RetryAfter: 5 * time.Second}},
		"no sense in it":      {testkit.PushAnswer{Status: 503, RetryAfter: "soon"}, sessions.Outcome{Status: 503, Err: errAny}},
		"another key":         {testkit.PushAnswer{Status: 403}, sessions.Outcome{Status: 403, Err: errAny}},
		"leads elsewhere":     {testkit.PushAnswer{Status: 302}, sessions.Outcome{Status: 302, Err: errAny}},
		"never small enough":  {testkit.PushAnswer{Status: 413}, sessions.Outcome{Status: 413, Err: errAny}},
		"does not understand": {testkit.PushAnswer{Status: 400}, sessions.Outcome{Status: 400, Err: errAny}},
	} {
		w := newWorld(t, func(testkit.PushMessage) testkit.PushAnswer { return c.answer })
		got := w.sender.Send(t.Context(), w.delivery("hello", "bob@a.test"))
		if err := got.Err; err != nil {
			got.Err = errAny
			if strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "/push/") {
				t.Errorf("%s: got the error %q, want it without an address", name, err)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

var errAny = fmt.Errorf("any")

// TestSendSmaller: a service that takes less gets the ids alone.
func TestSendSmaller(t *testing.T) {
	w := newWorld(t, func(m testkit.PushMessage) testkit.PushAnswer {
		if m.Size > 1000 {
			return testkit.PushAnswer{Status: http.StatusRequestEntityTooLarge}
		}
		return testkit.PushAnswer{}
	})
	if o := w.sender.Send(t.Context(), w.delivery(strings.Repeat("x", 2000), "bob@a.test")); o != (sessions.Outcome{Status: 201}) {
		t.Errorf("Send: got %+v, want 201", o)
	}
	if p := decoded(t, w.service.Next(t)); len(p.Body) != 2000 {
		t.Errorf("the first attempt: got %d bytes of text, want 2000", len(p.Body))
	}
	if p := decoded(t, w.service.Next(t)); p.Body != "" || p.ID != "k-1" || p.Conversation != "bob@a.test" {
		t.Errorf("the second attempt: got %+v, want the ids alone", p)
	}
}

// TestSendOneOfMany: one message that is not taken makes the delivery come again; a subscription that has ended
// is more than that.
func TestSendOneOfMany(t *testing.T) {
	refused := ""
	w := newWorld(t, func(m testkit.PushMessage) testkit.PushAnswer {
		switch text := string(m.Plain); {
		case strings.Contains(text, "ann@a.test"):
			return testkit.PushAnswer{Status: 429, RetryAfter: "7"}
		case refused != "" && strings.Contains(text, refused):
			return testkit.PushAnswer{Status: 410}
		}
		return testkit.PushAnswer{}
	})
	d := w.delivery("x", "bob@a.test", "ann@a.test", "carl@a.test")
	if o := w.sender.Send(t.Context(), d); o.Status != 429 || o.Err == nil || o.RetryAfter != 7*time.Second || o.Gone {
		t.Errorf("one of three is refused: got %+v, want 429 and 7 s", o)
	}
	refused = "carl@a.test"
	if o := w.sender.Send(t.Context(), d); o.Status != 410 || !o.Gone {
		t.Errorf("one of three has ended: got %+v, want 410, gone", o)
	}
}

// TestSendGuard: nothing inside is called, and the client does not learn what is there.
func TestSendGuard(t *testing.T) {
	w := newWorld(t, nil)
	w.sender.Reconfigure(webpush.Options{Roots: w.service.Roots})
	d := w.delivery("x", "bob@a.test")
	if o := w.sender.Send(t.Context(), d); !o.Refused || o.Err == nil || o.Status != 0 {
		t.Errorf("an address of loopback: got %+v, want it refused", o)
	}
	d.Reader.Target.URL = strings.Replace(d.Reader.Target.URL, "127.0.0.1", "localhost", 1)
	if o := w.sender.Send(t.Context(), d); !o.Refused || o.Err == nil || o.Status != 0 {
		t.Errorf("a name that leads to loopback: got %+v, want it refused", o)
	}
	w.sender.Reconfigure(webpush.Options{Allow: loopback}) // without the roots
	if o := w.sender.Send(t.Context(), w.delivery("x", "bob@a.test")); o.Err == nil || o.Refused || o.Status != 0 {
		t.Errorf("a certificate of nobody: got %+v, want an error", o)
	}
	if len(w.service.Messages()) != 0 {
		t.Errorf("got %d messages, want none", len(w.service.Messages()))
	}
}

// TestSendWithout: no key, no keys of a subscription, no time.
func TestSendWithout(t *testing.T) {
	w := newWorld(t, nil)
	d := w.delivery("x", "bob@a.test")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if o := w.sender.Send(ended, d); o.Err == nil || o.Gone || o.Status != 0 {
		t.Errorf("no time: got %+v, want an error", o)
	}
	w.key = nil
	if o := w.sender.Send(t.Context(), d); o.Err == nil || o.Gone {
		t.Errorf("no key: got %+v, want an error", o)
	}
	w.key = newKey(t)
	d.Reader.Target.P256DH = "A"
	if o := w.sender.Send(t.Context(), d); o.Err == nil || !o.Gone {
		t.Errorf("no keys of a subscription: got %+v, want it gone", o)
	}
}

// TestCheck: the error names the field as it is in the request.
func TestCheck(t *testing.T) {
	w := newWorld(t, nil)
	good := targetOf(w.sub)
	open := webpush.NewSender(func() *webpush.Key { return nil }, webpush.Options{})
	t.Cleanup(open.Close)
	for name, c := range map[string]struct {
		sender *webpush.Sender
		change func(*perch.ReaderTarget)
		want   string
	}{
		"of the tests":             {w.sender, func(*perch.ReaderTarget) {}, ""},
		"of a browser":             {open, func(x *perch.ReaderTarget) { x.URL = "https://fcm.googleapis.com/fcm/send/abc:def" }, ""},
		"of UnifiedPush":           {open, func(x *perch.ReaderTarget) { x.URL = "https://ntfy.sh/upABC?up=1" }, ""},
		"inside":                   {open, func(*perch.ReaderTarget) {}, "/endpoint"},
		"without TLS":              {open, func(x *perch.ReaderTarget) { x.URL = "http://ntfy.sh/upABC?up=1" }, "/endpoint"},
		"without TLS, where named": {w.sender, func(x *perch.ReaderTarget) { x.URL = "http://127.0.0.1:1/x" }, ""},
		"no address":               {w.sender, func(x *perch.ReaderTarget) { x.URL = "phone" }, "/endpoint"},
		"no key":                   {w.sender, func(x *perch.ReaderTarget) { x.P256DH = "" }, "/keys/p256dh"},
		"no secret":                {w.sender, func(x *perch.ReaderTarget) { x.Auth = "AAAA" }, "/keys/auth"},
	} {
		target := good
		c.change(&target)
		err := c.sender.Check(target, perch.ReaderSpec{})
		got := ""
		if e, ok := err.(*perch.Error); ok && e.Kind == perch.KindValidation {
			got = e.Fields[0].Pointer
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: got error %v, want one about %q", name, err, c.want)
		}
	}
}
