package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

const (
	bookmarkTime  = 30 * time.Second
	bookmarkAgain = time.Minute
	bookmarkTries = 5 // until the next login

	copyTries = 3 // times that the list is read for what a copy of it lacks
	copyAgain = 2 * time.Second
)

// roomPublisher is what the list of the account is to get.
type roomPublisher struct {
	publishing   bool
	publishTries int
	publishTimer *time.Timer
	passedOver   bool              // news of a room that was being changed here: the list is read again
	rereading    bool              // for what a copy of the list lacks
	lacking      map[perch.JID]int // the rooms of that, and how often the list is still read for each
	news         int               // how often the server has told of the list
}

// auto reports whether the bookmarks say which rooms are joined.
func (x *roomList) auto() bool { return x.host.record().Rooms == RoomsAutoJoin }

// fetchBookmarks asks for the list of the account, once it is used.
func (x *roomList) fetchBookmarks() {
	l := x.host.stream()
	if l == nil || !x.host.Online() || !x.auto() && !x.bookmarked() {
		return
	}
	conn, ok := l.conn.(BookmarkConn)
	if !ok {
		return
	}
	x.host.background(func(ctx context.Context) { x.fetchFrom(ctx, l, conn) })
}

// fetchFrom is fetchBookmarks by one link. When there is news of the list meanwhile, nobody knows which of
// both is older: the list is asked for again.
func (x *roomList) fetchFrom(ctx context.Context, l *link, conn BookmarkConn) {
	ctx, cancel := context.WithTimeout(ctx, bookmarkTime)
	defer cancel()
	for try := range bookmarkTries {
		var before int
		if x.host.call(ctx, func() { before = x.news }) != nil {
			return
		}
		list, err := conn.Bookmarks(ctx)
		if err != nil {
			x.host.logDebug("the bookmarks were not fetched", "error", err)
			return
		}
		done := true
		if x.host.call(ctx, func() {
			if x.host.stream() != l {
				return
			}
			if done = x.news == before || try == bookmarkTries-1; done {
				x.bookmarks(&perch.BookmarksIn{Put: list, All: true})
				x.publishBookmarks()
			}
		}) != nil || done {
			return
		}
	}
}

// askBookmarks implements roomNews.
func (x *roomList) askBookmarks(ctx context.Context) {
	var l *link
	if x.host.call(ctx, func() { l = x.host.stream() }) != nil || l == nil {
		return
	}
	if conn, ok := l.conn.(BookmarkConn); ok {
		x.fetchFrom(ctx, l, conn)
	}
}

func (x *roomList) bookmarked() bool {
	for _, r := range x.byKey {
		if r.row.Bookmark != nil || r.unpublished {
			return true
		}
	}
	return len(x.host.record().Unlist) > 0
}

// bookmarks takes what is in the list of the account. What was changed here, and is not there yet, is
// left as it is.
func (x *roomList) bookmarks(in *perch.BookmarksIn) {
	if in.Copy {
		x.lookForRemoved(in)
		return
	}
	listed := map[perch.JID]bool{}
	for i := range in.Put {
		b := &in.Put[i]
		key := b.JID.Bare().Key()
		listed[key] = true
		if x.unlisted(b.JID) {
			x.passedOver = true
			continue
		}
		r := x.find(b.JID)
		if r == nil {
			if r = x.add(b.JID); r == nil {
				x.host.overBudget("rooms", b.JID)
				continue
			}
		}
		if r.unpublished {
			x.passedOver = x.passedOver || !r.row.Bookmark.says(b)
			continue
		}
		x.takeBookmark(r, b)
	}
	removed := in.Removed
	if in.All {
		for _, r := range x.sorted() {
			if r.row.Bookmark != nil && !listed[r.jid().Key()] {
				removed = append(removed, r.jid())
			}
		}
	}
	for _, jid := range removed {
		r := x.find(jid)
		switch {
		case r == nil:
		case r.unpublished:
			x.passedOver = true
		default:
			x.dropBookmark(r)
		}
	}
}

// lookForRemoved reads the list again when a copy of it lacks a room: the copy is no proof, as it may be of
// before the room was put there.
func (x *roomList) lookForRemoved(in *perch.BookmarksIn) {
	for _, r := range x.sorted() {
		if r.listed() && !slices.ContainsFunc(in.Put, func(b perch.RoomBookmark) bool { return b.JID.Bare().Equal(r.jid()) }) {
			if x.lacking == nil {
				x.lacking = map[perch.JID]int{}
			}
			x.lacking[r.jid()] = copyTries
		}
	}
	if x.rereading || len(x.lacking) == 0 {
		return
	}
	x.rereading = true
	x.host.background(x.reread)
}

