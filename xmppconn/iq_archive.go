package xmppconn

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/roomadmin"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// archiveBytes is how much a server may send for all queries that are open at once. Bytes count
// estimates of memory.
const archiveBytes = 16 << 20

// Archive reads a page of the messages with one account, as this upstream keeps them: by
// XEP-0136 the last few, by XEP-0313 with paging.
func (c *Conn) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	switch c.login.Capabilities.Archive {
	case "136":
		return c.archive136(ctx, q)
	case "313":
		return c.archive313(ctx, "", q)
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
	if perch.ConditionOf(err) == "item-not-found" {
		return parse(nil), nil // the archive has nothing of this account
	}
	return page, err
}

// RoomArchive reads a page of the archive of a room (XEP-0313). With of the query says nothing.
func (c *Conn) RoomArchive(ctx context.Context, room perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	if c.login.Capabilities.ChatOnly {
		return perch.ArchivePage{}, unsupported("have rooms")
	}
	q.With = ""
	page, err := c.archive313(ctx, room.Bare(), q)
	return page, roomadmin.Refusal(err)
}

// archive313 asks the archive of a room, or the own one (XEP-0313). When nothing comes after an id, the
// archive must have that id: one that has it no more must say item-not-found (4.3.1), and Prosody 13 with
// its own storage answers with nothing. What has come since would be lost in silence.
func (c *Conn) archive313(ctx context.Context, archive perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	page, err := c.archivePage(ctx, archive, q)
	if err != nil || q.After == "" || page.Last != "" || len(page.Items) > 0 {
		return page, err
	}
	place, err := c.archivePage(ctx, archive, perch.ArchiveQuery{ID: q.After, Start: 1, Limit: 1})
	switch {
	case err == nil && place.Last == "" && len(place.Items) == 0:
		return perch.ArchivePage{}, perch.Errorf(perch.KindItemNotFound, "the archive does not have the message after which it was asked")
	case perch.KindOf(err) == perch.KindSessionOffline, perch.KindOf(err) == perch.KindUpstreamTimeout, ctx.Err() != nil:
		return perch.ArchivePage{}, err
	}
	return page, nil // it is there, or the archive cannot be asked for one (4.1.4)
}

func (c *Conn) archivePage(ctx context.Context, archive perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	id := stanza.NewID()
	payload, err := stanza.EncodeMAM(q, id)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	query := c.openQuery(id, archive, q)
	defer c.closeQuery(id)
	fin, err := request(ctx, c, "archive", "set", archive, payload, func(in stanza.IQ) (stanza.MAMFin, error) {
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
	return query.Page(fin)
}

func (c *Conn) openQuery(id string, archive perch.JID, asked perch.ArchiveQuery) *stanza.ArchivePage {
	q := stanza.NewArchivePage(asked, archive)
	c.mu.Lock()
	defer c.unlock()
	if c.queries == nil {
		c.queries = map[string]*stanza.ArchivePage{}
	}
	c.queries[id] = q
	return q
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
	case q == nil || !q.SentBy(r.From, c.login.JID):
		c.d.counters.ForgedOther.Add(1)
	case r.Broken:
		c.d.counters.Malformed.Add(1)
	case r.Item == nil:
		c.d.counters.Silent.Add(1)
	default:
		room := archiveBytes
		for _, other := range c.queries {
			room -= other.Bytes
		}
		q.Add(r.Item, room+q.Bytes)
	}
}

// skippedResult makes a skipped stanza an item of the archive page that it belongs to, with
// the reason in place of the text: as an event of its own, it would come with every reading of
// the archive. It reports false for what neither the own archive nor one that is asked has sent.
func (c *Conn) skippedResult(s *xmlstream.Skipped) bool {
	r := stanza.SkippedResult(s, c.login.JID, perch.At(time.Now()))
	if r == nil || !c.fromOwnAccount(s.From) && !c.asks(r) {
		return false
	}
	c.archiveResult(r)
	return true
}

// asks reports whether a result is of an open query to its sender.
func (c *Conn) asks(r *stanza.ArchiveResult) bool {
	c.mu.Lock()
	defer c.unlock()
	q := c.queries[r.QueryID]
	return q != nil && q.SentBy(r.From, c.login.JID)
}
