package archive

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// MaxBytes is the bound of all pages at once.
const MaxBytes = maxBytes

// Open begins a query without asking.
func (a *Reader) Open(id string, archive perch.JID, q perch.ArchiveQuery) *stanza.ArchivePage {
	return a.open(id, archive, q)
}

// Close ends one.
func (a *Reader) Close(id string) { a.close(id) }

// Queries are how many are open.
func (a *Reader) Queries() int { return len(a.queries) }

// Forms are of how many archives it is remembered how they are searched.
func (a *Reader) Forms() int { return len(a.fields) }
