package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/contract"
)

// complaints is a TB that remembers what was wrong.
type complaints struct{ all []string }

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

func (c *complaints) want(t *testing.T, text string) {
	t.Helper()
	got := strings.Join(c.all, "\n")
	if (text == "") != (got == "") || !strings.Contains(got, text) {
		t.Errorf("complaints %q, want one with %q", got, text)
	}
}

const problem = `{"type":"/problems/not-found","title":"Not found","status":404,"code":"not-found"}`

// exchange is a request, and how a gateway answers it.
type exchange struct {
	name          string
	method, path  string
	send          string
	status        int
	media, answer string
	without       string // a header that is always there otherwise
	tag           string // ETag; "" is none
	complaint     string
}

var exchanges = []exchange{
	{name: "as described", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json", answer: `{"account":"a@b","jid":"a@c"}`},
	{name: "charset", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json; charset=utf-8", answer: `{"account":"a@b","jid":"a@c"}`},
	{name: "field missing", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json", answer: `{"account":"a@b"}`, complaint: "jid"},
	{name: "field too many", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json", answer: `{"account":"a@b","jid":"a@c","x":1}`, complaint: "x"},
	{name: "wrong type", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json", answer: `{"account":"a@b","jid":null}`, complaint: "jid"},
	{name: "wrong media type", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "text/plain", answer: `x`, complaint: "text/plain"},
	{name: "unknown status", method: "GET", path: "/v1/jids?account=a%40b", status: 418, media: "application/problem+json", answer: problem, complaint: "no such status"},
	{name: "header missing", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json", answer: `{"account":"a@b","jid":"a@c"}`, without: "X-Request-Id", complaint: "X-Request-Id"},
	{name: "parameter missing, accepted", method: "GET", path: "/v1/jids", status: 200, media: "application/json", answer: `{"account":"a@b","jid":"a@c"}`, complaint: "it was accepted"},
	{name: "parameter missing, refused", method: "GET", path: "/v1/jids", status: 404, media: "application/problem+json", answer: problem},
	{name: "refused without a hint when to retry", method: "GET", path: "/v1/jids", status: 503, media: "application/problem+json", answer: problem, complaint: "Retry-After"},
	{name: "refused without a challenge", method: "GET", path: "/v1/jids", status: 401, media: "application/problem+json", answer: problem, complaint: "WWW-Authenticate"},
	{name: "refused as plain JSON", method: "GET", path: "/v1/jids", status: 404, media: "application/json", answer: problem, complaint: "application/json"},
	{name: "unknown code", method: "GET", path: "/v1/jids", status: 404, media: "application/problem+json", answer: strings.Replace(problem, `"not-found"`, `"gone-fishing"`, 1), complaint: "value must be one of"},
	{name: "body as described", method: "PUT", path: "/v1/chat-states/a%40b", send: `{"state":"gone"}`, status: 204},
	{name: "unknown field accepted", method: "PUT", path: "/v1/chat-states/a%40b", send: `{"state":"gone","x":1}`, status: 204, complaint: "it was accepted"},
	{name: "not modified", method: "GET", path: "/v1/presence", status: 304, tag: `"x"`},
	{name: "not modified, without its tag", method: "GET", path: "/v1/presence", status: 304, complaint: "ETag"},
	{name: "a tag that is not described", method: "GET", path: "/v1/jids?account=a%40b", status: 200, media: "application/json", answer: `{"account":"a@b","jid":"a@c"}`, tag: `"x"`, complaint: "ETag, which is not described"},
	{name: "no operation, refused", method: "GET", path: "/v1/nowhere", status: 404, media: "application/problem+json", answer: problem},
	{name: "no operation, answered", method: "GET", path: "/v1/nowhere", status: 200, media: "application/json", answer: "{}", complaint: "no operation"},
	{name: "page", method: "GET", path: "/docs", status: 200, media: "text/html", answer: "<p>"},
	{name: "poll", method: "GET", path: "/v1/events", status: 200, media: "application/json", answer: `{"events":[` + removed + `],"next":"e-1","reset":null}`},
	{name: "poll with a wrong event", method: "GET", path: "/v1/events", status: 200, media: "application/json", answer: `{"events":[` + live + `],"next":"e-1","reset":null}`, complaint: "live"},
	{name: "lines", method: "GET", path: "/v1/events", status: 200, media: "application/x-ndjson", answer: removed + "\n"},
	{name: "half a line", method: "GET", path: "/v1/events", status: 200, media: "application/x-ndjson", answer: removed, complaint: "middle"},
	{name: "wrong line", method: "GET", path: "/v1/events", status: 200, media: "application/x-ndjson", answer: removed + "\n" + live + "\n", complaint: "live"},
	{name: "server-sent events", method: "GET", path: "/v1/events", status: 200, media: "text/event-stream", answer: "retry: 1\n\nid: e-1\ndata: " + removed + "\n\n"},
	{name: "wrong server-sent event", method: "GET", path: "/v1/events", status: 200, media: "text/event-stream", answer: "data: " + live + "\n\n", complaint: "live"},
}

const (
	removed = `{"id":"e-1","type":"roster.removed","time":"2026-01-31T12:00:00.000Z","data":{"jid":"a@b"}}`
	live    = `{"type":"live","time":"2026-01-31T12:00:00.000Z","data":{}}` // lacks its tip
)

func TestTransport(t *testing.T) {
	for _, e := range exchanges {
		t.Run(e.name, func(t *testing.T) {
			c := &complaints{}
			e.run(t, c)
			c.want(t, e.complaint)
		})
	}
}

func (e exchange) run(t *testing.T, c *complaints) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, value := range map[string]string{
			"X-Request-Id": "12345678", "RateLimit": `"address";r=1;t=1`, "RateLimit-Policy": `"address";q=1;w=1`,
		} {
			if name != e.without {
				h.Set(name, value)
			}
		}
		if e.media != "" {
			h.Set("Content-Type", e.media)
		}
		if e.tag != "" {
			h.Set("ETag", e.tag)
		}
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, e.answer)
	}))
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), e.method, srv.URL+e.path, strings.NewReader(e.send))
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	if e.send != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Transport: contract.Transport(c, http.DefaultTransport)}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("client.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != e.answer {
		t.Errorf("the client reads %q, %v, want no error and %q", got, err, e.answer)
	}
}

