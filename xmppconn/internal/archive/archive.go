// Package archive reads the archive of an account and those of rooms (XEP-0313), and the last messages that
// a service of XEP-0136 gives. It has no connection: it asks by a function, and is given what arrives.
package archive

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// Ask sends a request and returns the payload of its answer. To "" it is for the own account. An error
// answer is a *perch.Error with XMPP.
type Ask func(ctx context.Context, typ string, to perch.JID, payload []byte) (*xmlstream.Element, error)

// Reader reads archives on one connection. It is safe for concurrent use.
type Reader struct {
	ask   Ask
	login *perch.Login

	mu      sync.Mutex
	queries map[string]*stanza.ArchivePage // that are open, by their ids; nil: none
	fields  map[perch.JID]string           // by which archives are searched; "": that one cannot be
}

// New is a Reader that asks so. Login is that of the connection, and is not needed before a request.
func New(ask Ask, login *perch.Login) Reader { return Reader{ask: ask, login: login} }

// Own reads a page of the messages with one account, as this upstream keeps them: by XEP-0136 the last
// few, by XEP-0313 with paging. Elsewhere the error is of KindFeatureUnsupported, and nothing is sent.
func (a *Reader) Own(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	switch a.login.Capabilities.Archive {
	case "136":
		if q.Text != "" {
			return perch.ArchivePage{}, perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot search its archive")
		}
		return a.last(ctx, q)
	case "313":
		return a.Of(ctx, "", q)
	}
	return perch.ArchivePage{}, perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot read an archive")
}

// last reads the last messages with one account (XEP-0136).
func (a *Reader) last(ctx context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	payload, err := stanza.EncodeArchive136(q)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	answer, err := a.ask(ctx, "get", "", payload)
	if perch.ConditionOf(err) == "item-not-found" {
		answer, err = nil, nil // the archive has nothing of this account
	}
	if err != nil {
		return perch.ArchivePage{}, err
	}
	page := stanza.ParseArchive136(answer, a.login.JID, q, a.login.Capabilities.ArchiveMax, perch.At(time.Now()))
	if page.Items == nil {
		page.Items = []perch.ArchiveItem{}
	}
	return page, nil
}

// outside reports whether an item is of another time than was asked for: Prosody 13 with its own storage
// oversteps a start and an end by one. Archives may give their times in whole seconds, rounded down.
func outside(it *perch.ArchiveItem, q perch.ArchiveQuery) bool {
	return !it.TimeIsArrival && (q.End != 0 && it.Time > q.End || q.Start > 1000 && it.Time <= q.Start-1000)
}

// Of reads a page of the archive of a room, or of the own one for "" (XEP-0313). When nothing comes after
// an id, the archive must have that id: one that has it no more must say item-not-found (4.3.1), and
// Prosody 13 with its own storage answers with nothing. What has come since would be lost in silence.
func (a *Reader) Of(ctx context.Context, archive perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	page, err := a.page(ctx, archive, q)
	page.Items = slices.DeleteFunc(page.Items, func(it perch.ArchiveItem) bool { return outside(&it, q) })
	if err != nil || q.After == "" || page.Last != "" || len(page.Items) > 0 {
		return page, err
	}
	place, err := a.page(ctx, archive, perch.ArchiveQuery{ID: q.After, Start: 1, Limit: 1})
	switch {
	case err == nil && place.Last == "" && len(place.Items) == 0:
		return perch.ArchivePage{}, perch.Errorf(perch.KindItemNotFound, "the archive does not have the message after which it was asked")
	case perch.KindOf(err) == perch.KindSessionOffline, perch.KindOf(err) == perch.KindUpstreamTimeout, ctx.Err() != nil:
		return perch.ArchivePage{}, err
	}
	return page, nil // it is there, or the archive cannot be asked for one (4.1.4)
}

// page asks for one page. Where the archive cannot be searched, no query with a Text is sent.
func (a *Reader) page(ctx context.Context, archive perch.JID, q perch.ArchiveQuery) (_ perch.ArchivePage, err error) {
	field := ""
	if q.Text != "" {
		if field, err = a.field(ctx, archive); err != nil {
			return perch.ArchivePage{}, err
		}
	}
	id := stanza.NewID()
	payload, err := stanza.EncodeMAM(q, id, field)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	query := a.open(id, archive, q)
	defer a.close(id)
	answer, err := a.ask(ctx, "set", archive, payload)
	if err != nil {
		return perch.ArchivePage{}, err
	}
	fin, ok := stanza.ParseMAMFin(answer)
	if !ok {
		return perch.ArchivePage{}, perch.Errorf(perch.KindXMPP, "archive response lacks <fin/>")
	}
	a.close(id)
	return query.Page(fin)
}