// reread reads the list until it has no more of the rooms that a copy lacks, or has them all the same some time
// later: ejabberd 24 tells of the copy before it has changed the list.
func (x *roomList) reread(ctx context.Context) {
	for {
		x.askBookmarks(ctx)
		again := false
		if x.host.call(ctx, func() { again = x.stillLacking() }) != nil || !again {
			return
		}
		select {
		case <-time.After(copyAgain):
		case <-ctx.Done():
			return
		}
	}
}

// stillLacking reports whether the list is to be read once more.
func (x *roomList) stillLacking() bool {
	for jid, tries := range x.lacking {
		if r := x.find(jid); tries == 1 || r == nil || !r.listed() {
			delete(x.lacking, jid)
			continue
		}
		x.lacking[jid] = tries - 1
	}
	x.rereading = len(x.lacking) > 0
	return x.rereading
}

// listed reports whether the room is in the list of the account as far as is known here.
func (r *room) listed() bool { return r.row.Bookmark != nil && !r.unpublished }

// says reports whether an entry of the list is what is written there from here: the echo of that is no news.
func (s *StoredBookmark) says(b *perch.RoomBookmark) bool {
	if s == nil {
		return false
	}
	here := s.Bookmark
	here.Store = b.Store // is the list's
	return here == b.Bookmark
}

// takeBookmark takes one entry of the list.
func (x *roomList) takeBookmark(r *room, b *perch.RoomBookmark) {
	before := r.row.Bookmark
	next := &StoredBookmark{Bookmark: b.Bookmark, Foreign: b.Foreign}
	if b.Password != "" {
		next.Password = x.sealed.sealPassword(x.id, r.jid(), perch.NewSecret(b.Password))
	}
	r.row.Bookmark = next
	if x.list != nil && next.Notify != "" && (before == nil || before.Notify != next.Notify) {
		x.list.notifyBy(r.jid(), next.Notify)
	}
	if before == nil || before.Bookmark != next.Bookmark {
		x.changed(r)
	} else {
		x.put(r)
	}
	x.follow(r)
}

func (x *roomList) dropBookmark(r *room) {
	if r.row.Bookmark == nil {
		return
	}
	r.row.Bookmark = nil
	x.changed(r)
	x.follow(r)
	if r.row.State == perch.RoomStateLeft && !r.wanted() && r.row.JoinedAt == 0 {
		x.remove(r)
	}
}

// follow joins or leaves a room as its bookmark says, where bookmarks say that.
func (x *roomList) follow(r *room) {
	w := &r.row.Wanted
	wants := x.auto() && r.row.Bookmark != nil && r.row.Bookmark.AutoJoin
	if w.Bookmark == wants {
		return
	}
	w.Bookmark = wants
	x.put(r)
	switch st := r.row.State; {
	case wants && (st == perch.RoomStateLeft || st == perch.RoomStateInvited):
		x.begin(r, &roomJoin{}, roomWhy{})
	case !wants && !w.Client && (st == perch.RoomStateJoined || st == perch.RoomStateJoining):
		x.leave(r)
	}
}

// modeChanged follows the bookmarks, or does so no more.
func (x *roomList) modeChanged() {
	for _, r := range x.sorted() {
		x.follow(r)
	}
	x.fetchBookmarks()
	x.learnServices()
}

// bookmark changes the bookmark of a room for a client; nil, and "", leave it as it is.
func (x *roomList) bookmark(r *room, auto *bool, name string) {
	if auto == nil && name == "" {
		return
	}
	next := StoredBookmark{}
	if r.row.Bookmark != nil {
		next = *r.row.Bookmark
	}
	if auto != nil {
		next.AutoJoin = *auto
	}
	next.Name, next.Nick = cmp.Or(clipTo(name, maxName), next.Name), cmp.Or(r.row.Wanted.Nick, next.Nick, r.row.Nick)
	x.changeBookmark(r, &next)
	if x.auto() {
		r.row.Wanted.Bookmark = next.AutoJoin
	}
}

// notify writes what a person wants to be told of a room into its bookmark (XEP-0492), if it has one.
func (x *roomList) notify(jid perch.JID, n perch.Notify) {
	r := x.find(jid)
	if r == nil || r.row.Bookmark == nil || r.row.Bookmark.Notify == n {
		return
	}
	next := *r.row.Bookmark
	next.Notify = n
	x.changeBookmark(r, &next)
}

// bookmarkedNotify implements roomNews.
func (x *roomList) bookmarkedNotify(jid perch.JID) perch.Notify {
	if r := x.find(jid); r != nil && r.row.Bookmark != nil {
		return r.row.Bookmark.Notify
	}
	return ""
}

