// Package contract holds what tests see on the wire against openapi.yaml and
// asyncapi.yaml. Every answer must be described, and so must every request that was
// accepted: a description that is too narrow is as wrong as one that is too wide.
//
// Clients ignore fields that they do not know, so the descriptions leave objects open;
// here they are closed, so that an undescribed field is found.
package contract

import (
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/perch-im/perch"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// TB is the part of testing.TB that is needed. Its methods are called from the goroutine
// that makes a request or reads an answer.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// descriptions is both of them, read once.
type descriptions struct {
	*operations
	// Frames by type. An event may have the name of a command; frames of the gateway have a time.
	frames, commands map[string]*jsonschema.Schema
}

// load reads the descriptions. Panicking is right: they are embedded, and a test of their
// own says what is wrong with them.
var load = sync.OnceValue(func() *descriptions {
	d, err := read()
	if err != nil {
		panic("contract: " + err.Error())
	}
	return d
})

func read() (*descriptions, error) {
	var open, async map[string]any
	if err := yaml.Unmarshal(perch.OpenAPI, &open); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := yaml.Unmarshal(perch.AsyncAPI, &async); err != nil {
		return nil, fmt.Errorf("asyncapi.yaml: %w", err)
	}
	seal(open)
	seal(async)
	ops, err := newOperations(open)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	d := &descriptions{operations: ops, frames: map[string]*jsonschema.Schema{}, commands: map[string]*jsonschema.Schema{}}
	return d, d.compile(async)
}

func newRouter(open map[string]any) (routers.Router, error) {
	text, err := yaml.Marshal(open)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
}

// compile makes the schemas of the frames.
func (d *descriptions) compile(async map[string]any) error {
	const url = "http://perch.example/asyncapi.yaml"
	c := newCompiler()
	if err := c.AddResource(url, async); err != nil {
		return err
	}
	components := async["components"].(map[string]any)
	for _, m := range components["messages"].(map[string]any) {
		message := m.(map[string]any)
		payload := message["payload"].(map[string]any)["$ref"].(string)
		s, err := c.Compile(url + payload)
		if err != nil {
			return err
		}
		frames := d.commands
		schema := components["schemas"].(map[string]any)[path.Base(payload)].(map[string]any)
		if slices.Contains(schema["required"].([]any), any("time")) {
			frames = d.frames
		}
		frames[message["name"].(string)] = s
	}
	return nil
}

// seal closes every object schema that lists its properties.
func seal(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, listed := v["properties"].(map[string]any)
		if _, said := v["additionalProperties"]; listed && !said && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			seal(child)
		}
	case []any:
		for _, child := range v {
			seal(child)
		}
	}
}
