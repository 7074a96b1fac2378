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
	want, err := generate(t.Context(), "../..")
	if err != nil {
		t.Fatalf("generate: got error %v, want none", err)
	}
	have, err := os.ReadFile("../../openapi.yaml")
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("openapi.yaml is stale at line %d: run make generate, want no difference", firstDifference(have, want))
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
	for _, status := range need {
		if op.Responses.Value(status) == nil {
			t.Errorf("%s has no %s, want an error", name, status)
		}
	}
	for status, r := range op.Responses.Map() {
		if r.Value.Headers["X-Request-Id"] == nil || r.Value.Headers["RateLimit"] == nil {
			t.Errorf("%s: %s lacks common headers, want one", name, status)
		}
		for media := range r.Value.Content {
			if strings.Contains(media, "problem") != (status >= "400") {
				t.Errorf("%s: %s is %s, want %v", name, status, media, status >= "400")
			}
		}
	}
	if body := op.RequestBody; body != nil {
		schema := body.Value.Content["application/json"].Schema.Value
		if schema.AdditionalProperties.Has == nil || *schema.AdditionalProperties.Has {
			t.Errorf("%s takes unknown fields, want additionalProperties false", name)
		}
	}
}

func TestPatchRefusesMissingKeys(t *testing.T) {
	if err := patch(object{"a": object{}}, object{"a": object{"b": nil}}, ""); err == nil {
		t.Error("removing what is not there went unnoticed, want an error")
	}
}
