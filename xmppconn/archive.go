package xmppconn

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// archiveQuery collects the results of one query by XEP-0313, which come as messages ahead
// of the IQ answer. Mu of the Conn guards it.
type archiveQuery struct {
	items []perch.ArchiveItem
	most  int
}

// maxArchivePage bounds what a server may send us for one query, whatever was asked.
const maxArchivePage = 500

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
	query := c.openQuery(id, q.Limit)
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
	return perch.ArchivePage{Items: query.items, First: fin.first, Last: fin.last, Complete: fin.complete}, nil
}

func (c *Conn) openQuery(id string, limit int) *archiveQuery {
	if limit <= 0 || limit > maxArchivePage {
		limit = maxArchivePage
	}
	q := &archiveQuery{items: []perch.ArchiveItem{}, most: limit}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queries == nil {
		c.queries = map[string]*archiveQuery{}
	}
	c.queries[id] = q
	return q
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
// open (XEP-0313, 10). Archived stanzas with nothing to show are not items.
func (c *Conn) archiveResult(r *mamResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queries[r.queryID]
	if q == nil || !c.fromOwnAccount(r.from) {
		c.d.counters.ForgedOther.Add(1)
		return
	}
	if r.item != nil && len(q.items) < q.most {
		q.items = append(q.items, *r.item)
	}
}
