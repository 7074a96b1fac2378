package app_test

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
)

const echo = "93e551702e0750e7@messenger.live.com" // answers each message

// toLoopback is an operator whose receivers are on this machine.
func toLoopback(o *app.Options) {
	o.WebhookAllow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// tellEcho sends a message to Echo.
func tellEcho(t *testing.T, g *testkit.Gateway, text string) {
	t.Helper()
	g.Call(t, http.StatusAccepted, "POST", "/v1/messages", map[string]string{"to": echo, "body": text})
}

// echoed are the answers of Echo that a receiver has got, in their order.
func echoed(r *testkit.WebhookReceiver) (texts []string) {
	for _, e := range r.Events() {
		if text, ok := strings.CutPrefix(e.Body(), "You said: "); ok && e.Type == "message.received" {
			texts = append(texts, text)
		}
	}
	return texts
}

// sound fails for everything that a receiver must not have got.
func sound(t *testing.T, r *testkit.WebhookReceiver) {
	t.Helper()
	if problems := r.Problems(); len(problems) > 0 {
		t.Errorf("the receiver: got %s, want nothing that must not be", strings.Join(problems, "\n"))
	}
}

// TestWebhookReceiverFails: one that fails in every way gets all that there is, in order, and what it gets again
// has the id of before.
func TestWebhookReceiverFails(t *testing.T) {
	a := observed(t, toLoopback)
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	r := testkit.NewWebhookReceiver(t)
	elsewhere := testkit.NewWebhookReceiver(t)
	ways := []testkit.WebhookAnswer{
		{Status: 500}, {Cut: true}, {Cut: true, Worked: true}, {Status: 302, Header: map[string]string{"Location": elsewhere.URL}},
		{Status: 429, Header: map[string]string{"Retry-After": "1"}}, {Hang: true},
	}
	r.Behave(func(n int, _ *testkit.WebhookCall) testkit.WebhookAnswer {
		if n%2 == 1 || n/2 >= len(ways) {
			return testkit.WebhookAnswer{}
		}
		return ways[n/2]
	})
	made := g.Call(t, http.StatusCreated, "PUT", "/v1/webhooks/bot", map[string]any{"url": r.URL, "types": []string{"message.*"}}).JSON(t)
	r.Trust(made.Str("secret"))
	var want []string
	for i := 0; i < len(ways) || len(r.Calls()) < 2*len(ways); i++ {
		want = append(want, fmt.Sprint("text ", i))
		tellEcho(t, g, want[i])
		r.Await(t, want[i], time.Minute, func() bool { return len(echoed(r)) == len(want) })
	}
	r.Down()
	tellEcho(t, g, "while it is down")
	testkit.Eventually(t, 20*time.Second, func() error {
		if x := g.Get(t, "/v1/webhooks/bot"); x.Str("state") != "retrying" || x.Str("last_attempt.error") == "" || x.Str("next_attempt_at") == "" {
			return fmt.Errorf("got %v, want it retrying, and why", x)
		}
		return nil
	})
	r.Up(t)
	want = append(want, "while it is down")
	r.Await(t, "what came while it was down", time.Minute, func() bool { return len(echoed(r)) == len(want) })
	if got := echoed(r); !slices.Equal(got, want) {
		t.Errorf("got the messages %q, want %q", got, want)
	}
	sound(t, r)
	if n := len(elsewhere.Calls()); n != 0 {
		t.Errorf("got %d calls where a redirect led, want none", n)
	}
	before := r.Calls()[len(r.Calls())-1]
	r.Rewind()
	g.Call(t, http.StatusOK, "POST", "/v1/webhooks/bot/replay", map[string]string{"since": made.Str("cursor")})
	r.Await(t, "all of it again", time.Minute, func() bool { return len(echoed(r)) == 2*len(want) })
	if x := g.Call(t, http.StatusOK, "POST", "/v1/webhooks/bot/test", nil).JSON(t); x.At("status") != 204.0 {
		t.Errorf("test: got %v, want 204", x)
	}
	calls := r.Calls()
	if last := calls[len(calls)-1]; last.Type != "test" || last.ID == before.ID || len(last.Data.Events) != 0 {
		t.Errorf("test: got %s, want a call of its own type", last.Body)
	}
	sound(t, r)
	if page := scrape(t, a); !regexp.MustCompile(`perch_deliveries_total\{kind="webhook",result="delivered"\} [1-9]`).MatchString(page) || !regexp.MustCompile(`perch_deliveries_total\{kind="webhook",result="failed"\} [1-9]`).MatchString(page) {
		t.Error("got no perch_deliveries_total of both results, want them")
	}
}

// TestWebhookInside: what leads inside is refused, counted, and in the end disabled, where the owner sees it.
func TestWebhookInside(t *testing.T) {
	a := observed(t)
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	r := testkit.NewWebhookReceiver(t)
	_, port, err := net.SplitHostPort(strings.Split(strings.TrimPrefix(r.URL, "http://"), "/")[0])
	if err != nil {
		t.Fatalf("SplitHostPort: got error %v, want none", err)
	}
	for _, address := range []string{r.URL, "https://127.0.0.1:" + port, "https://[::1]/", "https://[::ffff:127.0.0.1]:" + port, "https://10.0.0.1/"} {
		p := g.Call(t, http.StatusUnprocessableEntity, "PUT", "/v1/webhooks/bot", map[string]string{"url": address}).JSON(t)
		if errs := p.List("errors"); len(errs) != 1 || errs[0].Str("pointer") != "/url" || strings.Contains(errs[0].Str("detail"), "127.") {
			t.Errorf("%s: got %v, want the field, and no address", address, p)
		}
	}
	stream := g.Stream(t, "")
	stream.ExpectType(t, "live")
	g.Call(t, http.StatusCreated, "PUT", "/v1/webhooks/bot", map[string]string{"url": "https://localhost:" + port})
	tellEcho(t, g, "hello")
	f := stream.ExpectType(t, "webhook.disabled")
	if f.Data.Str("id") != "bot" || f.Data.Str("reason") != "policy" {
		t.Errorf("got %s, want the webhook and policy", f.Raw)
	}
	if x := g.Get(t, "/v1/webhooks/bot"); x.Str("state") != "disabled" || x.Str("reason") != "policy" || strings.Contains(x.Str("last_attempt.error"), "127.") {
		t.Errorf("got %v, want it disabled, and no address", x)
	}
	if page := scrape(t, a); !strings.Contains(page, `perch_deliveries_total{kind="webhook",result="refused"} 3`) {
		t.Error("got no perch_deliveries_total of three that were refused, want it")
	}
	if n := len(r.Calls()); n != 0 {
		t.Errorf("got %d calls inside, want none", n)
	}
}

// TestWebhookSettings: a file without certificates is refused by its setting, at the start and by a reload; what is
// allowed changes by one.
func TestWebhookSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "none.pem")} {
		o := app.Options{Listen: "127.0.0.1:0", AdminListen: "off"}
		o.WebhookCAFile = file
		if err := app.CheckConfig(o); err == nil || !strings.Contains(err.Error(), "--webhook-ca-file") {
			t.Errorf("CheckConfig: got error %v, want one that names --webhook-ca-file", err)
		}
		if a, err := app.New(o); err == nil || !strings.Contains(err.Error(), "--webhook-ca-file") {
			t.Errorf("New: got %v and error %v, want one that names --webhook-ca-file", a, err)
		}
	}
	w := newReloadWorld(t)
	done, err := w.reload(toLoopback)
	if err != nil || !slices.Equal(done.Changed, []string{"webhook-allow"}) {
		t.Errorf("reload: got %+v and error %v, want webhook-allow changed", done, err)
	}
	done, err = w.reload(func(o *app.Options) { o.WebhookCAFile = testkit.SharedProsody(t).CAFile })
	if err != nil || !slices.Equal(done.Changed, []string{"webhook-ca-file"}) {
		t.Errorf("reload: got %+v and error %v, want webhook-ca-file changed", done, err)
	}
	if _, err := w.reload(func(o *app.Options) { o.WebhookCAFile = empty }); err == nil || !strings.Contains(err.Error(), "--webhook-ca-file") {
		t.Errorf("reload: got error %v, want one that names --webhook-ca-file", err)
	}
	done, err = w.reload(func(o *app.Options) { o.NoWebhooks = true })
	if err != nil || !slices.Equal(done.Fixed, []string{"webhooks"}) {
		t.Errorf("reload: got %+v and error %v, want webhooks to need a restart", done, err)
	}
}

// TestWebhooksTurnedOff: an operator who wants none has none.
func TestWebhooksTurnedOff(t *testing.T) {
	a := observed(t, func(o *app.Options) { o.NoWebhooks = true })
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	wantProblem(t, g.Call(t, http.StatusNotImplemented, "PUT", "/v1/webhooks/bot", map[string]string{"url": "https://example.org/"}), "feature-unsupported")
}
