package xmppconn

import (
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// archiveQuery collects the results of one query by XEP-0313, which come as messages ahead
// of the IQ answer. Mu of the Conn guards it.
type archiveQuery struct {
	items  []perch.ArchiveItem
	most   int
	bytes  int
	latest bool // the page ends where it was asked to: what comes last counts
	cut    bool // a result found no room
}

// What a server may send us for one query, whatever was asked, and for all that are open at
// once. Bytes count estimates of memory.
const (
	maxArchivePage   = 500
	archivePageBytes = 4 << 20
	archiveBytes     = 16 << 20
)

// Archive reads a page of the messages with one account, as this upstream keeps them: by
// XEP-0136 the last few, by XEP-0313 with paging.
func (c *Conn) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	switch c.login.Capabilities.Archive {
	case "136":
		return c.archive136(ctx, q)
	case "313":
		return c.archive313(ctx, q)
	}
	return perch.ArchivePage{}, unsupported("read an archive")
}

func (c *Conn) archive136(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	payload, err := encodeArchive136(q)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	parse := func(payload *element) perch.ArchivePage {
		page := parseArchive136(payload, c.login.JID, q, c.login.Capabilities.ArchiveMax, perch.At(time.Now()))
		if page.Items == nil {
			page.Items = []perch.ArchiveItem{}
		}
		return page
	}
	page, err := request(ctx, c, "archive", "get", "", payload, func(in iqIn) (perch.ArchivePage, error) {
		return parse(in.payload), nil
	})
	if conditionOf(err) == "item-not-found" {
		return parse(nil), nil // nothing was ever kept
	}
	return page, err
}

func (c *Conn) archive313(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	id := newID()
	payload, err := encodeMAM(q, id)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	query := c.openQuery(id, q)
	defer c.closeQuery(id)
	fin, err := request(ctx, c, "archive", "set", "", payload, func(in iqIn) (mamFin, error) {
		fin, ok := parseMAMFin(in.payload)
		if !ok {
			return fin, perch.Errorf(perch.KindXMPP, "the archive's answer has no end")
		}
		return fin, nil
	})
	if err != nil {
		return perch.ArchivePage{}, err
	}
	c.closeQuery(id)
	return query.page(fin)
}

func (c *Conn) openQuery(id string, asked perch.ArchiveQuery) *archiveQuery {
	q := &archiveQuery{items: []perch.ArchiveItem{}, most: asked.Limit}
	q.latest = asked.Before != "" || asked.After == "" && (asked.Start == 0 || asked.End != 0)
	if q.most <= 0 || q.most > maxArchivePage {
		q.most = maxArchivePage
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queries == nil {
		c.queries = map[string]*archiveQuery{}
	}
	c.queries[id] = q
	return q
}

// add takes one item. When a page is too large it ends early, on the side away from where it
// was asked to begin, so that the rest can be asked for. Room is what the other queries leave.
func (q *archiveQuery) add(item *perch.ArchiveItem, room int) {
	room = min(room, archivePageBytes)
	if q.cut && !q.latest {
		return // nothing after a hole
	}
	q.items, q.bytes = append(q.items, *item), q.bytes+archivedCost(item)
	for len(q.items) > q.most || len(q.items) > 0 && q.bytes > room {
		at := len(q.items) - 1
		if q.latest {
			at = 0
		}
		q.bytes -= archivedCost(&q.items[at])
		q.items, q.cut = slices.Delete(q.items, at, at+1), true
	}
}

// page is what was collected. One that ended early has the ids at which it did.
func (q *archiveQuery) page(fin mamFin) (perch.ArchivePage, error) {
	p := perch.ArchivePage{Items: q.items, First: fin.first, Last: fin.last, Complete: fin.complete}
	if !q.cut {
		return p, nil
	}
	edge := ""
	if n := len(p.Items); n > 0 && q.latest {
		edge = p.Items[0].StanzaID
		p.First = edge
	} else if n > 0 {
		edge = p.Items[n-1].StanzaID
		p.Last = edge
	}
	if edge == "" {
		return perch.ArchivePage{}, perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the page of the archive is larger than this gateway takes")
	}
	p.Complete = false
	return p, nil
}

// archivedCost is the memory of an item.
func archivedCost(it *perch.ArchiveItem) int {
	return 512 + len(it.From) + len(it.To) + len(it.ID) + len(it.StanzaID) + len(it.RoomStanzaID) + len(it.OriginID) +
		len(it.Thread) + len(it.Subject) + len(it.Body)
}

// closeQuery ends the collecting; afterwards the items belong to the caller alone.
func (c *Conn) closeQuery(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if delete(c.queries, id); len(c.queries) == 0 {
		c.queries = nil
	}
}

// archiveResult takes one result, if the archive that was asked sent it for a query that is
// open (XEP-0313, 10). Archived stanzas with nothing in them for a person are not items, and
// are counted as they would be live.
func (c *Conn) archiveResult(r *mamResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queries[r.queryID]
	switch {
	case q == nil || !c.fromOwnAccount(r.from):
		c.d.counters.ForgedOther.Add(1)
	case r.broken:
		c.d.counters.Malformed.Add(1)
	case r.item == nil:
		c.d.counters.Silent.Add(1)
	default:
		room := archiveBytes
		for _, other := range c.queries {
			room -= other.bytes
		}
		q.add(r.item, room+q.bytes)
	}
}
