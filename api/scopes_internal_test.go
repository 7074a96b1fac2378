package api

import (
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestStanzasNeedEveryScope: what a stanza says may be about anything.
func TestStanzasNeedEveryScope(t *testing.T) {
	of := func(scopes ...perch.Scope) sessions.Access {
		return sessions.Access{Made: true, Grant: perch.Grant{Scopes: scopes}}
	}
	if boundOf(of(ofStanzas[1:]...)).Types(perch.EventStanza) {
		t.Error("without one scope: got stanzas shown, want none")
	}
	if !boundOf(of(ofStanzas...)).Types(perch.EventStanza) {
		t.Error("with all scopes: got no stanzas, want them")
	}
	if boundOf(sessions.Access{}) != nil {
		t.Error("the token of a sign-in: got a bound, want none")
	}
}
