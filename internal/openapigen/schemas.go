package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mendSchemas gives the schemas plain names and adds what the Go types know: a member is
// required unless it is left out when empty, and a pointer or an unknown time is null.
func mendSchemas(doc object, types goTypes) error {
	schemas := schemasOf(doc)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		schema := schemas[name].(object)
		if schema["type"] != "object" {
			continue
		}
		fields, ok := types[name]
		if !ok {
			return fmt.Errorf("no Go struct for the schema %s", name)
		}
		mendStruct(schema, fields, isRequest(name))
	}
	rename(doc)
	return nil
}

// isRequest reports whether a schema is the body of a request. There every field may be left
// out unless overlay.yaml says otherwise, and no other field may be sent.
func isRequest(name string) bool {
	return strings.HasSuffix(name, "Request") || strings.HasSuffix(name, "Patch")
}

func mendStruct(schema object, fields []field, request bool) {
	properties, _ := schema["properties"].(object)
	delete(schema, "required")
	var required []any
	for _, f := range fields {
		p, ok := properties[f.name].(object)
		if !ok {
			continue // a tag makes swag ignore it
		}
		nullable := f.pointer && (request || !f.omitted)
		switch f.typ {
		case "Time":
			p["format"] = "date-time"
			nullable = !f.omitted
		case "JID", "Show", "Ask", "Subscription": // described in overlay.yaml
			delete(p, "type")
			p["$ref"] = schemaPrefix + f.typ
		case "int8":
			p["minimum"], p["maximum"] = -128, 127
		}
		if nullable {
			properties[f.name] = orNull(p)
		}
		if !f.omitted && !request {
			required = append(required, f.name)
		}
	}
	if required != nil {
		schema["required"] = required
	}
	if request {
		schema["additionalProperties"] = false
	}
}

// orNull makes a schema that also takes null.
func orNull(p object) object {
	typ, plain := p["type"].(string)
	if !plain {
		return object{"anyOf": []any{p, object{"type": "null"}}}
	}
	p["type"] = []any{typ, "null"}
	if list, ok := p["enum"].([]any); ok {
		p["enum"] = append(list, nil)
	}
	return p
}

// rename takes the package away from the names of schemas.
func rename(doc object) {
	schemas := schemasOf(doc)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if short := shortName(name); short != name {
			if _, taken := schemas[short]; !taken {
				schemas[short] = schemas[name]
			}
			delete(schemas, name)
		}
	}
	eachRef(doc, func(ref string) string {
		if name, ok := strings.CutPrefix(ref, schemaPrefix); ok {
			return schemaPrefix + shortName(name)
		}
		return ref
	})
}

const schemaPrefix = "#/components/schemas/"

func shortName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func eachRef(v any, change func(string) string) {
	switch v := v.(type) {
	case object:
		if ref, ok := v["$ref"].(string); ok {
			v["$ref"] = change(ref)
		}
		for _, child := range v {
			eachRef(child, change)
		}
	case []any:
		for _, child := range v {
			eachRef(child, change)
		}
	}
}
