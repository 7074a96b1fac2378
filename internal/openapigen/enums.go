package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// nameEnums makes a schema with a name of each list of words that is written at a property: generators would
// call it after its number, or not at all. It is the schema that has the same words already, or one called
// after the property, such as GapReason.
func nameEnums(schemas object) {
	known := map[string][]string{} // names by words
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if words := wordsOf(schemas[name].(object)); len(words) > 1 {
			known[key(words)] = append(known[key(words)], name)
		}
	}
	for _, name := range byLength(schemas) {
		properties, _ := schemas[name].(object)["properties"].(object)
		for _, property := range slices.Sorted(maps.Keys(properties)) {
			schema, of := properties[property].(object), name+camel(property)
			if items, ok := schema["items"].(object); ok {
				schema, of = items, strings.TrimSuffix(of, "s")
			}
			words := wordsOf(schema)
			if words == nil || schema["x-enum-varnames"] != nil {
				continue
			}
			if same := chooseName(known[key(words)], camel(property)); same != "" {
				of = same
			}
			if known[key(words)] == nil {
				known[key(words)] = []string{of}
			}
			nameEnum(schemas, schema, of, properties[property].(object)["description"])
		}
	}
}

// chooseName is the only one of names, or the only one that ends as the name of the property does.
func chooseName(names []string, property string) string {
	if len(names) == 1 {
		return names[0]
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasSuffix(name, property) })
	if len(names) == 1 {
		return names[0]
	}
	return ""
}

// nameEnum moves the words of a schema to the one of that name. A null stays where it is.
func nameEnum(schemas, schema object, name string, description any) {
	words := wordsOf(schema)
	nullable := slices.Contains(words, nil)
	target, there := schemas[name].(object)
	if there && slices.Contains(wordsOf(target), nil) {
		nullable = false // it says so itself
	}
	if !there {
		enum := slices.DeleteFunc(slices.Clone(words), func(w any) bool { return w == nil })
		schemas[name] = object{"type": "string", "enum": enum}
		if description != nil {
			schemas[name].(object)["description"] = description
		}
	}
	delete(schema, "type")
	delete(schema, "enum")
	if nullable {
		schema["anyOf"] = []any{ref(name), object{"type": "null"}}
		return
	}
	schema["$ref"] = schemaPrefix + name
}

// wordsOf is what a schema chooses from, if that is words.
func wordsOf(schema object) []any {
	words, _ := schema["enum"].([]any)
	for _, w := range words {
		if _, ok := w.(string); !ok && w != nil {
			return nil
		}
	}
	return words
}

// byLength are the names of schemas, short ones first: what Token and NewToken both have is called after Token.
func byLength(schemas object) []string {
	return slices.SortedFunc(maps.Keys(schemas), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// key is the same for the same words, with null or without.
func key(words []any) string {
	var texts []string
	for _, w := range words {
		if w != nil {
			texts = append(texts, fmt.Sprintf("%q", w))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}
