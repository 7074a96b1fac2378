package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perch-im/perch/app"
)

// TestPrintable: what a terminal shows is left as it is, and nothing else gets to it.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"alice@example.net":          "alice@example.net",
		"größer, Боб 🎣 e\u0301":      "größer, Боб 🎣 e\u0301",
		"\x1b[2J\x1b]0;title\a":      `\x1b[2J\x1b]0;title\x07`,
		"one\nNODE  up\ttwo\rthree":  `one\x0aNODE  up\x09two\x0dthree`,
		"\u009b2J\u0085\x7f":         `\u009b2J\u0085\x7f`,
		"a\u202egnp.exe\u200b\ufeff": `a\u202egnp.exe\u200b\ufeff`,
		"\u2028\u00a0":               `\u2028\u00a0`,
		"\xff\xc3(":                  `\xff\xc3(`,
		"\U000e0041":                 `\U000e0041`,
		"\ufffd":                     "\ufffd",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[0m\u009b\xff\u202e")
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text)
		if !utf8.ValidString(got) || strings.IndexFunc(got, hidden) >= 0 || printable(got) != got {
			t.Errorf("%q: got %q, want what a terminal shows, and nothing to change in it", text, got)
		}
	})
}

// TestTablesArePrintable: texts of servers, of users and of whatever answers come to a terminal in no
// other form, in tables, below them, and in errors.
func TestTablesArePrintable(t *testing.T) {
	const evil = `\u001b]52;c;x\u0007\u009b31m\nNODE\tup`
	answers := map[string]string{
		"/admin/v1/sessions":                `{"items":[{"id":"` + evil + `","jid":"` + evil + `","upstream":"` + evil + `","node":"` + evil + `","state":"` + evil + `","reason":"` + evil + `","cause":"` + evil + `"}],"unreachable":[{"node":"` + evil + `","detail":"` + evil + `"}]}`,
		"/admin/v1/sessions/63d2ae23":       `{"id":"` + evil + `","jid":"` + evil + `","detail":"` + evil + `","features":["` + evil + `"],"log":{"epoch":"` + evil + `"},"open_streams":[{"transport":"` + evil + `"}],"tokens":[{"id":"` + evil + `","kind":"` + evil + `"}]}`,
		"/admin/v1/nodes":                   `{"items":[{"id":"` + evil + `","state":"` + evil + `","detail":"` + evil + `"},{"id":"` + evil + `","state":"` + evil + `","version":"` + evil + `"}]}`,
		"/admin/v1/nodes/a/drain":           `{"id":"` + evil + `","name":"` + evil + `","state":"draining"}`,
		"/admin/v1/upstreams":               `{"items":[{"name":"` + evil + `","domain":"` + evil + `","failures":[{"cause":"` + evil + `","count":1}],"last_failure":{"target":"` + evil + `","error":"` + evil + `","advice":"` + evil + `"},"sessions":{"` + evil + `":1}}],"unreachable":[{"node":"` + evil + `","detail":"` + evil + `"}]}`,
		"/admin/v1/log-level":               `{"items":[{"node":"` + evil + `","level":"` + evil + `"}],"unreachable":[{"node":"` + evil + `","detail":"` + evil + `"}]}`,
		"/admin/v1/sessions/00000000":       `refused`,
		"/admin/v1/sessions/11111111":       `status line`,
		"/admin/v1/sessions/63d2ae23/evict": `{}`,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[r.URL.Path]
		switch answer {
		case "refused":
			w.WriteHeader(http.StatusConflict)
			answer = `{"code":"conflict","detail":"` + evil + `"}`
		case "status line":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Errorf("Hijack: got error %v, want none", err)
				return
			}
			defer conn.Close()
			_, _ = conn.Write([]byte("HTTP/1.1 500 \x1b]52;c;x\a\u009b31m\r\nContent-Length: 0\r\n\r\n"))
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer srv.Close()
	for _, command := range []string{"sessions", "session 63d2ae23", "session 00000000", "session 11111111", "nodes", "drain a", "drain a --undo", "drain a --no-wait", "upstreams", "log-level"} {
		text, err := admin(t, srv.URL, strings.Fields(command)...)
		if err != nil {
			text += err.Error()
		}
		for line := range strings.Lines(text) {
			if at := strings.IndexFunc(strings.TrimSuffix(line, "\n"), hidden); at >= 0 || strings.HasPrefix(line, "NODE\tup") {
				t.Errorf("%s: got the line %q, want every character of it written out that is not shown", command, line)
			}
		}
		if !strings.Contains(text, `\x1b]52;c;x\x07`) {
			t.Errorf("%s: got %q, want what was sent in it, written out", command, text)
		}
	}
	var b strings.Builder
	if err := printFindings(&b, []app.Finding{{Name: "x", Detail: "\x1b[2J", Advice: "\u009b"}}); err != nil || strings.ContainsAny(b.String(), "\x1b\u009b") {
		t.Errorf("printFindings: got %q, error %v, want it written out", b.String(), errors.Unwrap(err))
	}
}
