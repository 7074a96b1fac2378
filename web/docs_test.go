package web_test

import "testing"

// TestDocs reads the reference, the guides and the page for wrong addresses in a real browser.
func TestDocs(t *testing.T) {
	g := newGateway(t)
	node(t, "docs.mjs", "PERCH_URL=http://"+g.addr, chromium(t), pictures(t))
}
