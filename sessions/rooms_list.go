package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// Rooms are the rooms of a session (XEP-0045). Its methods are safe for concurrent use. All of them are
// of KindFeatureUnsupported where the upstream has no rooms, and nothing is sent then.
type Rooms struct{ s *Session }

// RoomsOf returns the rooms of a session.
func RoomsOf(s *Session) Rooms { return Rooms{s} }

// RoomJoin says how a room is to be joined; what is not set stays as it was.
type RoomJoin struct {
	Nick     string // "": that of before, of the bookmark, or of the account
	Password perch.Secret
	// AutoJoin says whether the room is among the bookmarks of the account, for all of its devices,
	// and joined by itself; nil: the bookmarks stay as they are.
	AutoJoin       *bool
	Name           string            // of the bookmark
	Config         *perch.RoomConfig // of a room that is made by this join
	Delivery       perch.RoomDelivery
	OccupantEvents perch.OccupantEvents
}

// RoomChange says what to change of a room; nil, or "", leaves it as it is.
type RoomChange struct {
	Nick, Name     *string
	AutoJoin       *bool
	Delivery       perch.RoomDelivery
	OccupantEvents perch.OccupantEvents
}

// The modes of SetMode.
const (
	RoomsManual   = ""         // the rooms that a client of this gateway has joined
	RoomsAutoJoin = "autojoin" // and those of the account's bookmarks that are to be joined
)

var errNoRoom error = perch.Errorf(perch.KindNotFound, "the session has no room of this address")

// use runs f with the rooms of the session, which has some from now on.
func (rs Rooms) use(ctx context.Context, f func(x *roomList) error) error {
	first := false
	if err := rs.s.callErr(ctx, func() error {
		if first = !rs.s.state.UsesRooms && !rs.s.conn.chatOnly(); first {
			useRooms(rs.s)
		}
		return nil
	}); err != nil {
		return err
	}
	if first {
		if err := rs.takeInvitations(ctx); err != nil {
			return err
		}
	}
	return rs.s.callErr(ctx, func() error {
		if rs.s.conn.chatOnly() {
			return perch.Errorf(perch.KindFeatureUnsupported, "this upstream has no rooms")
		}
		return f(useRooms(rs.s))
	})
}

// with runs f with one room, and waits until what it changes is in the Store.
func (rs Rooms) with(ctx context.Context, jid perch.JID, f func(x *roomList, r *room) error) (perch.Room, error) {
	var v perch.Room
	var x *roomList
	if err := rs.use(ctx, func(l *roomList) error {
		x = l
		r := x.find(jid)
		if r == nil {
			return errNoRoom
		}
		if err := f(x, r); err != nil {
			return err
		}
		v = x.view(r)
		return nil
	}); err != nil {
		return perch.Room{}, err
	}
	return v, x.committed(ctx)
}

// committed waits until what was changed is in the Store.
func (x *roomList) committed(ctx context.Context) error {
	return awaitCommit(ctx, x.host.call, x.journal)
}

// Rooms returns what the session has of rooms, by their addresses.
func (rs Rooms) Rooms(ctx context.Context) (list []perch.Room, err error) {
	list = []perch.Room{}
	err = rs.use(ctx, func(x *roomList) error {
		for _, r := range x.sorted() {
			list = append(list, x.view(r))
		}
		return nil
	})
	return list, err
}

// Room returns one room; KindNotFound if there is none.
func (rs Rooms) Room(ctx context.Context, jid perch.JID) (v perch.Room, err error) {
	err = rs.use(ctx, func(x *roomList) error {
		r := x.find(jid)
		if r == nil {
			return errNoRoom
		}
		v = x.view(r)
		return nil
	})
	return v, err
}

// Mode is RoomsManual or RoomsAutoJoin.
func (rs Rooms) Mode(ctx context.Context) (mode string, err error) {
	err = rs.s.call(ctx, func() { mode = rs.s.state.Rooms })
	return mode, err
}

// SetMode says which rooms are joined by themselves. RoomsAutoJoin joins those of the bookmarks now, and
// with RoomsManual they are left.
func (rs Rooms) SetMode(ctx context.Context, mode string) error {
	if mode != RoomsManual && mode != RoomsAutoJoin {
		return perch.Invalid("/rooms", "must be autojoin or null")
	}
	var x *roomList
	if err := rs.use(ctx, func(l *roomList) error {
		x = l
		if rs.s.state.Rooms != mode {
			rs.s.state.Rooms = mode
			rs.s.state.saveRecord()
			x.modeChanged()
		}
		return nil
	}); err != nil {
		return err
	}
	return x.committed(ctx)
}

