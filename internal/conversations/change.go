package conversations

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// Change is what one write to a Store changes. A Store keeps either the table, or the rows of the
// keys, which are in the table as they are now or are gone; and the details in any case. With a
// conversation its details go.
type Change struct {
	Table   Table       // all conversations after the write
	Whole   bool        // more than the keys may have changed: no state of before is left
	Keys    []perch.JID // of conversations that were put or removed
	Details []*Details  // by key, of those that are in the table
}

// maxSearch bounds the search for a key that is noted already: beyond it a row is written twice.
const maxSearch = 256

// Note adds a conversation that was put or removed; t is the table then. D says what else has
// changed of one that was put, and is not used any more by the caller; nil: nothing.
func (c *Change) Note(t Table, key perch.JID, d *Details) {
	c.Table = t
	if !c.Whole && (len(c.Keys) > maxSearch || !slices.Contains(c.Keys, key)) {
		c.Keys = append(c.Keys, perch.JID(strings.Clone(string(key))))
	}
	if d != nil && !d.Empty() {
		d.Key = perch.JID(strings.Clone(string(key)))
		c.addDetails(d)
	}
}

// Removed notes a conversation that is gone.
func (c *Change) Removed(t Table, key perch.JID) {
	c.Note(t, key, nil)
	c.Details = slices.DeleteFunc(c.Details, func(d *Details) bool { return d.Key == key })
}

func (c *Change) addDetails(d *Details) {
	if len(c.Details) <= maxSearch {
		if i := slices.IndexFunc(c.Details, func(x *Details) bool { return x.Key == d.Key }); i >= 0 {
			merged := *c.Details[i]
			merged.Merge(d)
			c.Details[i] = &merged
			return
		}
	}
	c.Details = append(c.Details, d)
}

// Replace says that the states of t are written anew, all of them. Details stay as they are in the
// Store, and as the change has them.
func (c *Change) Replace(t Table) { c.Table, c.Whole, c.Keys = t, true, nil }

// Empty reports whether nothing is changed.
func (c *Change) Empty() bool { return !c.Whole && len(c.Keys) == 0 }
