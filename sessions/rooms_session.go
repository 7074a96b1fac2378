package sessions

import (
	"cmp"
	"slices"

	"github.com/perch-im/perch"
)

// roomsServices is the host of the part, put together as those of the others.
type roomsServices struct {
	*services
	audience
}

// roomsOf are the rooms of a session, or nil.
func roomsOf(s *Session) *roomList {
	return s.rooms
}

// useRooms are the rooms of a session, which has the part from now on. What a room says comes to it
// before it comes to the others, see Session.inRoom.
func useRooms(s *Session) *roomList {
	if x := roomsOf(s); x != nil {
		return x
	}
	x := &roomList{
		host: roomsServices{&services{s.loop, &s.state, &s.report, &s.conn}, &s.subs}, journal: &s.log, log: &s.catchup,
		outbox: &s.outbox, store: s.m.o.Store, id: s.id, newID: func() string { return s.m.messageID(s.id, "") }, sealed: s.m,
		tip: func() uint64 { return s.log.published }, tables: s.m.occupants, sayings: s.m.sayings, upstream: s.cred.upstream.Name,
		byKey: map[perch.JID]*room{}, services: map[string]*roomService{},
	}
	x.most = func() int { return s.m.settings().RoomDeliveryLimit }
	s.outbox.rooms, s.catchup.rooms, s.subs.rooms, s.idle.rooms = x, x, x, x
	s.relations.rooms = x
	s.log.noted = append(s.log.noted, x.noted)
	if c := conversationsOf(s); c != nil {
		c.rooms, x.list = x, c
	}
	s.rooms, s.parts = x, append(slices.Clip(s.parts), x)
	return x
}

// sorted are the rooms in a fixed order.
func (x *roomList) sorted() []*room {
	list := make([]*room, 0, len(x.byKey))
	for _, r := range x.byKey {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *room) int { return cmp.Compare(a.jid().Key(), b.jid().Key()) })
	return list
}
