package archive

import (
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// maxBytes is how much a server may send for all queries that are open at once. Bytes count estimates of
// memory.
const maxBytes = 16 << 20

// Taken is what became of a result.
type Taken int

// What becomes of a result.
const (
	Item   Taken = iota // it is an item of its page, or there was no room
	Forged              // it is of no open query, or not from the archive that was asked
	Broken              // there is no message in it
	Silent              // there is nothing in it for a person
)

func (a *Reader) open(id string, archive perch.JID, asked perch.ArchiveQuery) *stanza.ArchivePage {
	q := stanza.NewArchivePage(asked, archive)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.queries == nil {
		a.queries = map[string]*stanza.ArchivePage{}
	}
	a.queries[id] = q
	return q
}

// close ends the collecting; afterwards the items belong to the caller alone.
func (a *Reader) close(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if delete(a.queries, id); len(a.queries) == 0 {
		a.queries = nil
	}
}

// Take takes one result, if the archive that was asked sent it for a query that is open (XEP-0313, 10).
// Archived stanzas with nothing in them for a person are not items.
func (a *Reader) Take(r *stanza.ArchiveResult) Taken {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queries[r.QueryID]
	switch {
	case q == nil || !q.SentBy(r.From, a.login.JID):
		return Forged
	case r.Broken:
		return Broken
	case r.Item == nil:
		return Silent
	}
	room := maxBytes
	for _, other := range a.queries {
		room -= other.Bytes
	}
	q.Add(r.Item, room+q.Bytes)
	return Item
}

// Skipped makes a skipped stanza the result that it brings, with the reason in place of the text: as an
// event of its own, it would come with every reading of the archive. Nil for what neither the own archive
// nor one that is asked has sent.
func (a *Reader) Skipped(s *xmlstream.Skipped) *stanza.ArchiveResult {
	r := stanza.SkippedResult(s, a.login.JID, perch.At(time.Now()))
	if r == nil {
		return nil
	}
	own := s.From == "" || s.From.Equal(a.login.JID.Bare())
	if !own && !a.asks(r) {
		return nil
	}
	return r
}

// asks reports whether a result is of an open query to its sender.
func (a *Reader) asks(r *stanza.ArchiveResult) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queries[r.QueryID]
	return q != nil && q.SentBy(r.From, a.login.JID)
}
