package sessions_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// muc is a service with rooms, as an upstream has one: it answers what a session writes to a room, and
// what it asks of it, in the order of Prosody or of ejabberd.
type muc struct {
	mu       sync.Mutex
	t        tb
	ejabberd bool // its order, and its answer to a place that an archive does not have
	rooms    map[perch.JID]*mucRoom
	conn     *conn // of the session
	missed   []perch.Inbound
	joins    []perch.RoomJoinOut
	infos    int
	pings    []perch.JID
	pinged   func(room perch.JID) (perch.SelfPing, error)
	silent   map[perch.JID]bool // rooms that do not answer a join
	ids      int
	backward int // pages of an archive that were asked for from its end
	marks    []perch.RoomBookmark
	marked   func() // called once a bookmark is written or removed, before that is answered; nil: not
	fetched  int    // fetches of all bookmarks
	reading  func() // while the bookmarks are read
}

type mucRoom struct {
	jid        perch.JID
	exists     bool
	archive    bool
	occupants  bool // XEP-0421
	persistent bool
	refuse     map[string]perch.RoomJoinError // by nick; "" is any
	locked     bool
	password   string
	items      []perch.ArchiveItem
	others     []string
	takenBy    string // the id of another one who has the nick Bo now; "": nobody has
	nick       string // of the session; "": it is not in
	subject    string
	configured []perch.RoomConfig
	swallow    bool // messages are not reflected
	archived   func(q perch.ArchiveQuery) (*perch.ArchivePage, error)
	history    int // messages that a join is told of
}

func newMUC(t tb) *muc {
	return &muc{t: t, rooms: map[perch.JID]*mucRoom{}, silent: map[perch.JID]bool{}}
}

// room is a room that exists, with an archive.
func (s *muc) room(jid perch.JID) *mucRoom {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[jid]
	if r == nil {
		r = &mucRoom{jid: jid, exists: true, archive: true, occupants: true, persistent: true, others: []string{"Bo"}, history: 20, refuse: map[string]perch.RoomJoinError{}}
		s.rooms[jid] = r
	}
	return r
}

func (s *muc) edit(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// attach is a new stream of the session: one that is resumed brings what was missed, any other is in no
// room.
func (s *muc) attach(c, before *conn, resume []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = nil
	if c.resumed {
		var handled int
		_, _ = fmt.Sscanf(string(resume), "stream %d", &handled)
		s.missed = append(before.rest(handled), s.missed...)
		return
	}
	s.missed = nil
	for _, r := range s.rooms {
		r.nick = ""
	}
}

// started says that the stream is read: what was missed comes now.
func (s *muc) started(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
	missed := s.missed
	s.missed = nil
	for _, in := range missed {
		if m, ok := in.(*perch.MessageIn); ok {
			m.Source = perch.SourceResumed
			if r := s.rooms[m.To]; r != nil { // both servers say when it was sent
				i := slices.IndexFunc(r.items, func(it perch.ArchiveItem) bool { return it.ID == m.ID })
				m.Delay = &perch.Delay{Stamp: r.items[i].Time, From: string(alice)}
			}
		}
		s.conn.push(in)
	}
}

// push delivers to the session, or keeps it for a stream that is resumed.
func (s *muc) push(in perch.Inbound) {
	if s.conn == nil || s.conn.Err() != nil {
		s.missed = append(s.missed, in)
		return
	}
	s.conn.push(in)
}

// sent takes what the session writes.
func (s *muc) sent(out perch.Outbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch out := out.(type) {
	case *perch.RoomJoinOut:
		s.joins = append(s.joins, *out)
		s.join(out)
	case *perch.RoomPresenceOut:
		if r := s.rooms[out.Room]; r != nil && r.nick != "" && out.Nick != r.nick {
			s.push(&perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: r.at(r.nick)}, Codes: perch.CodeNickChanged | perch.CodeSelf, NewNick: out.Nick, Role: perch.RoleNone})
			r.nick = out.Nick
			s.push(r.present(r.nick, ""))
		}
	case *perch.RoomLeaveOut:
		if r := s.rooms[out.Room]; r != nil && r.nick != "" {
			if s.ejabberd {
				s.push(&perch.PresenceIn{From: r.jid})
			}
			s.push(&perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: r.at(r.nick)}, Codes: perch.CodeSelf, Role: perch.RoleNone})
			r.nick = ""
		}
	case *perch.RoomSubjectOut:
		if r := s.rooms[out.Room]; r != nil && r.nick != "" {
			r.subject = out.Text
			s.push(&perch.RoomSubjectIn{From: r.at(r.nick), Text: out.Text})
		}
	case *perch.MessageOut:
		if r := s.rooms[out.To]; r != nil && out.Kind == perch.GroupchatMessage {
			s.message(r, out)
		}
	case *perch.PresenceOut:
		if !out.Available {
			for _, r := range s.rooms {
				r.nick = ""
			}
		}
	}
}

