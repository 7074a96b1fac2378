package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/strictjson"
)

func TestPathJID(t *testing.T) {
	for _, tt := range []struct {
		escaped string
		want    perch.JID
		kind    perch.Kind
	}{
		{"bob@example.net", "bob@example.net", ""},
		{"bob%40example.net", "bob@example.net", ""},
		{"B%6Fb%40Example.NET", "bob@example.net", ""},
		{"icq.example.net", "icq.example.net", ""},
		{"b%C3%BCrger@example.net", "bürger@example.net", ""},
		{"a%25b@example.net", "a%b@example.net", ""}, // decoded once, never twice
		{"a%2540b.net", "a%40b.net", perch.KindJIDMalformed},
		{"bob@example.net%2Fphone", "", perch.KindJIDMalformed},
		{"%2F", "", perch.KindJIDMalformed},
		{"bob@", "", perch.KindJIDMalformed},
		{"@example.net", "", perch.KindJIDMalformed},
		{"a%20b@example.net", "", perch.KindJIDMalformed},
		{"%FF@example.net", "", perch.KindJIDMalformed},
		{"a%00@example.net", "", perch.KindJIDMalformed},
		{"a%22b@example.net", "", perch.KindJIDMalformed},
	} {
		jid, routed, err := api.PathJID(tt.escaped)
		switch {
		case !routed:
			t.Errorf("%s: not routed, want it routed", tt.escaped)
		case tt.kind != "":
			if err == nil {
				t.Errorf("%s: %q, want %s", tt.escaped, jid, tt.kind)
				continue
			}
			wantError(t, err, tt.kind, "{jid}")
		case err != nil || jid != tt.want:
			t.Errorf("%s: %q, %v; want %q", tt.escaped, jid, err, tt.want)
		}
	}
}

// FuzzJIDPath: what is between two slashes is one JID, or is refused with a pointer to it;
// and a JID that is escaped into a path comes out as what parsing it alone gives.
func FuzzJIDPath(f *testing.F) {
	for _, s := range []string{"bob@example.net", "a/b", "%", "%2F", "%2540", "bücher@example.net", "a\x00b", "..", "me", "a?b#c", "[::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, routed, err := api.PathJID(text); routed && err != nil {
			wantError(t, err, perch.KindJIDMalformed, "{jid}")
		}
		if text == "" {
			return
		}
		jid, routed, err := api.PathJID(url.PathEscape(text))
		if !routed {
			t.Fatalf("%q: an escaped segment was not routed, want it routed", text)
		}
		alone, aloneErr := perch.ParseJID(text)
		if err == nil && (aloneErr != nil || jid != alone || !jid.IsBare() || !utf8.ValidString(string(jid))) {
			t.Fatalf("%q: %q by path, %q alone (%v), want both the same bare JID", text, jid, alone, aloneErr)
		}
		if err != nil && aloneErr == nil && alone.IsBare() && strictjson.ForbiddenRune(text) == "" {
			t.Fatalf("%q: %v by path, %q alone, want the same in both", text, err, alone)
		}
	})
}

// FuzzCursor: there is one text for each key, and nothing else is a cursor.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "YQBi", api.MakeCursor("bob@example.net"), "!!", "YQBi=", "YQBj\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := api.ParseCursor(text); err != nil {
			wantError(t, err, perch.KindValidation, "?cursor")
		} else if key == "" || api.MakeCursor(key) != text {
			t.Fatalf("%q was read as %q, which is written %q, want the same text", text, key, api.MakeCursor(key))
		}
		if text == "" || !utf8.ValidString(text) || len(text) > 4000 {
			return
		}
		if key, err := api.ParseCursor(api.MakeCursor(text)); err != nil || key != text {
			t.Fatalf("the cursor of %q was read as %q, %v, want the key", text, key, err)
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	for _, tt := range []struct {
		header []string
		want   string
		ok     bool
	}{
		{nil, "", true},
		{[]string{`"abc-1"`}, "abc-1", true},
		{[]string{"abc-1"}, "abc-1", true},
		{[]string{` "abc-1" `}, "abc-1", true},
		{[]string{`"a\"b\\c"`}, `a"b\c`, true},
		{[]string{`"a b"`}, "a b", true},
		{[]string{"\"a\tb\""}, "", false},
		{[]string{`"a\nb"`}, "", false},
		{[]string{`"abc`}, "", false},
		{[]string{`"a"b"`}, "", false},
		{[]string{`"ab\"`}, "", false},
		{[]string{`""`}, "", false},
		{[]string{`"`}, "", false},
		{[]string{""}, "", false},
		{[]string{"a b"}, "", false},
		{[]string{"ü"}, "", false},
		{[]string{"a", "b"}, "", false},
	} {
		r := httptest.NewRequest("POST", "/v1/messages", nil)
		r.Header["Idempotency-Key"] = tt.header
		got, err := api.IdempotencyKey(r)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %q, %v; want %q, %v", tt.header, got, err, tt.want, tt.ok)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                  "application/json",
		"*/*":                               "application/json",
		"text/vcard":                        "text/vcard",
		"text/*":                            "text/vcard",
		"text/vcard, application/json":      "application/json",
		"text/vcard;q=0.9, */*;q=0.1":       "text/vcard",
		"application/json;q=0.1, text/*":    "text/vcard",
		"text/*, text/vcard;q=0, */*;q=0.1": "application/json",
		"image/png":                         "application/json",
		"text/vcard;q=x":                    "application/json",
		";;,,":                              "application/json",
		"TEXT/VCARD":                        "text/vcard",
		"text/vcards, */*;q=0.5":            "application/json",
		"text/vcard, */*":                   "text/vcard",
		"application/json;q=0":              "application/json",
		"application/json;q=0, */*;q=0.1":   "text/vcard",
		"text/vcard;version=4.0":            "text/vcard",
		"text/vcard;version=3.0":            "application/json",
		"text/vcard;version=3.0, text/vcard;q=0.5":   "text/vcard",
		"text/vcard;charset=utf8;q=0.9;ext=1":        "text/vcard",
		"text/vcard;q=0.5, application/json;q=0.501": "application/json",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		if got, _, _ := strings.Cut(api.Negotiate(r, "application/json", "text/vcard;version=4.0"), ";"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

// FuzzAccept holds that any header leads to one of the offers, and that a type which is
// named by itself, with a weight, is always found.
func FuzzAccept(f *testing.F) {
	for _, s := range []string{"", "*/*", "text/*;q=0.5", `a/b;c="d,e;f\"g";q=1`, ";;,,", "text/vcard;q=NaN", "*", "a/b;q=0.1;q=0.2", "\"", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{Header: http.Header{"Accept": {header}}}
		if got := api.Negotiate(r, "application/json", "text/vcard"); got != "application/json" && got != "text/vcard" {
			t.Fatalf("%q leads to %q, want one of the offers", header, got)
		}
		if strings.ContainsAny(header, "\"\\/*") {
			return
		}
		r.Header.Set("Accept", header+", Text/VCard ;Q=0.9")
		if got := api.Negotiate(r, "application/json", "text/vcard"); got != "text/vcard" {
			t.Fatalf("%q and a vCard lead to %q, want text/vcard", header, got)
		}
	})
}
