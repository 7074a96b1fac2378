package xmppconn

import (
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// archiveQuery collects the results of one query by XEP-0313, which come as messages ahead
// of the IQ answer. Mu of the Conn guards it.
type archiveQuery struct {
	items      []perch.ArchiveItem
	limit      int
	bytes      int
	keepNewest bool // the page ends where it was asked to: what comes last counts
	truncated  bool // a result found no room
}

// What a server may send for one query, whatever was asked, and for all that are open at
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
	payload, err := stanza.EncodeArchive136(q)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	parse := func(payload *xmlstream.Element) perch.ArchivePage {
		page := stanza.ParseArchive136(payload, c.login.JID, q, c.login.Capabilities.ArchiveMax, perch.At(time.Now()))
		if page.Items == nil {
			page.Items = []perch.ArchiveItem{}
		}
		return page
	}
	page, err := request(ctx, c, "archive", "get", "", payload, func(in stanza.IQ) (perch.ArchivePage, error) {
		return parse(in.Payload), nil
	})
	if conditionOf(err) == "item-not-found" {
		return parse(nil), nil // the archive has nothing of this account
	}
	return page, err
}

func (c *Conn) archive313(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	id := stanza.NewID()
	payload, err := stanza.EncodeMAM(q, id)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	query := c.openQuery(id, q)
	defer c.closeQuery(id)
	fin, err := request(ctx, c, "archive", "set", "", payload, func(in stanza.IQ) (stanza.MAMFin, error) {
		fin, ok := stanza.ParseMAMFin(in.Payload)
		if !ok {
			return fin, perch.Errorf(perch.KindXMPP, "archive response lacks <fin/>")
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
	q := &archiveQuery{items: []perch.ArchiveItem{}, limit: asked.Limit}
	q.keepNewest = asked.Before != "" || asked.After == "" && (asked.Start == 0 || asked.End != 0)
	if q.limit <= 0 || q.limit > maxArchivePage {
		q.limit = maxArchivePage
	}
	c.mu.Lock()
	defer c.unlock()
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
	if q.truncated && !q.keepNewest {
		return // nothing after a hole
	}
	q.items, q.bytes = append(q.items, *item), q.bytes+itemCost(item)
	for len(q.items) > q.limit || len(q.items) > 0 && q.bytes > room {
		at := len(q.items) - 1
		if q.keepNewest {
			at = 0
		}
		q.bytes -= itemCost(&q.items[at])
		q.items, q.truncated = slices.Delete(q.items, at, at+1), true
	}
}

// page is what was collected. One that ended early has the ids at which it did.
func (q *archiveQuery) page(fin stanza.MAMFin) (perch.ArchivePage, error) {
	p := perch.ArchivePage{Items: q.items, First: fin.First, Last: fin.Last, Complete: fin.Complete}
	if !q.truncated {
		return p, nil
	}
	edge := ""
	if n := len(p.Items); n > 0 && q.keepNewest {
		edge = p.Items[0].StanzaID
		p.First = edge
	} else if n > 0 {
		edge = p.Items[n-1].StanzaID
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
		len(it.Thread) + len(it.Subject) + len(it.Body)
}

// closeQuery ends the collecting; afterwards the items belong to the caller alone.
func (c *Conn) closeQuery(id string) {
	c.mu.Lock()
	defer c.unlock()
	if delete(c.queries, id); len(c.queries) == 0 {
		c.queries = nil
	}
}

// archiveResult takes one result, if the archive that was asked sent it for a query that is
// open (XEP-0313, 10). Archived stanzas with nothing in them for a person are not items, and
// are counted as they would be live.
func (c *Conn) archiveResult(r *stanza.ArchiveResult) {
	c.mu.Lock()
	defer c.unlock()
	q := c.queries[r.QueryID]
	switch {
	case q == nil || !c.fromOwnAccount(r.From):
		c.d.counters.ForgedOther.Add(1)
	case r.Broken:
		c.d.counters.Malformed.Add(1)
	case r.Item == nil:
		c.d.counters.Silent.Add(1)
	default:
		room := archiveBytes
		for _, other := range c.queries {
			room -= other.bytes
		}
		q.add(r.Item, room+q.bytes)
	}
}

// skippedResult makes a skipped stanza an item of the archive page that it belongs to, with
// the reason in place of the text: as an event of its own, it would come with every reading of
// the archive. It reports false for what the own archive did not send.
func (c *Conn) skippedResult(s *xmlstream.Skipped) bool {
	if !c.fromOwnAccount(s.From) {
		return false
	}
	r := stanza.SkippedResult(s, c.login.JID, perch.At(time.Now()))
	if r != nil {
		c.archiveResult(r)
	}
	return r != nil
}