func (r *mucRoom) at(nick string) perch.JID { return r.jid + perch.JID("/"+nick) }

// present is the own presence, or that of another one.
func (r *mucRoom) present(nick, id string) *perch.RoomPresenceIn {
	p := &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: r.at(nick), Available: true}, ID: id, Affiliation: perch.AffiliationMember, Role: perch.RoleParticipant}
	if r.occupants {
		p.OccupantID = "occ-" + nick
	}
	if nick == r.nick {
		p.Codes = perch.CodeSelf
		if r.occupants {
			p.OccupantID = "occ-me"
		}
	}
	return p
}

func (s *muc) join(out *perch.RoomJoinOut) {
	r := s.rooms[out.Room]
	if s.silent[out.Room] {
		return
	}
	created := false
	if r == nil || !r.exists {
		if r == nil {
			r = &mucRoom{jid: out.Room, archive: true, occupants: true, refuse: map[string]perch.RoomJoinError{}, history: 20}
			s.rooms[out.Room] = r
		}
		r.exists, r.locked, created = true, true, true
	} else if r.locked && r.nick == "" {
		s.refuse(out, perch.RoomJoinError{Error: perch.XMPPError{Condition: "item-not-found"}})
		return
	}
	for _, nick := range []string{out.Nick, ""} {
		if e, ok := r.refuse[nick]; ok {
			s.refuse(out, e)
			return
		}
	}
	if r.password != out.Password {
		s.refuse(out, perch.RoomJoinError{Error: perch.XMPPError{Condition: "not-authorized"}})
		return
	}
	r.nick = out.Nick
	bare := &perch.PresenceIn{From: r.jid, Available: true, PhotoHash: new(string)}
	if s.ejabberd {
		s.push(bare)
	}
	for _, nick := range r.others {
		s.push(r.present(nick, ""))
	}
	if r.takenBy != "" {
		p := r.present("Bo", "")
		p.OccupantID = r.takenBy
		s.push(p)
	}
	self := r.present(r.nick, out.ID)
	if created {
		self.Codes |= perch.CodeCreated
	}
	s.push(self)
	s.tell(r, out)
	s.push(&perch.RoomSubjectIn{From: r.at("Setter"), Text: r.subject})
	if !s.ejabberd {
		s.push(bare)
	}
}

// tell is the history of a room.
func (s *muc) tell(r *mucRoom, out *perch.RoomJoinOut) {
	if out.Since == 0 {
		return
	}
	var list []perch.ArchiveItem
	for _, it := range r.items {
		if it.Time >= out.Since {
			list = append(list, it)
		}
	}
	for _, it := range list[max(0, len(list)-r.history):] {
		in := it.MessageIn
		in.Source, in.History, in.Delay = "", true, &perch.Delay{Stamp: it.Time, From: string(r.jid)}
		in.Room = cloneRoom(in.Room)
		s.push(&in)
	}
}

func cloneRoom(r *perch.MessageRoom) *perch.MessageRoom {
	if r == nil {
		return nil
	}
	c := *r
	return &c
}

func (s *muc) refuse(out *perch.RoomJoinOut, e perch.RoomJoinError) {
	e.ID = out.ID
	e.From = out.Room + perch.JID("/"+out.Nick)
	s.push(&e)
}

// say is a message of another occupant.
func (s *muc) say(room perch.JID, nick, body string, change ...func(*perch.MessageIn)) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	in := perch.MessageIn{Message: perch.Message{ID: "m-" + body, From: r.at(nick), Body: body}}
	for _, c := range change {
		c(&in)
	}
	return s.put(r, in, "occ-"+nick)
}

