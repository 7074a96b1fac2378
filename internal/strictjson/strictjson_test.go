package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
)

// message and contact are as the requests of the API are.
type (
	message struct {
		ID   string `json:"id"`
		To   string `json:"to" need:"yes"`
		Body string `json:"body" need:"yes"`
		Kind string `json:"kind"`
	}
	contact struct {
		JID      string   `json:"jid"`
		Name     *string  `json:"name"`
		Groups   []string `json:"groups"`
		Mutual   *bool    `json:"mutual"`
		Photo    photo    `json:"photo"`
		Priority int8     `json:"priority"`
		Ratio    float64  `json:"ratio"`
		Untagged string
		Hidden   string `json:"-"`
	}
	photo struct {
		Data []byte `json:"data"`
	}
	envelope struct {
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	addressed struct {
		message
		Urgent bool `json:"urgent"`
		*photo
	}
)

// decode reads a body into a T.
func decode[T any](body string) (v T, err error) {
	err = strictjson.Decode([]byte(body), &v)
	return v, err
}

// refuses checks that a body is refused as a T, with a kind and, unless it is "", a pointer.
func refuses[T any](t *testing.T, body string, kind perch.Kind, pointer string) *perch.Error {
	t.Helper()
	_, err := decode[T](body)
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.Kind != kind {
		t.Fatalf("Decode(%.60q) = %v, want an error of kind %q", body, err, kind)
	}
	if pointer != "" && (len(e.Fields) == 0 || e.Fields[0].Pointer != pointer) {
		t.Fatalf("Decode(%.60q) names the fields %v, want %q first", body, e.Fields, pointer)
	}
	return e
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		kind       perch.Kind
		pointer    string
	}{
		{"nothing", ``, perch.KindMalformedJSON, ""},
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
		t.Run(tt.name, func(t *testing.T) { refuses[message](t, tt.body, tt.kind, tt.pointer) })
	}
}

// TestDecodeNamesInnerFields: lists and objects inside of the body have pointers, too.
func TestDecodeNamesInnerFields(t *testing.T) {
	for body, pointer := range map[string]string{
		`{"jid":"a@b","groups":["x",3]}`:         "/groups/1",
		`{"jid":"a@b","groups":["x",null]}`:      "/groups/1",
		`{"jid":"a@b","groups":"x"}`:             "/groups",
		`{"jid":"a@b","groups":["x","y\u0007"]}`: "/groups/1",
		`{"photo":{"date":""}}`:                  "/photo/date",
		`{"photo":"x"}`:                          "/photo",
		`{"photo":{"data":1}}`:                   "/photo/data",
		`{"photo":{"data":[1]}}`:                 "/photo/data",
		`{"priority":128}`:                       "/priority",
		`{"priority":1.5}`:                       "/priority",
		`{"priority":1e999}`:                     "/priority",
		`{"ratio":"x"}`:                          "/ratio",
		`{"mutual":1}`:                           "/mutual",
		`{"Untagged":"x"}`:                       "/Untagged",
		`{"Hidden":"x"}`:                         "/Hidden",
		`{"-":"x"}`:                              "/-",
	} {
		refuses[contact](t, body, perch.KindValidation, pointer)
	}
}

// TestDecodeRefusesWhatDoesNotFit: these are found by encoding/json itself.
func TestDecodeRefusesWhatDoesNotFit(t *testing.T) {
	refuses[contact](t, `{"photo":{"data":"%"}}`, perch.KindValidation, "")
	refuses[contact](t, `{"ratio":1e999}`, perch.KindValidation, "/ratio")
}

// TestDuplicateKeyText: the client is told what is wrong, in the whole and at the field.
func TestDuplicateKeyText(t *testing.T) {
	e := refuses[message](t, `{"body":"x","body":"y"}`, perch.KindMalformedJSON, "/body")
	if e.Detail != "/body: duplicate key" || e.Fields[0].Detail != "duplicate key" {
		t.Errorf("Decode: details %q and %q, want %q and %q", e.Detail, e.Fields[0].Detail, "/body: duplicate key", "duplicate key")
	}
}

