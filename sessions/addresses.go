package sessions

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// Bounds of foreignAddresses: it is a part of the record, which is written as a whole.
const (
	maxForeign      = 128
	maxForeignBytes = 8192
)

// foreignAddresses are the bare JIDs that the upstream gave us and that strict parsing
// (RFC 7622) would refuse or spell in another way: they must be usable all the same, as they
// were given, also after a restart. The newest are kept, oldest first; the roster and the
// invitations are known without it. A list that a commit has is never changed.
type foreignAddresses []perch.JID

func (f foreignAddresses) find(jid perch.JID) int { return slices.IndexFunc(f, jid.Equal) }

// with returns the list with jid as its newest entry.
func (f foreignAddresses) with(jid perch.JID) foreignAddresses {
	bytes := len(jid)
	from := len(f)
	for from > 0 && len(f)-from < maxForeign-1 && bytes+len(f[from-1]) <= maxForeignBytes {
		from--
		bytes += len(f[from])
	}
	return append(slices.Clone(f[from:]), perch.JID(strings.Clone(string(jid)))) // not the whole stanza that it was in
}

// normalized is a JID in the form of RFC 7622, or as it is when it has none.
func normalized(j perch.JID) perch.JID {
	if n, err := perch.ParseJID(string(j)); err == nil {
		return n
	}
	return j
}