// message is one of the session.
func (s *muc) message(r *mucRoom, out *perch.MessageOut) {
	if r.nick == "" {
		s.push(&perch.MessageError{ID: out.ID, From: r.jid, Error: perch.XMPPError{Condition: "not-acceptable", Type: "cancel"}})
		return
	}
	if r.swallow {
		return
	}
	in := perch.MessageIn{Message: perch.Message{ID: out.ID, From: r.at(r.nick), Body: out.Body, MessageDetails: out.Details}, Relation: out.Relation}
	s.put(r, in, "occ-me")
}

// put archives a message and sends it to the session, if that is in the room.
func (s *muc) put(r *mucRoom, in perch.MessageIn, occupant string) string {
	in.To, in.Kind = r.jid, perch.GroupchatMessage
	if in.Room == nil {
		in.Room = &perch.MessageRoom{}
		if r.occupants {
			in.Room.OccupantID = occupant
		}
	}
	in.Room.Nick = in.From.Resource()
	s.ids++
	id := ""
	if r.archive {
		id = fmt.Sprintf("%06d", s.ids)
		in.RoomStanzaID = id
	}
	it := perch.ArchiveItem{MessageIn: in, Time: now()}
	it.Source, it.Room = perch.SourceArchive, cloneRoom(in.Room)
	r.items = append(r.items, it)
	if r.nick != "" {
		s.push(&in)
	}
	return id
}

// kick makes the session leave a room, by codes.
func (s *muc) kick(room perch.JID, p perch.RoomPresenceIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	p.From, p.Role = r.at(r.nick), perch.RoleNone
	if s.ejabberd {
		s.push(&perch.PresenceIn{From: r.jid})
	}
	r.nick = ""
	s.push(&p)
}

func (s *muc) info(room perch.JID) (perch.RoomInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.infos++
	r := s.rooms[room]
	if r == nil || !r.exists {
		return perch.RoomInfo{}, &perch.Error{Kind: perch.KindItemNotFound, XMPP: &perch.XMPPError{Condition: "item-not-found"}}
	}
	return perch.RoomInfo{Name: "Room " + room.Local(), Features: perch.RoomFeatures{Archive: r.archive, OccupantIDs: r.occupants, Persistent: r.persistent}}, nil
}

func (s *muc) page(room perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	if r.archived != nil {
		if p, err := r.archived(q); p != nil || err != nil {
			if p == nil {
				p = &perch.ArchivePage{}
			}
			return *p, err
		}
	}
	list := slices.Clone(r.items)
	for i := range list {
		list[i].Room = cloneRoom(list[i].Room)
	}
	switch {
	case q.After != "":
		i := slices.IndexFunc(list, func(it perch.ArchiveItem) bool { return it.RoomStanzaID == q.After })
		if i < 0 && !s.ejabberd {
			return perch.ArchivePage{}, &perch.Error{Kind: perch.KindItemNotFound, XMPP: &perch.XMPPError{Condition: "item-not-found"}}
		}
		list = list[i+1:]
	case q.Start == 0:
		s.backward++
		if q.Before != "" {
			list = list[:slices.IndexFunc(list, func(it perch.ArchiveItem) bool { return it.RoomStanzaID == q.Before })]
		}
		p := perch.ArchivePage{Complete: len(list) <= q.Limit, Items: list[max(0, len(list)-q.Limit):]}
		if n := len(p.Items); n > 0 {
			p.First, p.Last = p.Items[0].RoomStanzaID, p.Items[n-1].RoomStanzaID
		}
		return p, nil
	default:
		list = slices.DeleteFunc(list, func(it perch.ArchiveItem) bool { return it.Time < q.Start })
	}
	p := perch.ArchivePage{Complete: len(list) <= q.Limit, Items: list[:min(len(list), q.Limit)]}
	if n := len(p.Items); n > 0 {
		p.First, p.Last = p.Items[0].RoomStanzaID, p.Items[n-1].RoomStanzaID
	}
	return p, nil
}

// Start makes conn deliver what its service sends, in order, from a goroutine as a reader is one.
func (c *conn) Start(sink sessions.Sink, ended func()) {
	c.Conn.Start(sink, ended)
	if s := c.up.muc; s != nil {
		go c.read()
		s.started(c)
	}
}

func (c *conn) push(in perch.Inbound) { c.in <- in }

func (c *conn) read() {
	for {
		select {
		case in := <-c.in:
			c.mu.Lock()
			c.delivered = append(c.delivered, copied(in))
			c.mu.Unlock()
			c.Deliver(in)
		case <-c.Done():
			return
		}
	}
}

