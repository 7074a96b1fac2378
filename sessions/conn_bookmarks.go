package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// BookmarkConn is what a Conn may have besides: the rooms of the account, as all of its clients share
// them (XEP-0402, XEP-0048). Each is of perch.KindFeatureUnsupported where the server has no store in
// which none can be lost, and on a service that has no rooms, to which nothing is sent. What changes
// meanwhile, by this Conn or another client, arrives as a perch.BookmarksIn.
type BookmarkConn interface {
	// Bookmarks fetches all.
	Bookmarks(ctx context.Context) ([]perch.RoomBookmark, error)
	// PutBookmark adds or changes one: all of b but Store and Foreign is what it says from then on, and
	// what other clients have in it stays. It may take a second: where all bookmarks are one document,
	// it waits whether another client replaces it at the same time, and is of perch.KindConflict when
	// one does so again and again.
	PutBookmark(ctx context.Context, b perch.RoomBookmark) error
	// RemoveBookmark removes one; one that is not there is removed. It waits as PutBookmark does.
	RemoveBookmark(ctx context.Context, room perch.JID) error
	// BookmarkStore is where they are: "0402", "0048" or "0049".
	BookmarkStore(ctx context.Context) (string, error)
}
