package contacts

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// Change is what one write to a Store changes. A Store keeps either the table, or the rows that
// differ from what it had: those of the keys, which are in the table as they are now or are gone.
type Change struct {
	Table Table       // all contacts after the write
	Whole bool        // more than the keys may have changed: nothing of before is left
	Keys  []perch.JID // of contacts that were put or removed
}

// maxSearch bounds the search for a key that is noted already: beyond it a row is written twice.
const maxSearch = 256

// Note adds a contact that was put or removed; t is the table then.
func (c *Change) Note(t Table, key perch.JID) {
	c.Table = t
	if c.Whole {
		return
	}
	if len(c.Keys) <= maxSearch && slices.Contains(c.Keys, key) {
		return
	}
	c.Keys = append(c.Keys, perch.JID(strings.Clone(string(key))))
}

// Replace says that t is written anew, as a whole.
func (c *Change) Replace(t Table) { *c = Change{Table: t, Whole: true} }

// Empty reports whether nothing is changed.
func (c *Change) Empty() bool { return !c.Whole && len(c.Keys) == 0 }
