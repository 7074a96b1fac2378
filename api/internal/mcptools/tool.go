package mcptools

import (
	"maps"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tool is an operation of the API as an agent sees it.
type tool struct {
	name, title string
	about       string // what it is for, and what it returns
	foreign     bool   // the answer has texts of other people

	method, path string   // of the operation; parameters of the path are in braces
	fixed        []string // pairs of parameters of the query that every request has
	params       []param
	output       schema // of the answer

	hints   hints
	waiting bool // it may take as long as wait says: see waiting
}

// hints are what a client may decide by whether to ask its user before a call.
type hints struct {
	readOnly    bool
	destructive bool // it replaces what was there
	idempotent  bool // a repetition changes nothing more
}

// operation is what the API calls what the tool does.
func (t *tool) operation() string { return t.method + " " + t.path }

// toolNamed finds a tool; nil: there is none.
func toolNamed(name string) *tool {
	if i := slices.IndexFunc(tools, func(t tool) bool { return t.name == name }); i >= 0 {
		return &tools[i]
	}
	return nil
}

// described is the tool as tools/list has it.
func (t *tool) described() *mcp.Tool {
	about := t.about
	if t.foreign {
		about += " " + untrusted
	}
	open := true // of the world: what other people write, or read
	return &mcp.Tool{
		Name: t.name, Title: t.title, Description: about, InputSchema: inputOf(t.params), OutputSchema: t.output,
		Annotations: &mcp.ToolAnnotations{
			Title: t.title, ReadOnlyHint: t.hints.readOnly, DestructiveHint: &t.hints.destructive,
			IdempotentHint: t.hints.idempotent, OpenWorldHint: &open,
		},
	}
}

// place is where an argument goes in the request.
type place int

const (
	inBody place = iota
	inQuery
	inPath
	inHeader
)

// param is an argument of a tool.
type param struct {
	name, about string
	in          place
	as          string // its name in the request; "": the same
	kind        schema // of its value
	needed      bool
	standard    string // what the query has without it
}

// wire is the name of the argument in the request.
func (p *param) wire() string {
	if p.as != "" {
		return p.as
	}
	return p.name
}

// schema is a JSON schema.
type schema map[string]any

// inputOf is the schema of the arguments of a tool, of which there are no others.
func inputOf(params []param) schema {
	properties, needed := schema{}, []string{}
	for i := range params {
		p := &params[i]
		properties[p.name] = with(p.kind, "description", p.about)
		if p.needed {
			needed = append(needed, p.name)
		}
	}
	return schema{"type": "object", "properties": properties, "required": needed, "additionalProperties": false}
}

// with is a schema with one more word.
func with(s schema, key string, value any) schema {
	out := maps.Clone(s)
	out[key] = value
	return out
}

// Schemas of values.
var (
	anyText    = schema{"type": "string"}
	yesOrNo    = schema{"type": "boolean"}
	moment     = schema{"type": "string", "format": "date-time"}
	listOfText = schema{"type": "array", "items": anyText}
	object     = schema{"type": "object"}
	nullable   = schema{"type": []string{"string", "null"}}
)

// between is a whole number within bounds.
func between(least, most int) schema {
	return schema{"type": "integer", "minimum": least, "maximum": most}
}

// oneOf is one of some texts.
func oneOf(values ...string) schema { return schema{"type": "string", "enum": values} }

// answer is the schema of an object in which these properties are always there.
func answer(properties schema, always ...string) schema {
	return schema{"type": "object", "properties": properties, "required": always}
}

// listOf is the schema of a list of objects.
func listOf(about string) schema {
	return schema{"type": "array", "items": object, "description": about}
}
