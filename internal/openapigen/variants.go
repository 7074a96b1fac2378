package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// splitVariants makes a choice of named schemas of each schema with x-variants in overlay.yaml: each has
// the properties of the whole but those in without, and needs those in required, or any one. Generators make a type
// with a name of each; of a oneOf that says nothing but what is required they make types without one.
func splitVariants(schemas object) error {
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		whole := schemas[name].(object)
		variants, ok := whole["x-variants"].(object)
		if !ok {
			continue
		}
		delete(whole, "x-variants")
		var refs []any
		for _, variant := range slices.Sorted(maps.Keys(variants)) {
			if schemas[variant] != nil {
				return fmt.Errorf("%s: the variant %s has the name of a schema", name, variant)
			}
			schema, err := variantOf(whole, variants[variant].(object))
			if err != nil {
				return fmt.Errorf("%s: %s: %w", name, variant, err)
			}
			schemas[variant] = schema
			refs = append(refs, ref(variant))
		}
		for _, key := range []string{"type", "properties", "required", "additionalProperties"} {
			delete(whole, key)
		}
		whole["oneOf"] = refs
	}
	return nil
}

func variantOf(whole, by object) (object, error) {
	schema := copied(whole).(object)
	delete(schema, "examples")
	properties := schema["properties"].(object)
	without, _ := by["without"].([]any)
	for _, name := range without {
		if _, there := properties[name.(string)]; !there {
			return nil, fmt.Errorf("there is no property %v to go without", name)
		}
		delete(properties, name.(string))
	}
	schema["description"], schema["required"] = by["description"], by["required"]
	if by["required"] == nil {
		delete(schema, "required")
		schema["minProperties"] = 1
	}
	return schema, nil
}

// titleVariants gives what a oneOf or anyOf chooses from a title, its name.
func titleVariants(doc object) {
	schemas := schemasOf(doc)
	each(doc, func(o object) {
		for _, key := range []string{"oneOf", "anyOf"} {
			list, _ := o[key].([]any)
			for _, v := range list {
				if to, ok := v.(object)["$ref"].(string); ok {
					schemas[strings.TrimPrefix(to, schemaPrefix)].(object)["title"] = strings.TrimPrefix(to, schemaPrefix)
				}
			}
		}
	})
}

// plain writes what is the same in words that more generators know: a const as an enum of one, whose name
// is no other's (that of chat_state would be the one of the schema ChatState).
// The pattern of a time stays in asyncapi.yaml: here its format says what generators make a type of.
func plain(doc object) {
	each(doc, func(o object) {
		if value, ok := o["const"]; ok {
			o["enum"] = []any{value}
			delete(o, "const")
			if text, ok := value.(string); ok {
				o["x-enum-varnames"] = []any{"Type" + camel(text)}
			}
		}
		if o["format"] == "date-time" {
			delete(o, "pattern")
		}
	})
}

// each calls f for every mapping below v.
func each(v any, f func(object)) {
	switch v := v.(type) {
	case object:
		f(v)
		for _, child := range v {
			each(child, f)
		}
	case []any:
		for _, child := range v {
			each(child, f)
		}
	}
}
