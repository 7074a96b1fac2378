package contract_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/docs"
	"go.yaml.in/yaml/v3"
)

// TestDescriptionsGenerateWell: in each description, every object, choice and list of words of an answer, a
// request or an event is a schema with a name, what a choice is made of has a title, nothing points out of
// it or nowhere, and schemas, properties, parameters and operations are described.
func TestDescriptionsGenerateWell(t *testing.T) {
	for name, text := range map[string][]byte{"openapi.yaml": perch.OpenAPI, "asyncapi.yaml": perch.AsyncAPI, "admin-openapi.yaml": docs.AdminOpenAPI} {
		for _, fault := range faultsOf(t, text) {
			t.Errorf("%s: got %s, want none such", name, fault)
		}
	}
}

// TestFaultsOfDescriptionsAreFound: the walk finds what it looks for.
func TestFaultsOfDescriptionsAreFound(t *testing.T) {
	const head = "components: {schemas: {Named: {type: string, title: Named, description: x}, Bare: {type: string, description: x}, A: {type: object, description: x, properties: {p: "
	for schema, want := range map[string]string{
		`{$ref: "#/components/schemas/Named"}`:                                 "",
		`{type: string, description: x}`:                                       "",
		`{type: object, additionalProperties: {type: string}, description: x}`: "",
		`{type: string}`: "no description",
		`{type: object, description: x, properties: {}}`:                  "an object without a name",
		`{type: string, description: x, enum: [a, b]}`:                    "words without a name",
		`{$ref: "other.yaml#/A"}`:                                         "points out",
		`{$ref: "#/components/schemas/None"}`:                             "nowhere",
		`{description: x, oneOf: [{$ref: "#/components/schemas/Named"}]}`: "",
		`{description: x, oneOf: [{$ref: "#/components/schemas/Bare"}]}`:  "without a title",
		`{description: x, oneOf: [{required: [a]}]}`:                      "without a name",
	} {
		got := strings.Join(faultsOf(t, []byte(head+schema+"}}}}")), "; ")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("faults of %s: got %q, want %q", schema, got, want)
		}
	}
}

func faultsOf(t *testing.T, text []byte) []string {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("yaml.Unmarshal: got error %v, want none", err)
	}
	w := &walk{doc: doc}
	w.refs("", doc)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	for name, s := range schemas {
		w.named("schemas/"+name, s.(map[string]any))
	}
	paths, _ := doc["paths"].(map[string]any)
	for path, item := range paths {
		for method, op := range item.(map[string]any) {
			w.operation(method+" "+path, op.(map[string]any))
		}
	}
	operations, _ := doc["operations"].(map[string]any)
	for name, op := range operations {
		w.described("operations/"+name, op.(map[string]any))
	}
	slices.Sort(w.faults)
	return w.faults
}

// walk goes through a description and remembers what generators have no good name or no word for.
type walk struct {
	doc    map[string]any
	faults []string
}

func (w *walk) fault(at, what string) { w.faults = append(w.faults, fmt.Sprintf("%s at %s", what, at)) }

// refs follows every reference.
func (w *walk) refs(at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if to, ok := v["$ref"].(string); ok && !strings.HasPrefix(to, "#/") {
			w.fault(at, to+", which points out of the description,")
		} else if ok && w.target(to) == nil {
			w.fault(at, to+", which points nowhere,")
		}
		for key, child := range v {
			w.refs(at+"/"+key, child)
		}
	case []any:
		for i, child := range v {
			w.refs(fmt.Sprintf("%s/%d", at, i), child)
		}
	}
}

func (w *walk) target(ref string) map[string]any {
	var at any = w.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		parts, _ := at.(map[string]any)
		at = parts[part]
	}
	found, _ := at.(map[string]any)
	return found
}

// described is satisfied with the description of what v refers to.
func (w *walk) described(at string, v map[string]any) {
	to, _ := v["$ref"].(string)
	own, _ := v["description"].(string)
	other, _ := w.target(to)["description"].(string)
	if own == "" && other == "" {
		w.fault(at, "no description")
	}
}

// named looks at a schema that has a name.
func (w *walk) named(at string, schema map[string]any) {
	w.described(at, schema)
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p := properties[name].(map[string]any)
		w.described(at+"/"+name, p)
		w.unnamed(at+"/"+name, p)
	}
	w.below(at, schema)
}

// unnamed looks at a schema that stands where it is used.
func (w *walk) unnamed(at string, schema map[string]any) {
	if schema["properties"] != nil || schema["type"] == "object" && schema["additionalProperties"] == nil {
		w.fault(at, "an object without a name")
	}
	if words, _ := schema["enum"].([]any); len(words) > 1 {
		w.fault(at, "words without a name")
	}
	w.below(at, schema)
}

func (w *walk) below(at string, schema map[string]any) {
	for _, key := range []string{"items", "additionalProperties"} {
		if child, ok := schema[key].(map[string]any); ok {
			w.unnamed(at+"/"+key, child)
		}
	}
	for _, key := range []string{"oneOf", "anyOf", "allOf"} {
		variants, _ := schema[key].([]any)
		for _, v := range variants {
			v := v.(map[string]any)
			switch to, ok := v["$ref"].(string); {
			case ok && w.target(to)["title"] == nil:
				w.fault(at, to+" without a title")
			case !ok && v["type"] != "null":
				w.fault(at, "a variant without a name")
			}
		}
	}
}

func (w *walk) operation(at string, op map[string]any) {
	w.described(at, op)
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		w.described(fmt.Sprintf("%s %v", at, p), p.(map[string]any))
	}
	answers := maps.Clone(op["responses"].(map[string]any))
	if body, ok := op["requestBody"].(map[string]any); ok {
		answers["body"] = body
	}
	for name, answer := range answers {
		w.described(at+" "+name, answer.(map[string]any))
		content, _ := answer.(map[string]any)["content"].(map[string]any)
		for media, m := range content {
			if schema, ok := m.(map[string]any)["schema"].(map[string]any); ok {
				w.unnamed(at+" "+name+" "+media, schema)
			}
		}
	}
}
