package app

import "github.com/perch-im/perch/cache"

// Formats lists the versions of the records that this program writes to Redis, and of those that it
// reads, for `perch version`.
func Formats() []cache.Format { return cache.Formats() }
