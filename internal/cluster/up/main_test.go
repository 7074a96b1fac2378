package main

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/cluster"
	"github.com/perch-im/perch/internal/testkit"
)

// TestUnknownServer: a server that there is not is refused before anything starts.
func TestUnknownServer(t *testing.T) {
	var out strings.Builder
	err := testkit.Outside(func(program testkit.TB) { up(t.Context(), program, &out, cluster.Options{}, "openfire") })
	if err == nil || !strings.Contains(err.Error(), `"openfire" is neither prosody nor ejabberd`) {
		t.Errorf("up got error %v, want one that names the two", err)
	}
}
