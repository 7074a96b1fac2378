package contacts

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/packed"
)

// none is the empty list, for JSON no null.
var (
	noTexts     = []string{}
	noResources = []perch.Resource{}
)

// maker gives decoded contacts their memory. For one contact it takes no more than that needs;
// with many, the lists and the JIDs of some come from one piece.
type maker struct {
	many   bool
	lists  []string
	rs     []perch.Resource
	names  strings.Builder
	shared *perch.Presence // used again for each contact; nil: each has its own
}

const slab = 64 // lists of that many items are made at once

func (m *maker) texts(r *packed.Reader, n int) []string {
	if n == 0 {
		return noTexts
	}
	list := take(&m.lists, n, m.many)
	for i := range list {
		list[i] = r.Text()
	}
	return list
}

func (m *maker) resources(n int) []perch.Resource {
	if n == 0 {
		return noResources
	}
	return take(&m.rs, n, m.many)
}

// take is a list of n items that nothing else has.
func take[T any](from *[]T, n int, many bool) []T {
	if cap(*from)-len(*from) < n {
		size := n
		if many {
			size = max(n, slab)
		}
		*from = make([]T, 0, size)
	}
	at := len(*from)
	*from = (*from)[:at+n]
	return (*from)[at : at+n : at+n]
}

func (m *maker) newPresence() *perch.Presence {
	if m.shared != nil {
		return m.shared
	}
	return new(perch.Presence)
}

// jid puts the parts of a JID together. It never keeps a chunk in memory.
func (m *maker) jid(local, domain string) perch.JID {
	if !m.many {
		return perch.JID(strings.Join([]string{local, domain}, ""))
	}
	if m.names.Cap()-m.names.Len() < len(local)+len(domain) {
		m.names = strings.Builder{}
		m.names.Grow(max(len(local)+len(domain), 16*slab))
	}
	at := m.names.Len()
	m.names.WriteString(local)
	m.names.WriteString(domain)
	return perch.JID(m.names.String()[at:])
}
