package api_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/api"
)

func wantError(t *testing.T, err error, kind perch.Kind, pointer string) {
	t.Helper()
	p := api.ProblemOf(err)
	if err == nil || p.Code != string(kind) {
		t.Fatalf("got error %v with code %q, want code %q", err, p.Code, kind)
	}
	if pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != pointer) {
		t.Fatalf("got field errors %v, want pointer %q first", p.Errors, pointer)
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

// TestDecodeNull: null is a field that is left out, where the request may leave it out.
func TestDecodeNull(t *testing.T) {
	m, err := api.DecodeMessage([]byte(`{"to":"a@b","body":"x","id":null,"kind":null,"thread":null,"subject":null}`))
	if want := (api.MessageRequest{To: "a@b", Body: "x"}); err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("a message with nulls = %+v, %v, want %+v", m, err, want)
	}
	b, err := api.DecodeBuddy([]byte(`{"jid":"a@b","account":null,"name":null,"groups":null,"message":null,"nick":null}`))
	if err != nil || b.JID != "a@b" || b.Groups != nil {
		t.Errorf("a buddy with nulls = %+v, %v, want its JID alone", b, err)
	}
	_, err = api.DecodeMessage([]byte(`{"to":"a@b","body":null}`))
	wantError(t, err, perch.KindValidation, "/body")
	_, err = api.DecodeBuddy([]byte(`{"jid":"a@b","groups":["x",null]}`))
	wantError(t, err, perch.KindValidation, "/groups/1")
}
