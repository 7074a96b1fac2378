package main

import (
	"testing"

	"github.com/perch-im/perch/internal/ledger"
)

// Runs of one seed, with and without a mistake, keep their histories apart.
func TestFolder(t *testing.T) {
	for want, c := range map[string]struct {
		plant, control string
	}{
		"7-prosody":                {},
		"7-prosody-plant-epoch":    {plant: "epoch"},
		"7-prosody-control-epoch":  {control: "epoch"},
		"7-prosody-control-dedupe": {control: "dedupe"},
	} {
		if got := folder(ledger.Options{Seed: 7, Server: "prosody", Plant: c.plant}, c.control); got != want {
			t.Errorf("plant %q, control %q: got %s, want %s", c.plant, c.control, got, want)
		}
	}
}
