package contract

import (
	"bytes"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// operations are those of a description, and the schemas of their bodies. The validator of kin-openapi compiles
// a schema for each body that it looks at, with all that it refers to; here each is compiled once.
type operations struct {
	router routers.Router

	mu       sync.Mutex // the compiler is for one goroutine
	compiler *jsonschema.Compiler
	url      string
	bodies   map[string]*jsonschema.Schema // by reference
}

// newOperations takes a description that is sealed.
func newOperations(open map[string]any) (*operations, error) {
	delete(open, "servers") // whatever address a test listens on
	router, err := newRouter(open)
	if err != nil {
		return nil, err
	}
	o := &operations{router: router, compiler: newCompiler(), url: "http://perch.example/openapi.yaml", bodies: map[string]*jsonschema.Schema{}}
	return o, o.compiler.AddResource(o.url, open)
}

// newCompiler is one as OpenAPI 3.1 has it, which enforces formats.
func newCompiler() *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c
}

// schemaOf is the schema of a JSON body that has a name; nil: it has none, and is left to kin-openapi.
func (ops *operations) schemaOf(content openapi3.Content, mediaType string) (*jsonschema.Schema, error) {
	media := content.Get(mediaType)
	if media == nil || media.Schema == nil || !strings.HasPrefix(media.Schema.Ref, "#/components/schemas/") {
		return nil, nil
	}
	return ops.schema(media.Schema.Ref)
}

// schema is that of a reference into the description.
func (ops *operations) schema(ref string) (*jsonschema.Schema, error) {
	ops.mu.Lock()
	defer ops.mu.Unlock()
	if s := ops.bodies[ref]; s != nil {
		return s, nil
	}
	s, err := ops.compiler.Compile(ops.url + ref)
	if err != nil {
		return nil, err
	}
	ops.bodies[ref] = s
	return s, nil
}

// holds compares a JSON body with its schema.
func holds(s *jsonschema.Schema, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return s.Validate(v)
}
