package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/webhook"
)

// verified is what the library of Standard Webhooks says of a request.
type verified struct {
	Payload json.RawMessage
	Error   string
}

// verify asks the library, which knows nothing of this code.
func verify(t *testing.T, secrets []perch.Secret, requests []request) []verified {
	t.Helper()
	modules, err := filepath.Abs("../ledger/peers")
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "standardwebhooks")); err != nil {
		t.Fatalf("the library standardwebhooks: got error %v, want none: run npm ci --prefix internal/ledger/peers, as make test does", err)
	}
	var in bytes.Buffer
	for i, r := range requests {
		headers := map[string]string{}
		for name := range r.header {
			headers[name] = r.header.Get(name)
		}
		line, err := json.Marshal(map[string]any{"secret": secrets[i].Reveal(), "headers": headers, "body": r.body})
		if err != nil {
			t.Fatalf("json.Marshal: got error %v, want none", err)
		}
		fmt.Fprintf(&in, "%s\n", line)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/verify.mjs")
	cmd.Env, cmd.Stdin, cmd.Stderr = append(os.Environ(), "MODULES="+modules), &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node (apt-get install nodejs): got error %v, want none", err)
	}
	var all []verified
	for line := range strings.Lines(string(out)) {
		var v verified
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: got error %v, want none", line, err)
		}
		all = append(all, v)
	}
	if len(all) != len(requests) {
		t.Fatalf("got %d answers, want %d", len(all), len(requests))
	}
	return all
}

// TestSignature: the library that receivers use accepts what is sent, by each of the secrets while one is
// rotated, and nothing that was changed.
func TestSignature(t *testing.T) {
	url, got := receiver(t, func(http.ResponseWriter, *http.Request) {})
	s := newSender(t, loopback)
	one, other, stranger := newSecret(), newSecret(), newSecret()
	for _, secrets := range [][]perch.Secret{{one}, {other, one}} {
		if o := s.Send(t.Context(), delivery(url, secrets...)); o.Err != nil {
			t.Fatalf("Send: got error %v, want none", o.Err)
		}
	}
	single, both := got()[0], got()[1]
	changed := request{single.header.Clone(), strings.Replace(single.body, "hello", "Hello", 1)}
	later := request{single.header.Clone(), single.body}
	later.header.Set("Webhook-Timestamp", single.header.Get("Webhook-Timestamp")[:9]+"0")
	another := request{single.header.Clone(), single.body}
	another.header.Set("Webhook-Id", "d-1-3")
	cases := []struct {
		name    string
		secret  perch.Secret
		request request
		ok      bool
	}{
		{"one secret", one, single, true}, {"the new one", other, both, true}, {"the one before", one, both, true},
		{"a stranger's", stranger, both, false}, {"the new one, before it was there", other, single, false},
		{"another body", one, changed, false}, {"another id", one, another, false},
		{"another time", one, later, later.header.Get("Webhook-Timestamp") == single.header.Get("Webhook-Timestamp")},
	}
	var secrets []perch.Secret
	var requests []request
	for _, c := range cases {
		secrets, requests = append(secrets, c.secret), append(requests, c.request)
	}
	for i, v := range verify(t, secrets, requests) {
		if ok := v.Error == ""; ok != cases[i].ok {
			t.Errorf("%s: got error %q, want it accepted: %v", cases[i].name, v.Error, cases[i].ok)
		}
		if cases[i].ok && !bytes.Equal(v.Payload, []byte(requests[i].body)) {
			var a, b any
			_ = json.Unmarshal(v.Payload, &a)
			_ = json.Unmarshal([]byte(requests[i].body), &b)
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("%s: got %s, want %s", cases[i].name, v.Payload, requests[i].body)
			}
		}
	}
	if n := len(strings.Fields(both.header.Get("Webhook-Signature"))); n != 2 {
		t.Errorf("with two secrets: got %d signatures, want 2", n)
	}
}

// TestKnownSignature holds against the example that the libraries of Standard Webhooks share, whose bytes are
// fixed.
func TestKnownSignature(t *testing.T) {
	const secret, id, at, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`
	got := webhook.Sign(perch.NewSecret(secret), id, at, body)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
