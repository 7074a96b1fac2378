package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
)

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		kind       perch.Kind
		pointer    string
	}{
		{"not JSON", `{`, perch.KindMalformedJSON, ""},
		{"empty text", ` `, perch.KindMalformedJSON, ""},
		{"not an object", `[]`, perch.KindMalformedJSON, ""},
		{"null", `null`, perch.KindMalformedJSON, ""},
		{"two objects", `{"to":"a@b"}{}`, perch.KindMalformedJSON, ""},
		{"trailing garbage", `{"to":"a@b"} x`, perch.KindMalformedJSON, ""},
		{"invalid UTF-8", "{\"body\":\"\xff\"}", perch.KindMalformedJSON, ""},
		{"overlong UTF-8", "{\"body\":\"\xc0\xaf\"}", perch.KindMalformedJSON, ""},
		{"encoded surrogate", "{\"body\":\"\xed\xa0\x80\"}", perch.KindMalformedJSON, ""},
		{"lone high surrogate", `{"body":"\ud83d"}`, perch.KindMalformedJSON, ""},
		{"lone high surrogate before an escape", `{"body":"\ud83d\n"}`, perch.KindMalformedJSON, ""},
		{"two high surrogates", `{"body":"\ud83d\ud83d"}`, perch.KindMalformedJSON, ""},
		{"lone low surrogate", `{"body":"\ude00"}`, perch.KindMalformedJSON, ""},
		{"duplicate key", `{"to":"a@b","to":"c@d"}`, perch.KindMalformedJSON, "/to"},
		{"duplicate key by escape", `{"to":"a@b","t\u006f":"c@d"}`, perch.KindMalformedJSON, "/to"},
		{"nested deeply", `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, perch.KindMalformedJSON, ""},
		{"nested beyond reason", strings.Repeat(`{"x":`, 20_000), perch.KindMalformedJSON, ""},
		{"unknown field", `{"to":"a@b","bodi":"x"}`, perch.KindValidation, "/bodi"},
		{"field in other letters", `{"To":"a@b"}`, perch.KindValidation, "/To"},
		{"pointer characters in a key", `{"a/b~c":1}`, perch.KindValidation, "/a~1b~0c"},
		{"number for a string", `{"to":1}`, perch.KindValidation, "/to"},
		{"object for a string", `{"to":{}}`, perch.KindValidation, "/to"},
		{"list for a string", `{"to":[]}`, perch.KindValidation, "/to"},
		{"null for a string", `{"to":null}`, perch.KindValidation, "/to"},
		{"true for a string", `{"to":true}`, perch.KindValidation, "/to"},
		{"NUL", `{"body":"a\u0000b"}`, perch.KindValidation, "/body"},
		{"escape", `{"body":"a\u001bb"}`, perch.KindValidation, "/body"},
		{"U+FFFE", "{\"body\":\"a\uFFFEb\"}", perch.KindValidation, "/body"},
		{"U+FFFF", `{"body":"a\uffffb"}`, perch.KindValidation, "/body"},
		{"forbidden character in a key", `{"a\u0001":1}`, perch.KindValidation, "/a\x01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := api.DecodeMessage([]byte(tt.body))
			wantError(t, err, tt.kind, tt.pointer)
		})
	}
}

func wantError(t *testing.T, err error, kind perch.Kind, pointer string) {
	t.Helper()
	p := api.ProblemOf(err)
	if err == nil || p.Code != string(kind) {
		t.Fatalf("error %v: code %q, want %q", err, p.Code, kind)
	}
	if pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != pointer) {
		t.Fatalf("errors %v, want pointer %q", p.Errors, pointer)
	}
}

func TestDecodeTakesWhatIsLegal(t *testing.T) {
	body := `{"to":"bob@example.net","body":"tab\t line\n \ud83d\ude00 \\ud800 é ` + "\u0085\uFFFD" + `","kind":"chat"}`
	m, err := api.DecodeMessage([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if want := "tab\t line\n 😀 \\ud800 é \u0085\uFFFD"; m.Body != want {
		t.Errorf("body %q, want %q", m.Body, want)
	}
}

func TestDecodeNamesListElements(t *testing.T) {
	_, err := api.DecodeBuddy([]byte(`{"jid":"a@b","groups":["x",3]}`))
	wantError(t, err, perch.KindValidation, "/groups/1")
	_, err = api.DecodeBuddy([]byte(`{"jid":"a@b","groups":"x"}`))
	wantError(t, err, perch.KindValidation, "/groups")
	_, err = api.DecodeBuddy([]byte(`{"jid":"a@b","groups":["x","y\u0007"]}`))
	wantError(t, err, perch.KindValidation, "/groups/1")
}

// Null is a field that is left out, where it may be left out.
func TestDecodeNull(t *testing.T) {
	m, err := api.DecodeMessage([]byte(`{"to":"a@b","body":"x","id":null,"kind":null,"thread":null,"subject":null}`))
	if want := (api.MessageRequest{To: "a@b", Body: "x"}); err != nil || m != want {
		t.Errorf("%+v, %v; want %+v", m, err, want)
	}
	b, err := api.DecodeBuddy([]byte(`{"jid":"a@b","account":null,"name":null,"groups":null,"message":null,"nick":null}`))
	if err != nil || b.JID != "a@b" || b.Groups != nil {
		t.Errorf("%+v, %v", b, err)
	}
	_, err = api.DecodeMessage([]byte(`{"to":"a@b","body":null}`))
	wantError(t, err, perch.KindValidation, "/body")
	_, err = api.DecodeBuddy([]byte(`{"jid":"a@b","groups":["x",null]}`))
	wantError(t, err, perch.KindValidation, "/groups/1")
	_, err = api.DecodeMessage([]byte(`{"to":"a@b","body":"x","bodi":null}`))
	wantError(t, err, perch.KindValidation, "/bodi")
}

func TestDecodeNamesTheByteOrderMark(t *testing.T) {
	for body, want := range map[string]string{
		"\uFEFF" + `{"to":"a@b","body":"x"}`: "byte order mark",
		"\uFEFF":                             "byte order mark",
		"\xFF\xFE{\x00}\x00":                 "UTF-16",
		"\xFE\xFF\x00{\x00}":                 "UTF-16",
	} {
		_, err := api.DecodeMessage([]byte(body))
		wantError(t, err, perch.KindMalformedJSON, "")
		if p := api.ProblemOf(err); !strings.Contains(p.Detail, want) {
			t.Errorf("%q: %q, want a word about %s", body, p.Detail, want)
		}
	}
	if m, err := api.DecodeMessage([]byte("{\"to\":\"a@b\",\"body\":\"\uFEFFx\"}")); err != nil || m.Body != "\uFEFFx" {
		t.Errorf("U+FEFF inside of a text: %+v, %v", m, err)
	}
}

func TestMediaTypeOfABody(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/json": true, "Application/JSON": true, "application/json;": true,
		"application/json; charset=utf-8": true, "application/json;charset=UTF-8": true, "application/json; charset=\"utf-8\"": true,
		"application/json; charset=utf8": true, "application/json; charset=UTF8": true, "application/json; Charset=\"Utf8\"": true,
		"application/json; charset=us-ascii": true, "application/json; charset='utf-8'": true,
		"application/json; charset=utf-16": false, "application/json; charset=iso-8859-1": false, "application/json; charset=\"utf-8,latin1\"": false,
		"text/plain": false, "text/json": false, "application/jsonp": false, "": false, "application/merge-patch+json": false,
	} {
		r, _ := http.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Content-Type", contentType)
		if err := api.CheckMediaType(r); (err == nil) != want {
			t.Errorf("%q: %v, want accepted %v", contentType, err, want)
		}
	}
}

func TestDecodePresence(t *testing.T) {
	for body, want := range map[string]perch.OwnPresence{
		`{}`:                  {Available: true},
		`{"show":null}`:       {Available: true},
		`{"available":false}`: {},
		`{"show":"dnd","status":"busy","priority":-128}`: {Available: true, Show: perch.ShowDND, Status: "busy", Priority: -128},
	} {
		if got, err := api.DecodePresence([]byte(body)); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", body, got, err, want)
		}
	}
	for body, pointer := range map[string]string{
		`{"priority":128}`:                  "/priority",
		`{"priority":1.5}`:                  "/priority",
		`{"priority":1e2}`:                  "/priority",
		`{"priority":"1"}`:                  "/priority",
		`{"priority":1e999}`:                "/priority",
		`{"show":""}`:                       "/show",
		`{"show":"busy"}`:                   "/show",
		`{"available":"yes"}`:               "/available",
		`{"available":false,"show":"away"}`: "/show",
	} {
		_, err := api.DecodePresence([]byte(body))
		wantError(t, err, perch.KindValidation, pointer)
	}
}

// FuzzJSONBody holds the strict decoder against encoding/json: what it accepts, the
// standard decoder reads in the same way, and nothing in it can harm an XML stream.
func FuzzJSONBody(f *testing.F) {
	for _, s := range []string{
		`{"to":"bob@example.net","body":"hi"}`, `{"to":"a@b","to":"c@d"}`, `{"body":"\ud83d\ude00"}`, `{"body":"\ud83d"}`,
		`{"TO":"x"}`, `{"body":"\u0000"}`, `{} {}`, `{"body":null}`, "{\"body\":\"\xff\"}", `{"body":"\\ud83d"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := api.DecodeMessage(body)
		if err != nil {
			if k := perch.KindOf(err); k != perch.KindMalformedJSON && k != perch.KindValidation {
				t.Fatalf("kind %q for %q", k, body)
			}
			return
		}
		var want api.MessageRequest
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil || got != want {
			t.Fatalf("%q: %+v, encoding/json %+v, %v", body, got, want, err)
		}
		for _, s := range []string{got.To, got.Body, got.Subject, got.Thread, got.ID, got.Kind} {
			if !utf8.ValidString(s) || api.ForbiddenRune(s) != "" {
				t.Fatalf("%q let %q pass", body, s)
			}
			if strings.ContainsRune(s, utf8.RuneError) && !bytes.Contains(body, []byte("\uFFFD")) && !bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`)) {
				t.Fatalf("%q was changed into %q", body, s)
			}
		}
	})
}
