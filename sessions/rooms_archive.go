package sessions

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// roomConfigurer is what a Conn has to configure a room that is made.
type roomConfigurer interface {
	SetRoomConfig(ctx context.Context, room perch.JID, config perch.RoomConfig) error
	CancelRoomConfig(ctx context.Context, room perch.JID) error
}

const roomSetupTime = 30 * time.Second

// said is the end of what a room says to one who joins. One that is new is locked until its owner has
// configured it (XEP-0045, 10.1).
func (x *roomList) said(r *room, j *roomJoin) {
	stop(j.deadline)
	if !j.resync {
		r.nicksAreOver(x)
		x.partnersGone(r)
	}
	x.occupantsComplete(r)
	conn, ok := j.link.conn.(roomConfigurer)
	if !j.created || !ok {
		x.read(r, j)
		return
	}
	j.step = joinSetup
	jid, config := r.jid(), perch.RoomConfig{}
	if r.wish.config != nil {
		config = *r.wish.config
	}
	x.host.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, roomSetupTime)
		defer cancel()
		err := conn.SetRoomConfig(ctx, jid, config)
		if err != nil && !ended(j.link.conn) {
			_ = conn.CancelRoomConfig(ctx, jid) // nobody could enter it
		}
		var info perch.RoomInfo
		ierr := errors.New("not asked")
		if rc, ok := j.link.conn.(RoomConn); ok && err == nil {
			info, ierr = rc.RoomInfo(ctx, jid)
		}
		x.answer(r, j, func() {
			if err != nil {
				x.leaveQuietly(r)
				x.refuse(r, perch.RoomStateFailed, roomWhy{reason: perch.RoomReasonRefused, text: textOf(err)})
				return
			}
			j.created, r.wish.config, r.wish.mayCreate = false, nil, false
			if ierr == nil {
				x.learn(r, &info)
			}
			x.read(r, j)
		})
	})
}

// textOf is what an error says to a person.
func textOf(err error) string {
	if xe := xmppErrorOf(err); xe != nil {
		return cmp.Or(xe.Text, xe.Condition)
	}
	if e, ok := errors.AsType[*perch.Error](err); ok {
		return e.Detail
	}
	return ""
}

// roomPlace is where the archive of a room is read on.
type roomPlace struct {
	after string
	start perch.Time
	first bool // nothing of the room is in the log: the newest message is the place
}

// read reads what was missed, and is the end of a join.
func (x *roomList) read(r *room, j *roomJoin) {
	if !r.row.Features.Archive {
		x.takeHistory(r, j)
		x.joined(r, j, false)
		return
	}
	j.step, j.history = joinReading, nil
	place := roomPlace{after: r.row.ArchiveID}
	switch {
	case r.row.ArchiveAt == 0:
		place.first = true
		if r.row.JoinedAt != 0 {
			x.gap(r, perch.GapNoArchive) // it had none before
		}
	case place.after == "":
		place.start = 1 // it was empty
	case r.row.AnchorID != "" && r.has(r.row.AnchorID):
		place.after = r.row.AnchorID
	}
	conn, _ := j.link.conn.(RoomConn)
	x.host.background(func(ctx context.Context) { x.readOn(ctx, conn, r, j, place) })
}

// readOn reads the archive from a place to its end, page by page into the log. It ends with its join.
func (x *roomList) readOn(ctx context.Context, conn RoomConn, r *room, j *roomJoin, at roomPlace) {
	jid := r.jid()
	tries := lookUpTries
	for range catchUpPages {
		q := perch.ArchiveQuery{After: at.after, Start: at.start, Limit: catchUpPage}
		if at.first {
			q = perch.ArchiveQuery{Limit: 1}
		}
		page, err := conn.RoomArchive(ctx, jid, q)
		if err != nil && connectionLost(ctx, j.link, err) {
			return // it is joined again with the next one
		}
		if k := perch.KindOf(err); err != nil && (k == perch.KindUpstreamTimeout || k == perch.KindTryLater) {
			if tries--; tries > 0 {
				continue
			}
		}
		over := true
		committed := make(chan struct{})
		if x.host.call(ctx, func() {
			if r.join != j || x.host.stream() != j.link {
				return
			}
			x.host.guarded(func() { at, over = x.page(r, j, at, &page, err) })
			x.journal.AfterCommit(func(Result) { close(committed) })
			if over {
				x.joined(r, j, err == nil && !j.gap)
			}
		}) != nil || over {
			return
		}
		select {
		case <-committed: // it is read no faster than it can be written
		case <-ctx.Done():
			return
		}
	}
	x.answer(r, j, func() {
		x.gap(r, perch.GapTooLong)
		x.joined(r, j, false)
	})
}

