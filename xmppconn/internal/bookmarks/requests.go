package bookmarks

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// get asks for something of a store. A node that is not there yet has nothing in it.
func (l *List) get(ctx context.Context, payload []byte) (*xmlstream.Element, error) {
	answer, err := l.ask(ctx, "get", payload)
	switch perch.ConditionOf(err) {
	case "item-not-found":
		return nil, nil
	case "service-unavailable", "feature-not-implemented":
		return nil, items.Unsupported(err) // there is no such store
	}
	return answer, err
}

func (l *List) read(ctx context.Context, store string) ([]perch.RoomBookmark, error) {
	if store != stanza.Store0402 {
		answer, err := l.get(ctx, stanza.EncodeDocumentGet(store))
		if err != nil {
			return nil, err
		}
		return stanza.ParseDocument(answer).Bookmarks(store)
	}
	payload, err := stanza.EncodeBookmarksGet("")
	if err != nil {
		return nil, err
	}
	answer, err := l.get(ctx, payload)
	if err != nil {
		return nil, err
	}
	return stanza.ParseBookmarks(answer)
}

// alone waits until no other change is being written, and runs f.
func (l *List) alone(ctx context.Context, f func() error) error {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		return perch.Wrap(perch.KindUpstreamTimeout, ctx.Err(), "the server did not answer in time")
	}
	defer func() { <-l.writing }()
	return f()
}

func (l *List) putItem(ctx context.Context, b perch.RoomBookmark) error {
	ask, err := stanza.EncodeBookmarksGet(b.JID)
	if err != nil {
		return err
	}
	return l.untilThere(ctx, func() (write func() error, err error) {
		answer, err := l.get(ctx, ask)
		if err != nil {
			return nil, err
		}
		old := stanza.BookmarkItem(answer, b.JID)
		if old != nil && stanza.SameBookmark(old, b) {
			return nil, nil
		}
		return func() error {
			return l.items.Publish(ctx, l.ask, items, func(options bool) ([]byte, error) { return stanza.EncodeBookmark(b, old, options) })
		}, nil
	})
}

func (l *List) removeItem(ctx context.Context, room perch.JID) error {
	ask, err := stanza.EncodeBookmarksGet(room)
	if err != nil {
		return err
	}
	payload, err := stanza.EncodeBookmarkRetract(room)
	if err != nil {
		return err
	}
	return l.untilThere(ctx, func() (write func() error, err error) {
		answer, err := l.get(ctx, ask)
		if err != nil || stanza.BookmarkItem(answer, room) == nil {
			return nil, err
		}
		return func() error {
			_, err := l.ask(ctx, "set", payload)
			if perch.ConditionOf(err) == "item-not-found" {
				return nil
			}
			return err
		}, nil
	})
}

// change reads the document, changes it and writes it.
func (l *List) change(ctx context.Context, store string, edit func(stanza.BookmarkDocument) (stanza.BookmarkDocument, bool, error)) error {
	return l.untilThere(ctx, func() (write func() error, err error) {
		answer, err := l.get(ctx, stanza.EncodeDocumentGet(store))
		if err != nil {
			return nil, err
		}
		d, changed, err := edit(stanza.ParseDocument(answer))
		if err != nil || !changed {
			return nil, err
		}
		return func() error { return l.write(ctx, store, d) }, nil
	})
}

// untilThere writes a change until a look some time later finds it there: look returns how to write it, or nil.
// Who wrote at the same time may have undone it: another client the document, or ejabberd 24 an item, when it
// makes the one of the other.
func (l *List) untilThere(ctx context.Context, look func() (write func() error, err error)) error {
	for tries := 0; ; tries++ {
		there := false
		err := l.alone(ctx, func() error {
			write, err := look()
			if there = write == nil; there {
				return err
			}
			if tries == maxTries {
				return perch.Errorf(perch.KindConflict, "another client keeps replacing the bookmarks")
			}
			return write()
		})
		if there || err != nil {
			return err
		}
		select {
		case <-time.After(settle):
		case <-ctx.Done():
			return perch.Wrap(perch.KindUpstreamTimeout, ctx.Err(), "the server did not answer in time")
		}
	}
}

func (l *List) write(ctx context.Context, store string, d stanza.BookmarkDocument) error {
	if store == stanza.Store0048 {
		return l.document.Publish(ctx, l.ask, documents, func(options bool) ([]byte, error) { return d.Encode(store, options) })
	}
	payload, err := d.Encode(store, false)
	if err != nil {
		return err
	}
	_, err = l.ask(ctx, "set", payload)
	return err
}
