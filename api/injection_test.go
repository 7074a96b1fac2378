package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// evil would begin a header, a body, an SSE event and a line of the log, if it got into one
// as it is.
const evil = "x\r\nInjected: 1\r\n\r\nevent: injected\rdata: {}\n\n\x1b[31m\u2028level=ERROR msg=injected"

// controls are the characters that must not be in a header or a line of a log.
var controls = regexp.MustCompile(`[\x00-\x08\x0A-\x1F\x7F]`)

// TestControlCharactersAreContained sends control characters in everything that a
// client can send, past the checks of net/http, and in everything that the upstream answers.
func TestControlCharactersAreContained(t *testing.T) {
	for name, handler := range map[string]func(*lockedBuffer, *slog.HandlerOptions) slog.Handler{
		"JSON log": func(b *lockedBuffer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(b, o) },
		"text log": func(b *lockedBuffer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(b, o) },
	} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			f := newGateway(t, func(o *gatewayOptions) {
				o.Logger = canary.Logger(handler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				o.Origins = []string{"https://chat.example"}
			})
			f.signIn()
			f.up.Edit(func(d *fakexmpp.Data) {
				d.Archive = perch.ArchivePage{First: evil, Last: evil, Items: []perch.ArchiveItem{}}
				d.Cards["bob@example.net"] = perch.VCard{JID: "bob@example.net", FullName: evil, Nickname: evil, URL: evil, Photo: &perch.Photo{Type: evil, Data: pngOf(t, 1, 1)}}
				d.Refuse = func(method string) error {
					if method != "SetVCard" {
						return nil
					}
					return &perch.Error{Kind: perch.KindXMPP, Detail: evil, XMPP: &perch.XMPPError{Condition: evil, Text: evil, By: evil}}
				}
			})
			for _, d := range injectionCases() {
				w := httptest.NewRecorder()
				r := httptest.NewRequest("GET", "/", strings.NewReader(d.body))
				r.Method, r.URL, r.RequestURI = d.method, d.url, d.url.RequestURI()
				r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
				for k, v := range d.header {
					r.Header[k] = []string{v}
				}
				f.api.Handler().ServeHTTP(w, r.WithContext(f.ctx))
				for k, values := range w.Header() {
					for _, v := range values {
						if controls.MatchString(v) || k == "Injected" {
							t.Errorf("%s: header %s is %q, want no control character", d.name, k, v)
						}
					}
				}
				if ct := w.Header().Get("Content-Type"); strings.Contains(ct, "json") && !json.Valid(w.Body.Bytes()) {
					t.Errorf("%s: no JSON: %q, want JSON", d.name, w.Body)
				} else if strings.HasPrefix(ct, "text/vcard") && strings.Contains(w.Body.String(), "\nInjected") {
					t.Errorf("%s: a line of its own: %q, want one line", d.name, w.Body)
				}
			}
			for line := range bytes.SplitSeq([]byte(strings.TrimSuffix(log.String(), "\n")), []byte("\n")) {
				if controls.Match(line) || !bytes.HasPrefix(line, []byte(`{"time":`)) && !bytes.HasPrefix(line, []byte("time=")) {
					t.Errorf("a line of the log is %q, want one record without control characters", line)
				}
			}
		})
	}
}

type injectionCase struct {
	name, method, body string
	url                *url.URL
	header             map[string]string
}

