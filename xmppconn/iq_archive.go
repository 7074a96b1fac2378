package xmppconn

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/archive"
	"github.com/perch-im/perch/xmppconn/internal/roomadmin"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// askArchive is a request for internal/archive.
func (c *Conn) askArchive(ctx context.Context, typ string, to perch.JID, payload []byte) (*xmlstream.Element, error) {
	return request(ctx, c, "archive", typ, to, payload, func(in stanza.IQ) (*xmlstream.Element, error) { return in.Payload, nil })
}

// Archive reads a page of the messages with one account, as this upstream keeps them: by
// XEP-0136 the last few, by XEP-0313 with paging.
func (c *Conn) Archive(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	return c.archives.Own(ctx, q)
}

// SearchesArchive reports whether the own archive has said that it can be searched for a text. It asks nothing.
func (c *Conn) SearchesArchive() bool { return c.archives.Searches() }

// RoomArchive reads a page of the archive of a room (XEP-0313). With of the query says nothing.
func (c *Conn) RoomArchive(ctx context.Context, room perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	if c.login.Capabilities.ChatOnly {
		return perch.ArchivePage{}, unsupported("have rooms")
	}
	q.With = ""
	page, err := c.archives.Of(ctx, room.Bare(), q)
	return page, roomadmin.Refusal(err)
}

// archiveResult takes one result. Archived stanzas with nothing in them for a person are counted as
// they would be live.
func (c *Conn) archiveResult(r *stanza.ArchiveResult) {
	switch c.archives.Take(r) {
	case archive.Forged:
		c.d.counters.ForgedOther.Add(1)
	case archive.Broken:
		c.d.counters.Malformed.Add(1)
	case archive.Silent:
		c.d.counters.Silent.Add(1)
	}
}

// skippedResult reports whether a skipped stanza is one of an archive, and takes it.
func (c *Conn) skippedResult(s *xmlstream.Skipped) bool {
	r := c.archives.Skipped(s)
	if r != nil {
		c.archiveResult(r)
	}
	return r != nil
}
