package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed events.yaml
var eventsYAML []byte

// frame is a row of the tables of events.yaml: an event, or a command.
type frame struct {
	Summary     string
	Description string
	Data        string // name of the schema of its data
	Durable     string // always, mostly or "": whether an event has an id
	Poll        string // never: a long poll leaves the event out
	Operation   string // id of what a command does
	Key         string // of its message, where the name is also that of an event
	Optional    bool   // the data of a command
}

// eventSource is events.yaml, read.
type eventSource struct {
	Events, Commands map[string]frame
	doc              object // the rest
}

func readEvents(text []byte) (*eventSource, error) {
	s := &eventSource{}
	if err := yaml.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("events.yaml: %w", err)
	}
	if err := yaml.Unmarshal(text, &s.doc); err != nil {
		return nil, fmt.Errorf("events.yaml: %w", err)
	}
	delete(s.doc, "events")
	delete(s.doc, "commands")
	return s, nil
}

// camel makes the beginning of the name of a schema of a type: MessageReceived of message.received.
func camel(typ string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(typ, func(r rune) bool { return r == '.' || r == '_' }) {
		if word == "vcard" {
			word = "VCard"
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func eventName(typ string) string { return camel(typ) + "Event" }

func (f frame) commandName(typ string) string { return camel(cmp.Or(f.Key, typ)) + "Command" }

// event is the schema of the envelope of an event.
func (f frame) event(typ string) object {
	required, properties := []any{"type", "time", "data"}, object{
		"type": object{"type": "string", "const": typ, "description": "Says what is in data."},
		"time": object{"type": "string", "format": "date-time", "pattern": timePattern, "description": "When it happened, or was noticed: RFC 3339, UTC, with milliseconds."},
		"data": ref(f.Data),
	}
	if f.Durable != "" {
		properties["id"] = ref("Cursor")
	}
	if f.Durable == "always" {
		required = append([]any{"id"}, required...)
	}
	return object{"type": "object", "description": f.Summary, "required": required, "properties": properties}
}

// timePattern is what format does not say of a time: UTC, with milliseconds.
const timePattern = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`

// command is the schema of a command.
func (f frame) command(typ string) object {
	required := []any{"type"}
	if !f.Optional {
		required = append(required, "data")
	}
	return object{"type": "object", "description": f.Description, "additionalProperties": false, "required": required, "properties": object{
		"id":   ref("CommandID"),
		"type": object{"type": "string", "const": typ, "description": "Says what is in data."},
		"data": ref(f.Data),
	}}
}

// schemas are those of all frames, and what events.yaml has itself.
func (s *eventSource) schemas() object {
	all := maps.Clone(schemasOf(s.doc))
	for typ, f := range s.Events {
		all[eventName(typ)] = f.event(typ)
	}
	for typ, f := range s.Commands {
		all[f.commandName(typ)] = f.command(typ)
	}
	return all
}

// addTo adds the events that a long poll has to openapi.yaml, and Envelope as any one of them.
func (s *eventSource) addTo(doc object) error {
	schemas := schemasOf(doc)
	for name, schema := range copied(s.schemas()).(object) {
		if schemas[name] != nil {
			return fmt.Errorf("events.yaml: openapi.yaml has a schema %s, too", name)
		}
		schemas[name] = schema
	}
	var variants []any
	mapping := object{}
	for _, typ := range slices.Sorted(maps.Keys(s.Events)) {
		if s.Events[typ].Poll != "never" {
			variants = append(variants, ref(eventName(typ)))
			mapping[typ] = schemaPrefix + eventName(typ)
		}
	}
	schemas["Envelope"] = object{
		"description": "One event; its type says what is in data. Clients ignore types that they do not know.",
		"oneOf":       variants, "discriminator": object{"propertyName": "type", "mapping": mapping},
	}
	return extend(schemas)
}

// extend gives each schema with x-like what the one of that name has, where it says nothing else.
func extend(schemas object) error {
	for name, schema := range schemas {
		schema := schema.(object)
		base, ok := schema["x-like"].(string)
		if !ok {
			continue
		}
		like, ok := schemas[base].(object)
		if !ok {
			return fmt.Errorf("%s: there is no schema %s to be like", name, base)
		}
		delete(schema, "x-like")
		merged := copied(like).(object)
		delete(merged, "examples")
		delete(merged, "minProperties")
		if err := patch(merged, schema, name); err != nil {
			return err
		}
		maps.Copy(schema, merged)
	}
	return nil
}

// copied is a copy that shares nothing.
func copied(v any) any {
	switch v := v.(type) {
	case object:
		c := object{}
		for key, child := range v {
			c[key] = copied(child)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, child := range v {
			c[i] = copied(child)
		}
		return c
	}
	return v
}

func ref(name string) object { return object{"$ref": schemaPrefix + name} }