func injectionCases() (doors []injectionCase) {
	plain := func(path string) *url.URL { return &url.URL{Path: path} }
	for _, h := range []string{
		"X-Request-Id", "Origin", "Accept", "Authorization", "Last-Event-Id", "Idempotency-Key", "If-None-Match", "Content-Type",
		"Content-Encoding", "Traceparent", "X-Forwarded-For", "Perch-Hop", "Access-Control-Request-Headers", "User-Agent", "Host",
		"Sec-Websocket-Protocol", "Sec-Websocket-Key", "Upgrade",
	} {
		header := map[string]string{h: evil}
		doors = append(doors,
			injectionCase{"header " + h, "GET", "", plain("/v1/buddies"), header},
			injectionCase{"header " + h + " of a message", "POST", `{"to":"bob@example.net","body":"x"}`, plain("/v1/messages"), header},
			injectionCase{"header " + h + " of a socket", "GET", "", plain("/v1/events/ws"), header})
		preflight := map[string]string{"Origin": "https://chat.example", "Access-Control-Request-Method": "GET"}
		preflight[h] = evil
		doors = append(doors, injectionCase{"header " + h + " of a preflight", "OPTIONS", "", plain("/v1/events"), preflight})
	}
	for _, path := range []string{
		"/" + evil, "/v1/" + evil, "//" + evil, "/problems/" + evil, "/v1/buddies/" + evil, "/v1/messages/" + evil,
		"/v1/vcards/" + evil, "/v1/vcards/" + evil + "/photo", "/v1/presence/" + evil, "/docs/" + evil,
		"/v1/conversations/" + evil, "/v1/conversations/bob@example.net/messages/" + evil, "/v1/conversations/" + evil + "/messages",
	} {
		doors = append(doors, injectionCase{"path " + path, "GET", "", plain(path), nil})
	}
	for _, query := range []string{"q=", "group=", "cursor=", "limit=", "include="} {
		doors = append(doors, injectionCase{"query " + query, "GET", "", &url.URL{Path: "/v1/buddies", RawQuery: query + url.QueryEscape(evil)}, nil})
	}
	for _, query := range []string{"around=", "before=", "after=", "start=", "q="} {
		doors = append(doors, injectionCase{"query " + query, "GET", "", &url.URL{Path: "/v1/conversations/bob@example.net/messages", RawQuery: query + url.QueryEscape(evil)}, nil})
	}
	for _, query := range []string{"since=", "types=", "conversations=", "wait=", "lastEventId=", url.QueryEscape(evil) + "="} {
		doors = append(doors, injectionCase{"query " + query, "GET", "", &url.URL{Path: "/v1/events", RawQuery: query + url.QueryEscape(evil)},
			map[string]string{"Accept": "application/json"}})
	}
	text, _ := json.Marshal(evil)
	for _, body := range []struct{ method, path, body string }{
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":"x","id":E}`},
		{"POST", "/v1/messages", `{"to":E,"body":"x"}`},
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":"x","subject":E,"thread":E}`},
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":"x",E:1}`},
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":"x","reply_to":{"ref":E},"payloads":[E]}`},
		{"POST", "/v1/messages", `{"to":"bob@example.net","body":"x","attachments":[{"url":E,"name":E}],"spoiler":{"hint":E}}`},
		{"PATCH", "/v1/conversations/bob@example.net", `{"draft":E,"notify":E}`},
		{"PUT", "/v1/conversations/bob@example.net/read", `{"ref":E}`},
		{"PUT", "/v1/conversations/bob@example.net/messages/obTE/reactions", `{"emojis":[E]}`},
		{"POST", "/v1/buddies", `{"jid":E}`},
		{"POST", "/v1/buddies", `{"account":E}`},
		{"POST", "/v1/session", `{"jid":E,"password":E,"upstream":E,"mechanism":E,"resource":E}`},
		{"PUT", "/v1/presence/me", `{"status":E,"show":E}`},
		{"PUT", "/v1/vcards/me", `{"full_name":"x"}`}, // the upstream refuses it with evil words
		{"PUT", "/v1/vcards/me", `{"full_name":E}`},
		{"PUT", "/v1/chat-states/bob@example.net", `{"state":E}`},
	} {
		doors = append(doors, injectionCase{"body " + body.body, body.method, strings.ReplaceAll(body.body, "E", string(text)), plain(body.path), nil})
	}
	doors = append(doors,
		injectionCase{"cursors of the archive", "GET", "", &url.URL{Path: "/v1/archive", RawQuery: "with=bob%40example.net"}, nil},
		injectionCase{"a vCard", "GET", "", plain("/v1/vcards/bob@example.net"), map[string]string{"Accept": "text/vcard"}},
		injectionCase{"a photo", "GET", "", plain("/v1/vcards/bob@example.net/photo"), nil},
		injectionCase{"a method", "X" + evil, "", plain("/v1/buddies"), nil})
	return doors
}

// TestFramesAreLines: whatever a message holds, a frame of SSE or NDJSON is one line of data.
func TestFramesAreLines(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: "bob@example.net", Name: evil, Groups: []string{evil}, Subscription: perch.SubscriptionBoth}})
	conn.Deliver(&perch.PresenceIn{From: perch.JID("bob@example.net/" + evil), Available: true, Status: evil})
	for range 2 {
		conn.Deliver(&perch.MessageIn{Message: perch.Message{
			ID: evil, From: perch.JID("bob@example.net/" + evil), To: "alice@example.net", Kind: perch.ChatMessage, Body: evil, Subject: evil, Thread: evil,
		}})
	}
	conn.Deliver(&perch.MessageIn{Message: perch.Message{ID: "end", From: "bob@example.net", To: "alice@example.net", Kind: perch.ChatMessage, Body: "the end"}})
	for media, line := range map[string]*regexp.Regexp{
		"text/event-stream":    regexp.MustCompile(`^(retry: \d+|id: [!-~]+|data: \{.*\}|)$`),
		"application/x-ndjson": regexp.MustCompile(`^\{.*\}$`),
	} {
		req, err := http.NewRequestWithContext(f.ctx, "GET", f.url+"/v1/events?since=0-0", nil)
		if err != nil {
			t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + token}, "Accept": {media}}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatalf("http.DefaultTransport.RoundTrip: got error %v, want none", err)
		}
		guard := time.AfterFunc(20*time.Second, func() { resp.Body.Close() })
		lines := bufio.NewReader(resp.Body)
		for seen := false; !seen; {
			raw, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("%s: %v, want none", media, err)
			}
			text := strings.TrimSuffix(raw, "\n")
			if !line.MatchString(text) || controls.MatchString(text) {
				t.Errorf("%s: the line %q, want one frame without control characters", media, text)
			}
			seen = strings.Contains(text, `"type":"live"`)
		}
		guard.Stop()
		resp.Body.Close()
	}
}
