//go:build !plant_close

package plant

// CloseStreamOnDrain ends the XMPP stream when a node stops, instead of leaving it to the next.
const CloseStreamOnDrain = false
