package sessions

import "testing"

// TestCountedOnce: what came while a position was looked for is counted once, also where the search has
// met it in a log that began anew meanwhile, or in the archive.
func TestCountedOnce(t *testing.T) {
	k := readLookup{unread: 3, seen: map[string]after{"logged": {}, "": {}}, archived: map[string]bool{"archived": true},
		later: []laterMessage{{ref: "logged"}, {ref: "archived"}, {ref: "new", named: true}, {ref: ""}}}
	if unread, named := k.counted(); unread != 5 || named != 1 {
		t.Errorf("got %d unread and %d that name the account, want 5 and 1", unread, named)
	}
}