func TestDecodeTakesWhatIsLegal(t *testing.T) {
	body := `{"to":"bob@example.net","body":"tab\t line\n \ud83d\ude00 \\ud800 é ` + "\u0085\uFFFD" + `","kind":"chat"}`
	want := message{To: "bob@example.net", Body: "tab\t line\n 😀 \\ud800 é \u0085\uFFFD", Kind: "chat"}
	if got, err := decode[message](body); err != nil || got != want {
		t.Errorf("Decode(%q) = %+v, %v, want %+v", body, got, err, want)
	}
}

// TestDecodeNull: null is a field that is left out, where it may be left out.
func TestDecodeNull(t *testing.T) {
	got, err := decode[message](`{"to":"a@b","body":"x","id":null,"kind":null}`)
	if want := (message{To: "a@b", Body: "x"}); err != nil || got != want {
		t.Errorf("Decode of nulls = %+v, %v, want %+v", got, err, want)
	}
	c, err := decode[contact](`{"jid":"a@b","name":null,"groups":null,"mutual":null,"photo":null,"priority":null}`)
	if want := (contact{JID: "a@b"}); err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("Decode of nulls = %+v, %v, want %+v", c, err, want)
	}
	refuses[message](t, `{"to":"a@b","body":null}`, perch.KindValidation, "/body")
	refuses[message](t, `{"to":"a@b","body":"x","bodi":null}`, perch.KindValidation, "/bodi")
}

// TestDecodeTakesRawAsItIs: what is inside is for another call.
func TestDecodeTakesRawAsItIs(t *testing.T) {
	data := `{ "a":1, "a":"\u0000" }`
	got, err := decode[envelope](`{"type":"x","data":` + data + `}`)
	if err != nil || string(got.Data) != data {
		t.Errorf("Decode of raw data = %q, %v, want %q", got.Data, err, data)
	}
	refuses[message](t, string(got.Data), perch.KindMalformedJSON, "/a")
}

func TestDecodeNamesTheByteOrderMark(t *testing.T) {
	for body, want := range map[string]string{
		"\uFEFF" + `{"to":"a@b","body":"x"}`: "byte order mark",
		"\uFEFF":                             "byte order mark",
		"\xFF\xFE{\x00}\x00":                 "UTF-16",
		"\xFE\xFF\x00{\x00}":                 "UTF-16",
	} {
		if e := refuses[message](t, body, perch.KindMalformedJSON, ""); !strings.Contains(e.Detail, want) {
			t.Errorf("Decode(%q): detail %q, want %q in it", body, e.Detail, want)
		}
	}
	if got, err := decode[message]("{\"to\":\"a@b\",\"body\":\"\uFEFFx\"}"); err != nil || got.Body != "\uFEFFx" {
		t.Errorf("Decode of U+FEFF inside of a text = %+v, %v, want it in the body", got, err)
	}
}

// TestLimits uses each limit up to its edge, and once more: 16 levels, 256 entries of a list,
// ten mistakes that are named.
func TestLimits(t *testing.T) {
	for levels, want := range map[int]perch.Kind{16: perch.KindValidation, 17: perch.KindMalformedJSON} {
		refuses[message](t, `{"x":`+strings.Repeat("[", levels-1)+strings.Repeat("]", levels-1)+`}`, want, "")
	}
	for entries, taken := range map[int]bool{256: true, 257: false} {
		body := `{"jid":"bob@example.net","groups":["g"` + strings.Repeat(`,"g"`, entries-1) + `]}`
		if _, err := decode[contact](body); (err == nil) != taken {
			t.Errorf("Decode of a list of %d entries = %v, want it taken: %v", entries, err, taken)
		}
	}
	for _, mistakes := range []int{9, 10, 11, 1000} {
		var b strings.Builder
		for i := range mistakes {
			fmt.Fprintf(&b, `,"x%d":1`, i)
		}
		e := refuses[message](t, "{"+b.String()[1:]+"}", perch.KindValidation, "/x0")
		if len(e.Fields) != min(mistakes, 10) {
			t.Errorf("Decode of %d mistakes names %d, want %d", mistakes, len(e.Fields), min(mistakes, 10))
		}
	}
}

