package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed fields.yaml
var fieldsYAML []byte

// fieldTexts is fields.yaml, read, and what of it has found its place.
type fieldTexts struct {
	Properties, Like, Schemas, Operations map[string]string
	used                                  map[string]bool
}

func readFields(text []byte) (*fieldTexts, error) {
	t := &fieldTexts{used: map[string]bool{}}
	if err := yaml.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("fields.yaml: %w", err)
	}
	return t, nil
}

// describe gives schemas, properties and operations their texts. That of a schema, or of a property with its
// schema or the one that this is like, is there in place of any other one; that of a property alone, or of an
// operation, where there is none.
func (t *fieldTexts) describe(doc object) {
	t.describeSchemas(schemasOf(doc))
	for _, item := range doc["paths"].(object) {
		for _, op := range item.(object) {
			id, _ := op.(object)["operationId"].(string)
			t.fill(op.(object), "operations", t.Operations, id)
		}
	}
}

func (t *fieldTexts) describeSchemas(schemas object) {
	for name, schema := range schemas {
		schema := schema.(object)
		t.set(schema, "schemas", t.Schemas, name)
		properties, _ := schema["properties"].(object)
		for property, p := range properties {
			p := p.(object)
			if !t.set(p, "properties", t.Properties, name+"."+property) && t.set(p, "properties", t.Properties, t.Like[name]+"."+property) {
				t.used["like "+name] = true
			}
			if p["$ref"] == nil { // what it refers to is described
				t.fill(p, "properties", t.Properties, property)
			}
		}
	}
}

func (t *fieldTexts) set(o object, kind string, texts map[string]string, key string) bool {
	text := texts[key]
	if text != "" {
		o["description"] = text
		t.used[kind+" "+key] = true
	}
	return text != ""
}

func (t *fieldTexts) fill(o object, kind string, texts map[string]string, key string) {
	if old, _ := o["description"].(string); old == "" {
		t.set(o, kind, texts, key)
	}
}

// unused names the texts that have found no place: what they were of is gone, or is described elsewhere.
func (t *fieldTexts) unused() error {
	var left []string
	for kind, texts := range map[string]map[string]string{"properties": t.Properties, "like": t.Like, "schemas": t.Schemas, "operations": t.Operations} {
		for key := range maps.Keys(texts) {
			if !t.used[kind+" "+key] {
				left = append(left, kind+" "+key)
			}
		}
	}
	if left == nil {
		return nil
	}
	slices.Sort(left)
	return fmt.Errorf("fields.yaml: nothing is described by %s", strings.Join(left, ", "))
}
