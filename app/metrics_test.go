package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn"
)

// observed starts the embedded service, Redis and the admin listener.
func observed(t *testing.T, change ...func(*app.Options)) *app.App {
	t.Helper()
	o := app.Options{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Version: "v9.8.7",
		Secret: canary.Secret(), Logger: canary.Logger(),
	}
	for _, f := range change {
		f(&o)
	}
	o.RedisURL = testkit.SharedRedis(t).URLFor(t, o.Secret)
	a, err := app.New(o)
	if err != nil {
		t.Fatalf("app.New: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("a.Stop: got error %v, want none", err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatalf("a.Start: got error %v, want none", err)
	}
	return a
}

// scrape reads /metrics.
func scrape(t *testing.T, a *app.App) string {
	t.Helper()
	return fetch(t, "http://"+a.AdminAddr()+"/metrics")
}

// fetch reads an address that must be there.
func fetch(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("transport.RoundTrip: got error %v, want none", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v: %s, want no error and %d", url, res.StatusCode, err, body, http.StatusOK)
	}
	canary.Page(url, body)
	return string(body)
}

// countedWrites counts how often it is written to.
type countedWrites struct {
	strings.Builder
	n int
}

func (w *countedWrites) Write(p []byte) (int, error) {
	w.n++
	return w.Builder.Write(p)
}

// TestWelcomeNamesWhatIsThere: the addresses of the admin listener work as they are printed.
func TestWelcomeNamesWhatIsThere(t *testing.T) {
	a := observed(t)
	var text countedWrites
	if err := app.Welcome(&text, a); err != nil {
		t.Fatalf("app.Welcome: got error %v, want none", err)
	}
	if text.n != 1 {
		t.Errorf("app.Welcome: got %d writes, want 1: a line of the log must not come between", text.n)
	}
	m := regexp.MustCompile(`admin +(http://\S+) +\((.*)\)`).FindStringSubmatch(text.String())
	if m == nil || !strings.Contains(m[2], "/metrics") {
		t.Fatalf("no admin listener in %s, want one and %q in it", text.String(), "/metrics")
	}
	for path := range strings.FieldsSeq(m[2]) {
		if fetch(t, m[1]+path) == "" {
			t.Errorf("%s is empty, want some text", path)
		}
	}
}

const choice = "canary-7d1f0c"

// use does a bit of everything, with canaries wherever a client has a choice.
func use(t *testing.T, a *app.App) *testkit.Stream {
	t.Helper()
	g := testkit.NewGateway(t, a.URL(), "demo-alice")
	stream := g.Stream(t, "")
	stream.ExpectType(t, "live")
	echo := g.Get(t, "/v1/buddies").List("items")[0].Str("jid")
	g.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": echo, "body": choice})
	stream.ExpectType(t, "message.sent")
	g.Call(t, http.StatusNotFound, http.MethodGet, "/v1/buddies/"+choice+"%40example.net", nil)
	g.Get(t, "/v1/vcards/"+testkit.Escape(echo))
	g.Get(t, "/v1/events?since="+choice)
	g.Call(t, http.StatusNotFound, http.MethodGet, "/"+choice, nil)
	testkit.NewGateway(t, a.URL(), choice).Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/buddies", nil)
	return stream
}

// labels are the label names of every series of the gateway, by metric; those of one
// metric are all the same.
func labels(t *testing.T, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(text) {
		m := regexp.MustCompile(`^(perch_\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})? \S+\n$`).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		var names []string
		for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(m[3], -1) {
			if l[1] != "le" {
				names = append(names, l[1])
			}
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); all[m[1]] != "" && all[m[1]] != got {
			t.Errorf("%s has the labels %q and %q, want %q or %q", m[1], all[m[1]], got, "", got)
		} else {
			all[m[1]] = got
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	a := observed(t, func(o *app.Options) { o.Labels = app.Labels{"region": "eu"} })
	use(t, a)
	text := scrape(t, a)
	want := map[string]string{
		"perch_build_info": "goversion version", "perch_sessions": "state upstream", "perch_sessions_refused_total": "limit upstream", "perch_sessions_limit": "", "perch_streams": "transport",
		"perch_events_total": "type", "perch_events_dropped_total": "reason", "perch_resumes_total": "result", "perch_reconnects_total": "reason upstream",
		"perch_http_request_duration_seconds": "code method route", "perch_xmpp_iq_duration_seconds": "kind result upstream",
		"perch_node_info": "label_region node", "perch_upstream_info": "domain profile upstream",
		"perch_upstream_sessions_limit": "upstream", "perch_upstream_logins_running": "upstream", "perch_upstream_logins_waiting": "upstream",
		"perch_redis_duration_seconds": "op result", "perch_stream_queue_frames": "",
		"perch_session_ownership_total": "change", "perch_nodes": "", "perch_node_beat_age_seconds": "", "perch_draining_seconds": "",
		"perch_store_up": "", "perch_forwarded_requests_total": "result", "perch_sessions_held_back": "", "perch_sessions_to_restore": "", "perch_outbox_messages": "",
		"perch_connections": "", "perch_connections_limit": "", "perch_connections_refused_total": "reason", "perch_log_dropped_total": "",
		"perch_rooms": "", "perch_rooms_unshared": "", "perch_room_occupants": "", "perch_room_occupants_bytes": "", "perch_room_occupants_left_out_total": "",
		"perch_room_contradictions_total": "", "perch_certificate_expiry_timestamp_seconds": "certificate upstream",
		"perch_deliveries_total": "kind result", "perch_deliveries_running": "", "perch_deliveries_waiting": "",
		"perch_uploads_total": "result", "perch_upload_bytes_total": "", "perch_mcp_calls_total": "result tool", "perch_rotation_tokens_left": "", "perch_rotation_credentials_left": "",
	}
	for name := range maps.Keys(labels(t, text)) {
		if strings.HasPrefix(name, "perch_xmpp_") && strings.HasSuffix(name, "_total") {
			want[name] = "upstream"
		}
		if name == "perch_xmpp_sign_in_failures_total" {
			want[name] = "cause upstream"
		}
	}
	if got := labels(t, text); !maps.Equal(got, want) {
		t.Errorf("metrics\n%v\nwant\n%v", got, want)
	}
	for _, line := range []string{
		`perch_build_info{goversion="go1`, `version="v9.8.7"} 1`, `perch_sessions{state="online",upstream="messenger"} 1`, `perch_sessions_refused_total{limit="login-rate",upstream="messenger"} 0`,
		`perch_node_info{label_region="eu",node="`, `perch_upstream_info{domain="messenger.`, `perch_upstream_sessions_limit{upstream="messenger"} 0`, `perch_upstream_logins_waiting{upstream="messenger"} 0`,
		`perch_reconnects_total{reason="link-lost",upstream="messenger"} 0`, `perch_streams{transport="ws"} 1`, `perch_streams{transport="sse"} 0`,
		`perch_resumes_total{result="first"} 1`, `perch_resumes_total{result="unknown"} 1`, `perch_events_total{type="message.sent"} 1`, `perch_events_dropped_total{reason="slow"} 0`,
		`perch_http_request_duration_seconds_count{code="404",method="GET",route="/v1/buddies/{jid}"} 1`, `{code="401",method="GET",route="/v1/buddies"} 1`,
		`perch_xmpp_iq_duration_seconds_count{kind="roster",result="ok",upstream="messenger"} 1`, `perch_redis_duration_seconds_count{op="commit",result="ok"}`, `perch_redis_duration_seconds_count{op="lookup",result="ok"}`,
		`perch_xmpp_sign_ins_total{upstream="messenger"} 1`, `perch_xmpp_sign_in_failures_total{cause="credentials",upstream="messenger"} 1`, `perch_xmpp_sign_in_failures_total{cause="refused",upstream="messenger"} 0`, "perch_stream_queue_frames_count",
		`perch_session_ownership_total{change="taken"} `, `perch_session_ownership_total{change="failed"} 0`, "perch_nodes ", "perch_node_beat_age_seconds 0.",
		"perch_store_up 1", "perch_sessions_held_back 0", "perch_sessions_to_restore 0", "perch_outbox_messages ", "perch_draining_seconds 0",
		"perch_connections ", `perch_certificate_expiry_timestamp_seconds{certificate="server",upstream=""} 0`, `perch_connections_refused_total{reason="total"} 0`, `perch_connections_refused_total{reason="address"} 0`, "perch_log_dropped_total 0",
		`perch_deliveries_total{kind="push",result="gone"} 0`, "perch_deliveries_running 0", "perch_deliveries_waiting 0",
		`perch_uploads_total{result="ok"} 0`, `perch_uploads_total{result="stalled"} 0`, "perch_upload_bytes_total 0",
		`perch_mcp_calls_total{result="error",tool="send_message"} 0`,
		"perch_rooms 0", "perch_rooms_unshared 0", "perch_room_occupants 0", "perch_room_occupants_left_out_total 0", "perch_room_contradictions_total 0",
		"go_goroutines ", "process_open_fds ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s, want %q in it", line, line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestMetricsHaveNoNames: neither a token nor anything of an account is ever a label.
func TestMetricsHaveNoNames(t *testing.T) {
	a := observed(t)
	use(t, a).Close()
	text := scrape(t, a)
	for _, word := range []string{choice, "demo-alice", "@", "alice"} {
		if i := strings.Index(text, word); i >= 0 {
			t.Errorf("%q is in the metrics: %.200s, want less than 0", word, text[max(0, i-100):])
		}
	}
}

func TestMetricsAreSound(t *testing.T) {
	a := observed(t)
	use(t, a)
	problems, err := promlint.New(bytes.NewBufferString(scrape(t, a))).Lint()
	if err != nil {
		t.Fatalf("Lint: got error %v, want none", err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "perch_") {
			t.Errorf("%s: got %s, want no %q at its beginning", p.Metric, p.Text, "perch_")
		}
	}
	// Everything that is counted on connections is shown.
	n := 0
	for name := range labels(t, scrape(t, a)) {
		if strings.HasPrefix(name, "perch_xmpp_") && strings.HasSuffix(name, "_total") {
			n++
		}
	}
	if fields := reflect.TypeFor[xmppconn.Counters]().NumField(); n != fields {
		t.Errorf("%d of %d counters are shown, want them equal", n, fields)
	}
}

// TestTwoAppsTwoRegistries: nothing of one is seen in the other, or in the way of it.
func TestTwoAppsTwoRegistries(t *testing.T) {
	first, second := observed(t), observed(t)
	testkit.NewGateway(t, first.URL(), "demo-alice").Get(t, "/v1/buddies")
	for a, n := range map[*app.App]int{first: 1, second: 0} {
		if want := fmt.Sprintf(`perch_sessions{state="online",upstream="messenger"} %d`, n); !strings.Contains(scrape(t, a), want) {
			t.Errorf("there is no %s, want %q in it", want, want)
		}
	}
}
