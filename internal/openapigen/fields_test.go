package main

import (
	"strings"
	"testing"
)

// TestTextsWin: a text of a schema, or of a property of one, stands in place of what a comment says; that of a
// property alone, or of an operation, only where nothing else does.
func TestTextsWin(t *testing.T) {
	texts, err := readFields([]byte(`
properties: { A.both: of A, both: of any, other: of any, A.link: of A, link: of any }
like: { C: A, B: None }
schemas: { A: the schema }
operations: { said: of an operation, silent: of an operation }`))
	if err != nil {
		t.Fatalf("readFields: got error %v, want none", err)
	}
	property := func(text string) object { return object{"type": "string", "description": text} }
	a := object{"description": "a comment", "properties": object{
		"both": property("a comment"), "other": property("a comment"), "link": ref("B"),
	}}
	b := object{"description": "a comment", "properties": object{"both": property(""), "other": property(""), "link": ref("B")}}
	c := object{"description": "", "properties": object{"both": property("a comment"), "other": property("a comment")}}
	said, silent := object{"operationId": "said", "description": "a comment"}, object{"operationId": "silent"}
	texts.describe(object{
		"components": object{"schemas": object{"A": a, "B": b, "C": c}},
		"paths":      object{"/": object{"get": said, "put": silent}},
	})
	of := func(schema object, name string) object { return schema["properties"].(object)[name].(object) }
	for _, tt := range []struct {
		name string
		at   object
		want any
	}{
		{"a schema with a text", a, "the schema"}, {"one without", b, "a comment"},
		{"a property of the schema", of(a, "both"), "of A"}, {"the same of another schema", of(b, "both"), "of any"},
		{"one with a comment", of(a, "other"), "a comment"}, {"the same without one", of(b, "other"), "of any"},
		{"a property of a schema that is like it", of(c, "both"), "of A"}, {"one without a text there", of(c, "other"), "a comment"},
		{"a reference with a text of its own", of(a, "link"), "of A"}, {"one without", of(b, "link"), nil},
		{"an operation with a comment", said, "a comment"}, {"one without", silent, "of an operation"},
	} {
		if got := tt.at["description"]; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	left := texts.unused()
	for _, want := range []string{"properties link", "like B", "operations said"} {
		if left == nil || !strings.Contains(left.Error(), want) {
			t.Errorf("unused: got %v, want %s among them", left, want)
		}
	}
}

// TestUnusedTextsAreRefused: a text that nothing is described by fails the generation, and is named.
func TestUnusedTextsAreRefused(t *testing.T) {
	kept := fieldsYAML
	defer func() { fieldsYAML = kept }()
	fieldsYAML = []byte(string(kept) + "\n  noSuchOperation: text\n")
	fieldsYAML = []byte(strings.Replace(string(fieldsYAML), "\nlike:\n", "\n  NoSuch.property: text\n  no_such_property: text\nlike:\n  NoSuch: Buddy\n", 1))
	fieldsYAML = []byte(strings.Replace(string(fieldsYAML), "\nschemas:\n", "\nschemas:\n  NoSuchSchema: text\n", 1))
	_, err := generate(t.Context(), "../..")
	for _, want := range []string{"operations noSuchOperation", "properties NoSuch.property", "properties no_such_property", "like NoSuch", "schemas NoSuchSchema"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("generate: got error %v, want one that names %s", err, want)
		}
	}
}