func TestEscapePointer(t *testing.T) {
	for key, want := range map[string]string{
		"to": "to", "a/b~c": "a~1b~0c", "": "", strings.Repeat("k", 64): strings.Repeat("k", 64),
		strings.Repeat("k", 65):       strings.Repeat("k", 64) + "...",
		strings.Repeat("k", 63) + "ä": strings.Repeat("k", 63) + "...",
	} {
		if got := strictjson.EscapePointer(key); got != want {
			t.Errorf("EscapePointer(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestForbiddenRune(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "tab\t line\r\n": "", "a\u007f\u0085\uFFFD😀": "",
		"a\x00": "U+0000", "\x1b[0m": "U+001B", "\uFFFE": "U+FFFE", "ok\uFFFF": "U+FFFF", "\x01\x02": "U+0001",
	} {
		if got := strictjson.ForbiddenRune(text); got != want {
			t.Errorf("ForbiddenRune(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestDecodeEmbedded: the fields of a struct that is embedded as a value are those of the object, as in
// encoding/json, and are checked as strictly.
func TestDecodeEmbedded(t *testing.T) {
	m, err := decode[addressed](`{"to":"a@b","urgent":true,"body":"x"}`)
	if err != nil || m.To != "a@b" || !m.Urgent || m.Body != "x" {
		t.Errorf("Decode = %+v, %v, want all three fields", m, err)
	}
	refuses[addressed](t, `{"message":{"to":"a@b"}}`, perch.KindValidation, "/message")
	refuses[addressed](t, `{"to":7}`, perch.KindValidation, "/to")
	refuses[addressed](t, `{"body":null}`, perch.KindValidation, "/body")
	refuses[addressed](t, `{"urgent":1}`, perch.KindValidation, "/urgent")
	refuses[addressed](t, `{"data":"AA=="}`, perch.KindValidation, "/data") // of a pointer
}

type settings struct {
	Fields map[string][]string `json:"fields"`
}

// TestDecodeMap: an object whose names are the client's own is checked as any other value is.
func TestDecodeMap(t *testing.T) {
	v, err := decode[settings](`{"fields":{"a/b":["x","y"],"":[]}}`)
	if err != nil || len(v.Fields) != 2 || len(v.Fields["a/b"]) != 2 {
		t.Errorf("got %+v, %v; want both fields", v, err)
	}
	for body, pointer := range map[string]string{
		`{"fields":[]}`:                "/fields",
		`{"fields":"x"}`:               "/fields",
		`{"fields":{"a/b":"x"}}`:       "/fields/a~1b",
		`{"fields":{"a":null}}`:        "/fields/a",
		`{"fields":{"a":["x",1]}}`:     "/fields/a/1",
		`{"fields":{"a":{"b":1}}}`:     "/fields/a",
		`{"fields":{"a\u0001":["x"]}}`: "/fields/a\x01",
	} {
		refuses[settings](t, body, perch.KindValidation, pointer)
	}
	refuses[settings](t, `{"fields":{"a":[],"a":[]}}`, perch.KindMalformedJSON, "/fields/a")
	for n, taken := range map[int]bool{256: true, 257: false} {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"f%d":[]`, i))
		}
		if _, err := decode[settings](`{"fields":{` + strings.Join(members, ",") + `}}`); (err == nil) != taken {
			t.Errorf("of %d members: got %v, want them taken %v", n, err, taken)
		}
	}
}