// page logs a page, and returns the place to read on from, unless it is over.
func (x *roomList) page(r *room, j *roomJoin, at roomPlace, page *perch.ArchivePage, err error) (next roomPlace, over bool) {
	switch {
	case perch.KindOf(err) == perch.KindItemNotFound && at.after != "":
		return x.placeLost(r), false
	case err != nil:
		if !at.first || r.row.JoinedAt != 0 {
			x.gap(r, lostReason(err))
		}
		return at, true
	case at.first:
		x.firstPlace(r, page)
		return at, true
	case at.after != "" && len(page.Items) > 0 && page.Items[0].Time < r.row.LastSeenAt-closeBy && !r.has(page.Items[0].RoomStanzaID):
		return x.placeLost(r), false // an archive that does not know the place begins at its beginning
	}
	for i := range page.Items {
		x.host.guarded(func() { x.archived(r, j, &page.Items[i]) })
	}
	last := page.Last
	if n := len(page.Items); last == "" && n > 0 {
		last = page.Items[n-1].RoomStanzaID
	}
	if last != "" {
		r.row.ArchiveID, r.row.ArchiveAt = cloned(last), x.host.now()
		x.put(r)
	}
	over = page.Complete && !j.overflow || last == "" || last == at.after && !j.overflow
	if page.Complete || last == at.after {
		j.overflow = false
	}
	return roomPlace{after: cmp.Or(last, at.after)}, over
}

// placeLost is where the archive is read on when it has the last message no more: from the time of that
// one. What was between is missed.
func (x *roomList) placeLost(r *room) roomPlace {
	x.gap(r, perch.GapTrimmed)
	r.row.ArchiveID, r.row.AnchorID = "", ""
	return roomPlace{start: max(1, r.row.LastSeenAt)}
}

// firstPlace is where a first join begins: nothing before it is logged. The newest message is what the
// list of conversations shows.
func (x *roomList) firstPlace(r *room, page *perch.ArchivePage) {
	r.row.ArchiveID, r.row.ArchiveAt, r.row.AnchorID = "", x.host.now(), ""
	if n := len(page.Items); n > 0 {
		it := &page.Items[n-1]
		r.row.ArchiveID = cloned(cmp.Or(page.Last, it.RoomStanzaID))
		r.row.LastSeenAt = max(r.row.LastSeenAt, it.Time)
		x.preview(r, it)
	}
	x.put(r)
}

// archived takes one item of the archive.
func (x *roomList) archived(r *room, j *roomJoin, it *perch.ArchiveItem) {
	id := it.RoomStanzaID
	j.roomBuffer.archived(id)
	if r.has(id) {
		return
	}
	if it.Dropped != "" {
		x.archivedUnshown(r, it)
		return
	}
	if it.Body == "" && it.Subject != "" && it.Relation == nil && it.MessageDetails == nil {
		x.moveTo(r, id, it.Time)
		x.subject(r, it.From, it.Subject, it.Time)
		return
	}
	in := it.MessageIn
	in.Source = perch.SourceArchive
	x.take(r, &in, it.Time, true)
}

// takeHistory logs what a room without an archive has told of before, as far as it was missed. The room
// tells as much as it likes, so some may be missing all the same.
func (x *roomList) takeHistory(r *room, j *roomJoin) {
	list := j.history
	j.history = nil
	if r.row.JoinedAt == 0 {
		return
	}
	if !j.resync || j.doubtful {
		x.gap(r, perch.GapNoArchive)
	}
	for _, in := range list[min(len(list), r.after(list, max(r.row.LastSeenAt, r.row.JoinedAt))):] {
		x.host.guarded(func() {
			in.Source = perch.SourceArchive
			x.take(r, in, sentTime(&in.Message, x.host.now()), true)
		})
	}
}

// joined is the end of a join: all that was missed is in the log. Certain says that all was read.
func (x *roomList) joined(r *room, j *roomJoin, certain bool) {
	held := j.take()
	x.endJoin(r)
	if r.row.JoinedAt == 0 && x.list != nil {
		x.list.joinedFirst(r.jid())
	}
	r.row.JoinedAt = x.host.now()
	r.row.Invited, r.wish = nil, roomWish{}
	x.release(r, held)
	x.become(r, perch.RoomStateJoined, roomWhy{})
	x.put(r)
	x.outbox.roomCaughtUp(r.jid(), certain)
	x.watch(x.serviceOf(r))
}

// gap says that messages of a room may be missing.
func (x *roomList) gap(r *room, reason string) {
	if r.join != nil {
		r.join.gap = true
	}
	x.journal.Durable(perch.EventSessionGap, perch.Gap{From: cmp.Or(r.row.LastSeenAt, r.row.JoinedAt), To: x.host.now(), Reason: reason, Room: r.jid()})
}
