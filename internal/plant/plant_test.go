package plant_test

import (
	"testing"

	"github.com/perch-im/perch/internal/plant"
)

// TestNothingIsPlanted: a build without tags is the gateway as it is meant.
func TestNothingIsPlanted(t *testing.T) {
	for name, planted := range map[string]bool{
		"AckBeforePersist": plant.AckBeforePersist, "NoArchiveAfterFailedResume": plant.NoArchiveAfterFailedResume,
		"NoFence": plant.NoFence, "CloseStreamOnDrain": plant.CloseStreamOnDrain, "NoDedupe": plant.NoDedupe,
		"OldEpoch": plant.OldEpoch,
	} {
		if planted {
			t.Errorf("%s is in a build that did not ask for it", name)
		}
	}
}