// JoinRoom joins a room at every login from now on, and makes it if there is none. It waits for the
// Store, and not for the room: see AwaitRoom. A room that is joined stays so, with what j says of it. Created says that
// the session did not have the room before. Errors: KindValidation, KindQuotaExceeded for more than MaxRooms,
// KindStorageUnavailable.
func (rs Rooms) JoinRoom(ctx context.Context, jid perch.JID, j RoomJoin) (v perch.Room, created bool, err error) {
	if err := j.check(jid); err != nil {
		return v, false, err
	}
	var x *roomList
	if err := rs.use(ctx, func(l *roomList) error {
		x = l
		known := x.find(jid)
		r := x.add(jid)
		if r == nil {
			return perch.Errorf(perch.KindQuotaExceeded, "the session has %d rooms already", MaxRooms)
		}
		created = known == nil
		x.joinFor(r, &j)
		v = x.view(r)
		return nil
	}); err != nil {
		return v, false, err
	}
	return v, created, x.committed(ctx)
}

func (j *RoomJoin) check(jid perch.JID) error {
	if jid == "" || !jid.IsBare() || jid.Local() == "" {
		return perch.Invalid("{jid}", "must be the bare JID of a room")
	}
	if err := checkNick(j.Nick); err != nil {
		return err
	}
	return checkVolume(j.Delivery, j.OccupantEvents)
}

func checkNick(nick string) error {
	if len(nick) > maxName {
		return perch.Invalid("/nick", "must have at most %d bytes", maxName)
	}
	if nick == "" {
		return nil
	}
	if _, err := perch.ParseJID("room@example.org/" + nick); err != nil {
		return perch.Invalid("/nick", "cannot be the name of an occupant")
	}
	return nil
}

func checkVolume(d perch.RoomDelivery, o perch.OccupantEvents) error {
	if d != "" && !slices.Contains([]perch.RoomDelivery{perch.DeliverAll, perch.DeliverMentions, perch.DeliverNone}, d) {
		return perch.Invalid("/delivery", "must be all, mentions or none")
	}
	if o != "" && !slices.Contains([]perch.OccupantEvents{perch.OccupantEventsNone, perch.OccupantEventsCount, perch.OccupantEventsLive}, o) {
		return perch.Invalid("/occupants", "must be none, count or live")
	}
	return nil
}

// joinFor joins a room for a client.
func (x *roomList) joinFor(r *room, j *RoomJoin) {
	w := &r.row.Wanted
	w.Client, r.row.Forget = true, false
	w.Delivery, w.Occupants = cmp.Or(j.Delivery, w.Delivery), cmp.Or(j.OccupantEvents, w.Occupants)
	renamed := j.Nick != "" && j.Nick != r.row.Nick
	w.Nick = cmp.Or(j.Nick, w.Nick)
	if !j.Password.IsZero() {
		x.keepPassword(r, j.Password)
	}
	x.put(r)
	x.bookmark(r, j.AutoJoin, j.Name)
	switch {
	case r.row.State == perch.RoomStateJoined && renamed:
		x.rename(r, j.Nick)
	case r.row.State == perch.RoomStateJoined:
	default:
		again := x.isJoining(r, j)
		r.wish = roomWish{byClient: true, mayCreate: true, config: j.Config}
		if !again {
			x.begin(r, &roomJoin{}, roomWhy{})
		}
	}
}

// isJoining reports whether the join that is asked for is under way: a client that has got no answer asks
// again, and must not have it begun anew each time.
func (x *roomList) isJoining(r *room, j *RoomJoin) bool {
	return r.join != nil && j.Password.IsZero() && (j.Nick == "" || j.Nick == cmp.Or(r.join.nick, x.nickFor(r)))
}

// rename asks for another nick (XEP-0045, 7.6). The room says whether it is so.
func (x *roomList) rename(r *room, nick string) {
	_ = x.host.Send(&perch.RoomPresenceOut{Room: r.jid(), Nick: nick, Presence: x.host.record().Own})
}

// AwaitRoom waits until a join that is under way has an end: the room is joined, or has refused, or will
// be tried again later. When ctx ends first it returns the room as it is, and no error.
func (rs Rooms) AwaitRoom(ctx context.Context, jid perch.JID) (perch.Room, error) {
	came := make(chan struct{})
	waits := false
	all := context.WithoutCancel(ctx)
	if err := rs.use(all, func(x *roomList) error {
		r := x.find(jid)
		if r == nil {
			return errNoRoom
		}
		waits = r.await(came)
		return nil
	}); err != nil {
		return perch.Room{}, err
	}
	if waits {
		select {
		case <-came:
		case <-ctx.Done():
			rs.s.post(func() { roomsOf(rs.s).awaitNoMore(jid, came) })
		case <-rs.s.done:
			return perch.Room{}, rs.s.endedError()
		}
	}
	return rs.Room(all, jid)
}

