package main

import (
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed fields.yaml
var fieldsYAML []byte

// describe gives schemas, properties and operations that nothing else describes what fields.yaml says.
func describe(doc object) error {
	var texts struct{ Properties, Schemas, Operations map[string]string }
	if err := yaml.Unmarshal(fieldsYAML, &texts); err != nil {
		return fmt.Errorf("fields.yaml: %w", err)
	}
	for name, schema := range schemasOf(doc) {
		schema := schema.(object)
		fill(schema, texts.Schemas[name])
		properties, _ := schema["properties"].(object)
		for property, p := range properties {
			p := p.(object)
			fill(p, texts.Properties[name+"."+property])
			if p["$ref"] == nil { // what it refers to is described
				fill(p, texts.Properties[property])
			}
		}
	}
	for _, item := range doc["paths"].(object) {
		for _, op := range item.(object) {
			id, _ := op.(object)["operationId"].(string)
			fill(op.(object), texts.Operations[id])
		}
	}
	return nil
}

func fill(o object, text string) {
	if old, _ := o["description"].(string); old == "" && text != "" {
		o["description"] = text
	}
}