// rest is what a stream that is resumed brings again: all that was not handled.
func (c *conn) rest(handled int) []perch.Inbound {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.delivered[min(handled, len(c.delivered)):])
	for {
		select {
		case in := <-c.in:
			list = append(list, in)
		default:
			return list
		}
	}
}

// copied is what the session may change.
func copied(in perch.Inbound) perch.Inbound {
	m, ok := in.(*perch.MessageIn)
	if !ok {
		return in
	}
	c := *m
	c.Room = cloneRoom(m.Room)
	return &c
}

// Send implements sessions.Conn.
func (c *conn) Send(out perch.Outbound) (uint64, error) {
	n, err := c.Conn.Send(out)
	if s := c.up.muc; s != nil && err == nil {
		s.sent(out)
	}
	return n, err
}

var errNoRooms = perch.Errorf(perch.KindFeatureUnsupported, "this upstream has no rooms")

// ask is a question to the service.
func ask[T any](ctx context.Context, c *conn, f func(*muc) (T, error)) (v T, err error) {
	if c.up.muc == nil {
		return v, errNoRooms
	}
	if d := c.up.muc.delay(); d > 0 {
		select {
		case <-time.After(d):
		case <-c.Done():
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	if err := c.Err(); err != nil {
		return v, perch.Wrap(perch.KindSessionOffline, err, "the connection has ended")
	}
	return f(c.up.muc)
}

// delay is how long an answer takes.
func (s *muc) delay() time.Duration { return 10 * time.Millisecond }

func (c *conn) RoomInfo(ctx context.Context, room perch.JID) (perch.RoomInfo, error) {
	return ask(ctx, c, func(s *muc) (perch.RoomInfo, error) { return s.info(room) })
}

func (c *conn) RoomArchive(ctx context.Context, room perch.JID, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	return ask(ctx, c, func(s *muc) (perch.ArchivePage, error) { return s.page(room, q) })
}

func (c *conn) SelfPing(ctx context.Context, room perch.JID, nick string) (perch.SelfPing, error) {
	return ask(ctx, c, func(s *muc) (perch.SelfPing, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pings = append(s.pings, room)
		if s.pinged != nil {
			return s.pinged(room)
		}
		switch r := s.rooms[room]; {
		case r == nil || !r.exists:
			return perch.SelfPingNoRoom, nil
		case r.nick == "":
			return perch.SelfPingOut, nil
		case r.nick != nick:
			return perch.SelfPingRenamed, nil
		}
		return perch.SelfPingIn, nil
	})
}

func (c *conn) SetRoomConfig(ctx context.Context, room perch.JID, config perch.RoomConfig) error {
	_, err := ask(ctx, c, func(s *muc) (struct{}, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		r := s.rooms[room]
		r.locked = false
		r.configured = append(r.configured, config)
		return struct{}{}, nil
	})
	return err
}

func (c *conn) CancelRoomConfig(context.Context, perch.JID) error { return nil }

// Bookmarks, PutBookmark and RemoveBookmark are the list of rooms of the account.
func (c *conn) Bookmarks(ctx context.Context) ([]perch.RoomBookmark, error) {
	return ask(ctx, c, func(s *muc) ([]perch.RoomBookmark, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetched++
		list := slices.Clone(s.marks)
		if s.reading != nil {
			s.reading()
		}
		return list, nil
	})
}

func (c *conn) PutBookmark(ctx context.Context, b perch.RoomBookmark) error {
	return c.mark(ctx, b.JID, b)
}

func (c *conn) RemoveBookmark(ctx context.Context, room perch.JID) error { return c.mark(ctx, room) }

// mark replaces the bookmark of a room.
func (c *conn) mark(ctx context.Context, room perch.JID, by ...perch.RoomBookmark) error {
	_, err := ask(ctx, c, func(s *muc) (struct{}, error) {
		s.mu.Lock()
		s.marks = append(slices.DeleteFunc(s.marks, func(x perch.RoomBookmark) bool { return x.JID == room }), by...)
		marked := s.marked
		s.mu.Unlock()
		if marked != nil {
			marked()
		}
		return struct{}{}, nil
	})
	return err
}

func (c *conn) BookmarkStore(context.Context) (string, error) { return "0402", nil }
