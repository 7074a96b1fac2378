package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// patch merges what is written by hand into doc (RFC 7396): null removes, a mapping goes
// in, anything else replaces. Removing, or changing a schema, that is not there is an
// error: the Go type has moved on.
func patch(doc, by object, at string) error {
	for key, v := range by {
		here := at + "/" + key
		old, there := doc[key]
		switch v := v.(type) {
		case nil:
			if !there {
				return fmt.Errorf("%s is not there to be removed", here)
			}
			delete(doc, key)
		case object:
			below, ok := old.(object)
			if !ok {
				below = object{}
				doc[key] = below
			}
			if err := patch(below, v, here); err != nil {
				return err
			}
		default:
			doc[key] = v
		}
	}
	return nil
}

// order is that of a description which people read from the top; other keys follow by
// their name.
var order = []string{
	"openapi", "asyncapi", "id", "info", "externalDocs", "defaultContentType", "servers", "tags", "paths", "channels", "operations", "components",
	"get", "put", "post", "patch", "delete",
	"title", "version", "summary", "name", "in", "operationId", "type", "description", "required", "security",
	"parameters", "requestBody", "responses", "headers", "content",
}

// encode writes a description, and what it was made from.
func encode(doc object, from string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Written by `make generate` from %s. Do not edit.\n", from)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	n, err := node(doc, false)
	if err != nil {
		return nil, err
	}
	if err := enc.Encode(n); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// node orders the keys of mappings; those that are names (of properties, paths,
// components) go by the alphabet.
func node(v any, names bool) (*yaml.Node, error) {
	switch v := v.(type) {
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		keys := slices.Sorted(maps.Keys(v))
		if !names {
			slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
		}
		for _, key := range keys {
			child, err := node(v[key], !names && namesBelow[key])
			if err != nil {
				return nil, err
			}
			var k yaml.Node
			if err := k.Encode(key); err != nil {
				return nil, err
			}
			n.Content = append(n.Content, &k, child)
		}
		return n, nil
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, child := range v {
			c, err := node(child, false)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, c)
		}
		return n, nil
	}
	var n yaml.Node
	return &n, n.Encode(v)
}

var namesBelow = map[string]bool{
	"properties": true, "paths": true, "schemas": true, "responses": true, "headers": true, "content": true,
	"parameters": true, "securitySchemes": true, "channels": true, "operations": true, "messages": true, "mapping": true,
}

func rank(key string) int {
	if i := slices.Index(order, key); i >= 0 {
		return i
	}
	return len(order)
}
