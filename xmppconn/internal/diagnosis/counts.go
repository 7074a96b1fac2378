package diagnosis

import (
	"slices"
	"sync/atomic"

	"github.com/perch-im/perch"
)

// Counts count logins that failed, by cause. They only grow, and may be read at any time.
type Counts struct {
	byCause [32]atomic.Int64 // in the order of perch.Causes
}

// Add counts one; a cause that is none of perch.Causes is the last of them.
func (c *Counts) Add(cause perch.Cause) {
	i := slices.Index(perch.Causes, cause)
	if i < 0 {
		i = len(perch.Causes) - 1
	}
	c.byCause[i].Add(1)
}

// Of returns how many logins failed for this cause, one of perch.Causes.
func (c *Counts) Of(cause perch.Cause) int64 {
	if i := slices.Index(perch.Causes, cause); i >= 0 {
		return c.byCause[i].Load()
	}
	return 0
}

// Load returns how many logins failed.
func (c *Counts) Load() (n int64) {
	for i := range c.byCause {
		n += c.byCause[i].Load()
	}
	return n
}
