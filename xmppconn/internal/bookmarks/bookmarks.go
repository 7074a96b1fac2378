// Package bookmarks keeps the rooms of an account in the store that the account's other clients read
// (XEP-0402, XEP-0048, XEP-0049), and loses none of them. It has no connection: it asks by a function.
//
// Where the server shows items of XEP-0402 to older clients, each room is an item. Elsewhere all rooms are
// one document, which is read again before each change; what another client has put into it stays. After a
// change of either it is read once more: one who wrote at the same time may have replaced the document,
// and a server that makes items of it may have lost one. A node that is not for the account alone, or that has
// no room for all items, is not used (see internal/pepnode).
package bookmarks

import (
	"context"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/pepnode"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

var (
	items     = pepnode.Kind{Name: stanza.NodeBookmarks, Many: true, What: "bookmarks"}
	documents = pepnode.Kind{Name: stanza.NodeBookmarksOld, What: "bookmarks"}
)

// A change of the document is looked at again after settle; one that others keep replacing is given up.
const (
	settle   = 250 * time.Millisecond
	maxTries = 5
)

// List are the bookmarks of an account. It is safe for concurrent use. Its errors are of
// KindFeatureUnsupported where the server has no store for them that is safe, and those of the
// requests else.
type List struct {
	ask             pepnode.Ask
	items, document pepnode.Node
	writing         chan struct{} // holds one while a change is read and written

	mu     sync.Mutex // guards all below, and is not held across a request
	stores []string   // that may be used, best first; nil: not known
}

// New is the list of an account, with nothing known of its server. Ask is as that of internal/roomadmin:
// it names the request in statistics, and to nobody it asks the account.
func New(ask func(ctx context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error)) *List {
	own := func(ctx context.Context, typ string, payload []byte) (*xmlstream.Element, error) {
		return ask(ctx, "bookmarks", typ, "", payload, nil)
	}
	return &List{ask: own, writing: make(chan struct{}, 1)}
}

// Bookmarks fetches all.
func (l *List) Bookmarks(ctx context.Context) (list []perch.RoomBookmark, err error) {
	err = l.use(ctx, func(store string) error {
		list, err = l.read(ctx, store)
		return err
	})
	return list, err
}

// PutBookmark adds the bookmark of a room, or changes it: all of b but Store and Foreign is what it says
// from then on. What other clients have in it stays.
func (l *List) PutBookmark(ctx context.Context, b perch.RoomBookmark) error {
	if err := stanza.CheckBookmark(b); err != nil {
		return err
	}
	return l.use(ctx, func(store string) error {
		b.Store = store
		if store == stanza.Store0402 {
			return l.putItem(ctx, b)
		}
		return l.change(ctx, store, func(d stanza.BookmarkDocument) (stanza.BookmarkDocument, bool, error) { return d.Put(b) })
	})
}

// RemoveBookmark removes that of a room; one that is not there is removed.
func (l *List) RemoveBookmark(ctx context.Context, room perch.JID) error {
	if err := stanza.CheckBookmark(perch.RoomBookmark{JID: room}); err != nil {
		return err
	}
	return l.use(ctx, func(store string) error {
		if store == stanza.Store0402 {
			return l.removeItem(ctx, room)
		}
		return l.change(ctx, store, func(d stanza.BookmarkDocument) (stanza.BookmarkDocument, bool, error) {
			d, changed := d.Remove(room)
			return d, changed, nil
		})
	})
}

// BookmarkStore is where the bookmarks are, as perch.Bookmark names it.
func (l *List) BookmarkStore(ctx context.Context) (store string, err error) {
	err = l.use(ctx, func(s string) error {
		store = s
		return nil
	})
	return store, err
}

// Hears reports whether changes that the server tells of a store are changes of the list, as far as is
// known.
func (l *List) Hears(store string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stores == nil || len(l.stores) > 0 && l.stores[0] == store
}

// use runs f with the best store, and with the next one when that turns out to be none.
func (l *List) use(ctx context.Context, f func(store string) error) error {
	for {
		store, err := l.best(ctx)
		if err != nil {
			return err
		}
		err = f(store)
		if perch.KindOf(err) != perch.KindFeatureUnsupported {
			return err
		}
		l.giveUp(store)
	}
}

// best is the best store that is left.
func (l *List) best(ctx context.Context) (string, error) {
	l.mu.Lock()
	stores := l.stores
	l.mu.Unlock()
	if stores == nil {
		info, err := l.ask(ctx, "get", stanza.EncodeDiscoInfo())
		if err != nil && !pepnode.Refused(err) {
			return "", err
		}
		stores = stanza.BookmarkStores(info)
		l.mu.Lock()
		if l.stores == nil {
			l.stores = stores
		}
		stores = l.stores
		l.mu.Unlock()
	}
	if len(stores) == 0 {
		return "", items.Unsupported(nil)
	}
	return stores[0], nil
}

// giveUp goes on to the next store.
func (l *List) giveUp(store string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.stores) > 0 && l.stores[0] == store {
		l.stores = l.stores[1:]
	}
}
