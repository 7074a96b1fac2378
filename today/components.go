package today

import (
	"maps"
	"slices"
)

// hosts are the names of the components, sorted.
func (s *Service) hosts() []string { return slices.Sorted(maps.Keys(s.components)) }