func TestFrame(t *testing.T) {
	const at = `"time":"2026-01-31T12:00:00.000Z"`
	for _, f := range []struct{ frame, complaint string }{
		{removed, ""},
		{strings.Replace(removed, `"id":"e-1",`, "", 1), "id"},
		{strings.Replace(removed, `"e-1"`, `"1"`, 1), "pattern"},
		{strings.Replace(removed, ".000Z", "Z", 1), "time"},
		{strings.Replace(removed, `"data"`, `"x":1,"data"`, 1), "additional"},
		{`{"type":"nonsense",` + at + `,"data":{}}`, "nonsense"},
		{`{"type":"live",` + at + `,"data":{"tip":"e-0"}}`, ""},
		{live, "tip"},
		{`{"type":"reply","ref":"c1",` + at + `,"status":204,"data":{}}`, ""},
		{`{"type":"reply","ref":"c1",` + at + `,"status":500,"data":{}}`, "status"},
		{`{"type":"error",` + at + `,"error":` + problem + `,"close":{"code":4103,"reason":"slow"}}`, ""},
		{`{"type":"error",` + at + `,"error":{}}`, "error"},
		{`{"id":"c1","type":"ping"}`, ""},
		{`{"id":"c1","type":"message.send","data":{"to":"a@b","body":"x"}}`, ""},
		{`{"id":"c1","type":"message.send","data":{"to":"a@b","boddy":"x"}}`, "boddy"},
		{`half`, "no JSON"},
	} {
		c := &complaints{}
		contract.Frame(c, []byte(f.frame))
		c.want(t, f.complaint)
	}
}

// TestEveryEventIsDescribed reads the types from their source.
func TestEveryEventIsDescribed(t *testing.T) {
	source, err := os.ReadFile("../../event.go")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	types := regexp.MustCompile(`EventType = "([a-z._]+)"`).FindAllSubmatch(source, -1)
	if len(types) < 20 {
		t.Fatalf("only %d types were found: this test looks in the wrong place, want at least 20", len(types))
	}
	for _, typ := range types {
		c := &complaints{}
		contract.Frame(c, []byte(`{"type":"`+string(typ[1])+`"}`))
		if len(c.all) != 1 || strings.Contains(c.all[0], "no frame of the type") {
			t.Errorf("%s: got %q, want 1 and no %q in it", typ[1], c.all, "no frame of the type")
		}
	}
}

// TestCommandsAndEventsOfOneName are told apart: what the gateway sends has a time.
func TestCommandsAndEventsOfOneName(t *testing.T) {
	for frame, complaint := range map[string]string{
		`{"type":"conversation.read","data":{"conversation":"a@b","ref":"ibTE"}}`:                                                            "",
		`{"type":"conversation.read","data":{"jid":"a@b","read":null}}`:                                                                      "not as in asyncapi.yaml",
		`{"id":"e-1","type":"conversation.read","time":"2026-01-31T12:00:00.000Z","data":{"jid":"a@b","read":null,"unread":0,"mentions":0}}`: "",
		`{"id":"e-1","type":"conversation.read","time":"2026-01-31T12:00:00.000Z","data":{"conversation":"a@b","ref":"ibTE"}}`:               "not as in asyncapi.yaml",
	} {
		c := &complaints{}
		contract.Frame(c, []byte(frame))
		c.want(t, complaint)
	}
}
