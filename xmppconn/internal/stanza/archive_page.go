package stanza

import (
	"slices"

	"github.com/perch-im/perch"
)

// ArchivePage collects the results of one query by XEP-0313, which come as messages ahead of the
// IQ answer, within the bounds of a page. It has no lock.
type ArchivePage struct {
	Items     []perch.ArchiveItem
	Bytes     int       // an estimate of the memory of the items
	Truncated bool      // a result found no room
	Archive   perch.JID // whose archive it is of; "": the own one

	limit      int
	keepNewest bool // the page ends where it was asked to: what comes last counts
}

// What a server may send for one query, whatever was asked. Bytes count estimates of memory.
const (
	maxArchivePage   = 500
	archivePageBytes = 4 << 20
)

// NewArchivePage is for the results of a query to an archive, as Archive says.
func NewArchivePage(asked perch.ArchiveQuery, archive perch.JID) *ArchivePage {
	q := &ArchivePage{Items: []perch.ArchiveItem{}, Archive: archive, limit: asked.Limit}
	q.keepNewest = asked.Before != "" || asked.After == "" && (asked.Start == 0 || asked.End != 0)
	if q.limit <= 0 || q.limit > maxArchivePage {
		q.limit = maxArchivePage
	}
	return q
}

// SentBy reports whether a stanza is from the archive that was asked; own is the own address.
func (q *ArchivePage) SentBy(from, own perch.JID) bool {
	if q.Archive != "" {
		return from.Equal(q.Archive)
	}
	return from == "" || from.Equal(own.Bare())
}

// Add takes one item. When a page is too large it ends early, on the side away from where it
// was asked to begin, so that the rest can be asked for. Room is what the other queries leave.
func (q *ArchivePage) Add(item *perch.ArchiveItem, room int) {
	room = min(room, archivePageBytes)
	if q.Truncated && !q.keepNewest {
		return // nothing after a hole
	}
	q.Items, q.Bytes = append(q.Items, *item), q.Bytes+itemCost(item)
	for len(q.Items) > q.limit || len(q.Items) > 0 && q.Bytes > room {
		at := len(q.Items) - 1
		if q.keepNewest {
			at = 0
		}
		q.Bytes -= itemCost(&q.Items[at])
		q.Items, q.Truncated = slices.Delete(q.Items, at, at+1), true
	}
}

// Page is what was collected. One that ended early has the ids at which it did; without such an id
// the error is [perch.ErrAnswerTooLarge].
func (q *ArchivePage) Page(fin MAMFin) (perch.ArchivePage, error) {
	p := perch.ArchivePage{Items: q.Items, First: fin.First, Last: fin.Last, Complete: fin.Complete}
	if !q.Truncated {
		return p, nil
	}
	edge := ""
	if n := len(p.Items); n > 0 && q.keepNewest {
		edge = archiveID(&p.Items[0])
		p.First = edge
	} else if n > 0 {
		edge = archiveID(&p.Items[n-1])
		p.Last = edge
	}
	if edge == "" {
		return perch.ArchivePage{}, perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the archive page exceeds the limit of this gateway")
	}
	p.Complete = false
	return p, nil
}

// itemCost is the memory of an item.
func itemCost(it *perch.ArchiveItem) int {
	return 512 + len(it.From) + len(it.To) + len(it.ID) + len(it.StanzaID) + len(it.RoomStanzaID) + len(it.OriginID) +
		len(it.Thread) + len(it.Subject) + len(it.Body) + it.MessageDetails.Size() + it.Relation.Size() + it.Invited.Size() + it.Room.Size()
}
