package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/strictjson"
)

// FuzzDecode holds Decode against encoding/json: what it accepts, the standard decoder reads in
// the same way, and nothing in it can harm an XML stream.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"to":"bob@example.net","body":"hi"}`, `{"to":"a@b","to":"c@d"}`, `{"body":"\ud83d\ude00"}`, `{"body":"\ud83d"}`,
		`{"TO":"x"}`, `{"body":"\u0000"}`, `{} {}`, `{"body":null}`, "{\"body\":\"\xff\"}", `{"body":"\\ud83d"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got message
		if err := strictjson.Decode(body, &got); err != nil {
			e, ok := errors.AsType[*perch.Error](err)
			if !ok || e.Kind != perch.KindMalformedJSON && e.Kind != perch.KindValidation || !utf8.ValidString(e.Detail) {
				t.Fatalf("Decode(%q) = %v, want an error for clients", body, err)
			}
			return
		}
		var want message
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&want); err != nil || got != want {
			t.Fatalf("Decode(%q) = %+v, want %+v and %v as encoding/json", body, got, want, err)
		}
		for _, s := range []string{got.To, got.Body, got.ID, got.Kind} {
			if bad := strictjson.ForbiddenRune(s); bad != "" || !utf8.ValidString(s) {
				t.Fatalf("Decode(%q) has %q with %s in it, want an error", body, s, bad)
			}
			if strings.ContainsRune(s, utf8.RuneError) && !bytes.Contains(body, []byte("\uFFFD")) && !bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`)) {
				t.Fatalf("Decode(%q) has %q, want no character changed", body, s)
			}
		}
	})
}

// FuzzEscapePointer: a pointer has no separator of a key's own, and is short.
func FuzzEscapePointer(f *testing.F) {
	for _, s := range []string{"to", "a/b~c", "~/~/", strings.Repeat("ä", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		got := strictjson.EscapePointer(key)
		if strings.Contains(got, "/") || len(got) > 2*(64+3) {
			t.Fatalf("EscapePointer(%q) = %q, want no slash and at most 134 bytes", key, got)
		}
		if back := strings.NewReplacer("~1", "/", "~0", "~").Replace(got); len(key) <= 64 && back != key {
			t.Fatalf("EscapePointer(%q) = %q, which is read as %q, want the key", key, got, back)
		}
	})
}
