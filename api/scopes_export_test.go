package api

import (
	"maps"
	"slices"

	"github.com/perch-im/perch"
)

// What a token needs, for tests that hold it against what there is.

// RuledOperations are the operations and commands that have a rule.
func RuledOperations() (operations, commandNames []string) {
	return slices.Sorted(maps.Keys(scopeRules)), slices.Sorted(maps.Keys(commandRules))
}

// Commands are the commands of the socket.
func Commands() []string { return slices.Sorted(maps.Keys(commands)) }

// UnscopedTypes are the event types that a client may filter by, and no scope shows.
func UnscopedTypes() (types []string) {
	for name := range filterable {
		if name[len(name)-1] != '*' && !(perch.Grant{Scopes: perch.Scopes()}).Shows(perch.EventType(name)) {
			types = append(types, name)
		}
	}
	return types
}
