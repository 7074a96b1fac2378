//go:build !plant_dedupe

package plant

// NoDedupe takes a message that was logged before for a new one.
const NoDedupe = false