func (x *roomList) changeBookmark(r *room, next *StoredBookmark) {
	if r.row.Bookmark != nil && r.row.Bookmark.Bookmark == next.Bookmark {
		return
	}
	r.row.Bookmark, r.unpublished = next, true
	x.relist(r.jid())
	x.changed(r)
	x.publishBookmarks()
}

// unbookmark says that a room is not to be joined any more, or with forget takes it off the list.
func (x *roomList) unbookmark(r *room, forget bool) {
	b := r.row.Bookmark
	switch {
	case b == nil:
	case forget:
		r.row.Bookmark = nil
		x.unlist(r.jid())
		x.publishBookmarks()
	case b.AutoJoin:
		next := *b
		next.AutoJoin = false
		x.changeBookmark(r, &next)
	}
}

// unlisted reports whether a room is to be taken off the list of the account.
func (x *roomList) unlisted(jid perch.JID) bool {
	return slices.ContainsFunc(x.host.record().Unlist, jid.Bare().Equal)
}

// unlist notes that a room is to be taken off the list, over restarts. Records that are being written have
// the list of before, which does not change.
func (x *roomList) unlist(jid perch.JID) {
	list := x.host.record().Unlist
	switch {
	case x.unlisted(jid):
		return
	case len(list) >= MaxRooms:
		x.host.overBudget("bookmarks", jid)
		return
	}
	x.host.record().Unlist = append(slices.Clone(list), jid)
	x.host.saveRecord()
}

// relist ends unlist: the room is off the list, or back on it.
func (x *roomList) relist(jid perch.JID) {
	if !x.unlisted(jid) {
		return
	}
	rec := x.host.record()
	rec.Unlist = slices.DeleteFunc(slices.Clone(rec.Unlist), jid.Bare().Equal)
	x.host.saveRecord()
}

// publishBookmarks writes what was changed here into the list of the account. What fails is tried again,
// and by the next login of this process.
func (x *roomList) publishBookmarks() {
	l := x.host.stream()
	if x.publishing || l == nil || !x.host.Online() {
		return
	}
	conn, ok := l.conn.(BookmarkConn)
	var list []perch.RoomBookmark
	for _, r := range x.sorted() {
		if r.unpublished && r.row.Bookmark != nil {
			b := perch.RoomBookmark{JID: r.jid(), Bookmark: r.row.Bookmark.Bookmark, Foreign: r.row.Bookmark.Foreign}
			b.Password = x.sealed.openPassword(x.id, r.jid(), r.row.Bookmark.Password).Reveal()
			list = append(list, b)
		}
	}
	gone := x.host.record().Unlist
	if !ok || len(list)+len(gone) == 0 {
		return
	}
	x.publishing = true
	x.host.background(func(ctx context.Context) {
		failed := false
		for _, b := range list {
			short, cancel := context.WithTimeout(ctx, bookmarkTime)
			err := conn.PutBookmark(short, b)
			store := ""
			if err == nil {
				store, _ = conn.BookmarkStore(short) // the next fetch says it too
			}
			cancel()
			if failed = failed || err != nil; err != nil {
				x.host.logDebug("a bookmark was not written", "error", err)
				continue
			}
			x.host.post(func() { x.published(&b, store) })
		}
		for _, jid := range gone {
			short, cancel := context.WithTimeout(ctx, bookmarkTime)
			err := conn.RemoveBookmark(short, jid)
			cancel()
			if err != nil && perch.KindOf(err) != perch.KindItemNotFound {
				failed = true
				x.host.logDebug("a bookmark was not removed", "error", err)
				continue
			}
			x.host.post(func() { x.relist(jid) })
		}
		x.host.post(func() { x.publishedAll(failed) })
	})
}

// published notes that the list has a bookmark, unless it was changed meanwhile.
func (x *roomList) published(b *perch.RoomBookmark, store string) {
	r := x.find(b.JID)
	if r == nil || r.row.Bookmark == nil || r.row.Bookmark.Bookmark != b.Bookmark {
		return
	}
	r.unpublished = false
	if store != "" && store != b.Store {
		next := *r.row.Bookmark
		next.Store = store
		r.row.Bookmark = &next
		x.put(r)
	}
}

func (x *roomList) publishedAll(failed bool) {
	x.publishing = false
	if !failed {
		x.publishTries = 0
		x.publishBookmarks() // what was changed meanwhile
		if x.passedOver && !x.publishing {
			x.passedOver = false
			x.fetchBookmarks()
		}
		return
	}
	if x.publishTries++; x.publishTries < bookmarkTries {
		stop(x.publishTimer)
		x.publishTimer = x.host.after(bookmarkAgain, x.publishBookmarks)
	}
}