func (x *roomList) awaitNoMore(jid perch.JID, came chan struct{}) {
	if r := x.find(jid); r != nil {
		r.waiters = slices.DeleteFunc(r.waiters, func(c chan struct{}) bool { return c == came })
	}
}

// ChangeRoom changes what is wanted of a room. Errors: KindNotFound, KindValidation,
// KindStorageUnavailable. Whether the room takes another nick is known by room.changed.
func (rs Rooms) ChangeRoom(ctx context.Context, jid perch.JID, ch RoomChange) (perch.Room, error) {
	if err := checkVolume(ch.Delivery, ch.OccupantEvents); err != nil {
		return perch.Room{}, err
	}
	if ch.Nick != nil {
		if err := checkNick(*ch.Nick); err != nil {
			return perch.Room{}, err
		}
	}
	return rs.with(ctx, jid, func(x *roomList, r *room) error {
		before := r.row.Wanted
		w := &r.row.Wanted
		w.Delivery, w.Occupants = cmp.Or(ch.Delivery, w.Delivery), cmp.Or(ch.OccupantEvents, w.Occupants)
		if ch.Nick != nil && *ch.Nick != "" && *ch.Nick != r.row.Nick {
			if w.Nick = *ch.Nick; r.row.State == perch.RoomStateJoined {
				x.rename(r, *ch.Nick)
			}
		}
		if ch.AutoJoin != nil || ch.Name != nil {
			name := ""
			if ch.Name != nil {
				name = *ch.Name
			}
			x.bookmark(r, ch.AutoJoin, name)
		}
		if before.Delivery != w.Delivery || before.Occupants != w.Occupants {
			x.changed(r)
		} else {
			x.put(r)
		}
		return nil
	})
}

// LeaveRoom leaves a room; its bookmark, if there is one, says no more that it is to be joined. With
// forget the bookmark is removed, and the session has nothing of the room any more. An invitation is
// declined. Errors: KindNotFound, KindStorageUnavailable.
func (rs Rooms) LeaveRoom(ctx context.Context, jid perch.JID, forget bool) error {
	_, err := rs.with(ctx, jid, func(x *roomList, r *room) error {
		if r.row.Invited != nil && r.row.State == perch.RoomStateInvited {
			x.decline(r, "")
			return nil
		}
		x.unbookmark(r, forget)
		x.leave(r)
		if forget {
			x.forget(r)
		}
		return nil
	})
	return err
}

// forget forgets a room once it is left.
func (x *roomList) forget(r *room) {
	if r.row.State != perch.RoomStateLeaving {
		x.remove(r)
		return
	}
	r.row.Forget = true
	x.put(r)
}

// SetRoomSubject changes the subject of a room (XEP-0045, 8.1). What the room makes of it is known by
// room.changed. Errors: KindNotFound, KindConflict when the room is not joined, KindSessionOffline.
func (rs Rooms) SetRoomSubject(ctx context.Context, jid perch.JID, text string) error {
	if len(text) > maxSubject {
		return perch.Invalid("/subject", "must have at most %d bytes", maxSubject)
	}
	return rs.use(ctx, func(x *roomList) error {
		r, err := x.joinedRoom(jid)
		if err != nil {
			return err
		}
		return x.host.Send(&perch.RoomSubjectOut{Room: r.jid(), ID: x.newID(), Text: text})
	})
}

// joinedRoom is a room that is joined.
func (x *roomList) joinedRoom(jid perch.JID) (*room, error) {
	switch r := x.find(jid); {
	case r == nil:
		return nil, errNoRoom
	case r.row.State != perch.RoomStateJoined:
		return nil, errNotJoined
	default:
		return r, nil
	}
}

// awaitCommit waits until all that was changed until now is in the Store.
func awaitCommit(ctx context.Context, call func(context.Context, func()) error, j journal) error {
	done := make(chan struct{})
	if err := call(ctx, func() { j.AfterCommit(func(Result) { close(done) }) }); err != nil {
		return err
	}
	timeout := time.NewTimer(commitWait)
	defer timeout.Stop()
	select {
	case <-done:
		return nil
	case <-timeout.C:
		return &perch.Error{Kind: perch.KindStorageUnavailable, RetryAfter: time.Second, Detail: "the store rejects writes just now; the change is made when it takes them again"}
	case <-ctx.Done():
		return ctx.Err()
	}
}
