package jsonappend_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/jsonappend"
)

// texts are strings that JSON escapes, or that look as if it did.
var texts = []string{
	"", "a", "plain text, of some length and more", `"`, `\`, "/", "<b>&amp;</b>", "it's", "\x7f", "\u0080", "é", "日本", "😀",
	"\b\f\n\r\t", "\x00\x01\x1f", "\u2027\u2028\u2029\u202a", "\ufffd", "\xff", "a\xc3", "\xed\xa0\x80", "\xf0\x9f\x98", "x\xe2\x80\xa8y", "end\n", "\nbegin",
}

// sameAsEncodingJSON compares a text with what encoding/json makes of it.
func sameAsEncodingJSON(t *testing.T, s string) {
	t.Helper()
	want, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("json.Marshal(%q): got error %v, want none", s, err)
	}
	if got := string(jsonappend.String([]byte("before"), s)); got != "before"+string(want) {
		t.Errorf("String(%q) = %s, want %s by encoding/json", s, strings.TrimPrefix(got, "before"), want)
	}
}

// pair is a value that appends itself.
type pair struct {
	A string `json:"a"`
}

func (p pair) AppendJSON(b []byte) []byte {
	return append(jsonappend.String(append(b, `{"a":`...), p.A), '}')
}

// TestLists: an empty one is no null.
func TestLists(t *testing.T) {
	for _, list := range [][]pair{nil, {}, {{"x"}}, {{"<"}, {""}, {"y"}}} {
		want, err := json.Marshal(list)
		if got := string(jsonappend.List([]byte("b"), list)); err != nil || got != "b"+string(want) {
			t.Errorf("List(%v): got %s, want b%s by encoding/json, error %v", list, got, want, err)
		}
	}
	for _, list := range [][]string{nil, {}, {"x"}, texts} {
		want, err := json.Marshal(list)
		if got := string(jsonappend.Strings([]byte("b"), list)); err != nil || got != "b"+string(want) {
			t.Errorf("Strings(%q): got %s, want b%s by encoding/json, error %v", list, got, want, err)
		}
	}
}

func TestStringIsThatOfEncodingJSON(t *testing.T) {
	for _, s := range texts {
		sameAsEncodingJSON(t, s)
	}
	for r := range rune(0x3000) {
		sameAsEncodingJSON(t, "a"+string(r)+"b")
	}
	for c := range 256 {
		sameAsEncodingJSON(t, string([]byte{byte(c), 'a'}))
	}
}

func FuzzString(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(sameAsEncodingJSON)
}

func BenchmarkString(b *testing.B) {
	var buf []byte
	for _, s := range []struct{ name, text string }{
		{"ascii", "See you at the station at half past six, will you?"},
		{"cyrillic", "Увидимся на вокзале в половине седьмого, хорошо?"},
	} {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = jsonappend.String(buf[:0], s.text)
			}
		})
	}
}
