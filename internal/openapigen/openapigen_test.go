package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestUpToDate fails when a comment, a type or the generator was changed without
// `make generate`. It also shows that the same sources give the same bytes.
func TestUpToDate(t *testing.T) {
	all, err := generate(t.Context(), "../..")
	if err != nil || len(all) != 3 {
		t.Fatalf("generate: got %d descriptions and error %v, want 3 and none", len(all), err)
	}
	for path, want := range all {
		have, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is stale at line %d: run make generate, want no difference", path, firstDifference(have, want))
		}
	}
}

func firstDifference(a, b []byte) int {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return i + 1
		}
	}
	return min(len(x), len(y)) + 1
}

// TestWholeDescription checks what every operation must have.
func TestWholeDescription(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("../../openapi.yaml")
	if err != nil {
		t.Fatalf("LoadFromFile: got error %v, want none", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("doc.Validate: got error %v, want none", err)
	}
	if doc.Paths.Len() < 20 {
		t.Fatalf("only %d paths, want at least 20", doc.Paths.Len())
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			checkOperation(t, method+" "+path, op)
		}
	}
}

func checkOperation(t *testing.T, name string, op *openapi3.Operation) {
	t.Helper()
	if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 || op.Security == nil {
		t.Errorf("%s lacks an id, a summary, a tag or its security, want some text and 1 and one", name)
	}
	need := []string{"429", "500"}
	if len(*op.Security) > 0 {
		need = append(need, "401", "503")
	}
	refusals, _ := op.Extensions["x-refusals"].(map[string]any)
	for _, status := range need {
		if refusals[status] == nil || op.Responses.Default() == nil {
			t.Errorf("%s: got refusals %v and default %v, want %s among them, and one for all", name, refusals, op.Responses.Default(), status)
		}
	}
	for status, r := range op.Responses.Map() {
		if r.Value.Headers["X-Request-Id"] == nil || r.Value.Headers["RateLimit"] == nil {
			t.Errorf("%s: %s lacks common headers, want one", name, status)
		}
		for media := range r.Value.Content {
			if tools := name == "POST /mcp" && media == "application/json"; !tools && strings.Contains(media, "problem") != (status >= "400") {
				t.Errorf("%s: %s is %s, want %v", name, status, media, status >= "400")
			}
		}
	}
	if body := op.RequestBody; body != nil && name == "PUT /v1/uploads/{id}" {
		if body.Value.Content["application/octet-stream"] == nil || len(body.Value.Content) != 1 {
			t.Errorf("%s takes %v, want the bytes of a file", name, body.Value.Content)
		}
	} else if body != nil && name != "POST /mcp" { // a message of another protocol
		schema := body.Value.Content["application/json"].Schema
		for _, variant := range append(schema.Value.OneOf, schema)[:max(1, len(schema.Value.OneOf))] {
			if open := variant.Value.AdditionalProperties.Has; open == nil || *open {
				t.Errorf("%s takes unknown fields in %s, want additionalProperties false", name, variant.Ref)
			}
		}
	}
}

func TestPatchRefusesMissingKeys(t *testing.T) {
	if err := patch(object{"a": object{}}, object{"a": object{"b": nil}}, ""); err == nil {
		t.Error("removing what is not there went unnoticed, want an error")
	}
}

// TestWholeAdminDescription: it is valid, has nothing of the API for clients, and each operation but
// that of the description itself needs the token.
func TestWholeAdminDescription(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("../../docs/admin-openapi.yaml")
	if err != nil {
		t.Fatalf("LoadFromFile: got error %v, want none", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("doc.Validate: got error %v, want none", err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if !strings.HasPrefix(path, "/admin/v1/") || op.OperationID == "" || op.Summary == "" {
				t.Errorf("%s: got id %q and summary %q, want a path below /admin/v1/, and both", name, op.OperationID, op.Summary)
			}
			if open := path == "/admin/v1/openapi.yaml"; len(*op.Security) == 0 != open {
				t.Errorf("%s: got security %v, want none: %v", name, *op.Security, open)
			}
		}
	}
	if doc.Components.Schemas["Buddy"] != nil {
		t.Error("got a schema Buddy, want only those of the operator's API")
	}
}

// TestMessageKeys: the keys of messages are names that clients may refer to; they stay what they were.
func TestMessageKeys(t *testing.T) {
	for typ, want := range map[string]string{
		"hello": "hello", "chat_state": "chatState", "chat_state.set": "chatStateSet", "message.received": "messageReceived", "vcard.changed": "vcardChanged",
	} {
		if got := messageKey(typ, frame{}); got != want {
			t.Errorf("messageKey(%s): got %s, want %s", typ, got, want)
		}
	}
	if got := messageKey("conversation.read", frame{Key: "markRead"}); got != "markRead" {
		t.Errorf("messageKey of a frame with a key: got %s, want markRead", got)
	}
}
