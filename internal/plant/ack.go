//go:build plant_ack

package plant

// AckBeforePersist acknowledges stanzas upstream before they are kept.
const AckBeforePersist = true
