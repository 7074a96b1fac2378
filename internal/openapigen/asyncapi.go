package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// asyncAPI makes asyncapi.yaml of events.yaml and of the schemas of openapi.yaml, whole: nothing in it
// points out of it.
func (s *eventSource) asyncAPI(open object, fields *fieldTexts) ([]byte, error) {
	doc := copied(s.doc).(object)
	own := copied(s.schemas()).(object)
	schemas := copied(schemasOf(open)).(object)
	delete(schemas, "Envelope")
	maps.Copy(schemas, own)
	if err := extend(schemas); err != nil {
		return nil, err
	}
	fields.describeSchemas(schemas)
	nameEnums(schemas)
	fields.describeSchemas(schemas)
	for name, schema := range schemas {
		schema.(object)["title"] = name
	}
	components := doc["components"].(object)
	components["schemas"] = schemas
	components["messages"] = s.messages()
	s.addMessages(doc)
	doc["operations"] = s.operations()
	prune(doc, "schemas")
	return encode(doc, "internal/openapigen/events.yaml and openapi.yaml")
}

// messageKey is the name of the message of a type in the description: vcardChanged of vcard.changed.
func messageKey(typ string, f frame) string {
	first, rest, _ := strings.Cut(typ, ".")
	word, more, _ := strings.Cut(first, "_")
	return cmp.Or(f.Key, word+camel(more)+camel(rest))
}

func message(name, schema, summary string) object {
	return object{"name": name, "title": schema, "summary": summary, "contentType": "application/json", "payload": ref(schema)}
}

func (s *eventSource) messages() object {
	all := object{
		"reply": message("reply", "ReplyFrame", "The answer to a command."),
		"error": message("error", "ErrorFrame", "A command was refused, or the stream ends."),
	}
	for typ, f := range s.Events {
		all[messageKey(typ, f)] = message(typ, eventName(typ), f.Summary)
	}
	for typ, f := range s.Commands {
		all[messageKey(typ, f)] = message(typ, f.commandName(typ), f.Description)
	}
	return all
}

// sent are the messages that the gateway sends by itself.
func (s *eventSource) sent() []string {
	keys := []string{"error"}
	for typ, f := range s.Events {
		keys = append(keys, messageKey(typ, f))
	}
	slices.Sort(keys)
	return keys
}

// addMessages names the messages of each channel.
func (s *eventSource) addMessages(doc object) {
	lines, socket := object{}, object{"reply": object{"$ref": "#/components/messages/reply"}}
	for _, key := range s.sent() {
		lines[key] = object{"$ref": "#/components/messages/" + key}
		socket[key] = object{"$ref": "#/components/messages/" + key}
	}
	for typ, f := range s.Commands {
		socket[messageKey(typ, f)] = object{"$ref": "#/components/messages/" + messageKey(typ, f)}
	}
	channels := doc["channels"].(object)
	channels["lines"].(object)["messages"] = lines
	channels["socket"].(object)["messages"] = socket
}

func (s *eventSource) operations() object {
	all := object{
		"sendEvents": s.operation("send", "socket", "Events of one session.", "Every stream begins with hello; what follows it depends on the cursor.", s.sent()...),
		"sendLines":  s.operation("send", "lines", "The same events over plain HTTP.", "Server-Sent Events, lines of JSON, or the answers of a long poll.", s.sent()...),
	}
	for typ, f := range s.Commands {
		op := s.operation("receive", "socket", f.Summary, f.Description, messageKey(typ, f))
		op["reply"] = object{"channel": object{"$ref": "#/channels/socket"}, "messages": inChannel("socket", "reply", "error")}
		all[f.Operation] = op
	}
	return all
}

func (s *eventSource) operation(action, channel, summary, description string, keys ...string) object {
	return object{
		"action": action, "summary": summary, "description": description,
		"channel": object{"$ref": "#/channels/" + channel}, "messages": inChannel(channel, keys...),
	}
}

func inChannel(channel string, keys ...string) []any {
	refs := make([]any, len(keys))
	for i, key := range keys {
		refs[i] = object{"$ref": "#/channels/" + channel + "/messages/" + key}
	}
	return refs
}
