package fakexmpp

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var (
	_ sessions.RoomConn  = (*Conn)(nil)
	_ sessions.RoomAdmin = (*Conn)(nil)
)

// Room is what a simulated room has. What it says to those who join it is for the test to deliver, see
// Conn.EnterRoom.
type Room struct {
	Info    perch.RoomInfo
	Members []perch.Member
	Config  perch.RoomConfig
	Photo   []byte
	Archive perch.ArchivePage // the answer to every query
	// Archived answers queries, of a text as well; nil: Archive is the answer to each, and there is no search.
	Archived func(q perch.ArchiveQuery) (perch.ArchivePage, error)
}

// RoomData is the part of Data about rooms.
type RoomData struct {
	Rooms    map[perch.JID]*Room // by bare JID; others do not exist
	Services []perch.JID
	Asked    []string // the changes that were asked for, one a line
}

// room is a room, or the answer of a service that does not have it.
func (d *Data) room(jid perch.JID) (*Room, error) {
	if r := d.Rooms[jid.Bare()]; r != nil {
		return r, nil
	}
	return nil, notFound()
}

// askRoom is ask for one room.
func (c *Conn) askRoom(ctx context.Context, method string, jid perch.JID, answer func(*Data, *Room)) error {
	return c.ask(ctx, method, func(d *Data) error {
		r, err := d.room(jid)
		if err == nil {
			answer(d, r)
		}
		return err
	})
}

// EnterRoom tells the session that it is in a room, as the room does that it has joined (XEP-0045, 7.2):
// who is there, itself last, and the subject.
func (c *Conn) EnterRoom(room perch.JID, self perch.RoomPresenceIn, others ...perch.RoomPresenceIn) {
	for _, p := range append(others, self) {
		p.Available = true
		c.Deliver(&p)
	}
	c.Deliver(&perch.RoomSubjectIn{From: room, Text: "Topic"})
}

// RoomInfo implements sessions.RoomConn.
func (c *Conn) RoomInfo(ctx context.Context, room perch.JID) (info perch.RoomInfo, err error) {
	err = c.ask(ctx, "RoomInfo", func(d *Data) error {
		r, err := d.room(room)
		if err != nil {
			return &perch.Error{Kind: perch.KindItemNotFound, XMPP: &perch.XMPPError{Condition: "item-not-found", Type: "cancel"}}
		}
		info = r.Info
		return nil
	})
	return info, err
}

// RoomArchive implements sessions.RoomConn.
func (c *Conn) RoomArchive(ctx context.Context, room perch.JID, q perch.ArchiveQuery) (p perch.ArchivePage, err error) {
	var answer error
	err = c.askRoom(ctx, "RoomArchive", room, func(_ *Data, r *Room) {
		if r.Archived != nil {
			p, answer = r.Archived(q)
			return
		}
		if q.Text != "" {
			answer = noSearch()
			return
		}
		p = r.Archive
		p.Items = slices.Clone(p.Items)
		if q.After != "" {
			p.Items, p.Complete = nil, true
		}
	})
	return p, cmp.Or(err, answer)
}

// SelfPing implements sessions.RoomConn: nobody is ever out.
func (c *Conn) SelfPing(ctx context.Context, room perch.JID, _ string) (perch.SelfPing, error) {
	return perch.SelfPingIn, c.askRoom(ctx, "SelfPing", room, func(*Data, *Room) {})
}

// RoomMembers implements sessions.RoomAdmin.
func (c *Conn) RoomMembers(ctx context.Context, room perch.JID, a perch.Affiliation) (list perch.MemberList, err error) {
	list.Items = []perch.Member{}
	err = c.askRoom(ctx, "RoomMembers "+string(a), room, func(_ *Data, r *Room) {
		for _, m := range r.Members {
			if m.Affiliation == a {
				list.Items = append(list.Items, m)
			}
		}
	})
	return list, err
}

// SetAffiliation implements sessions.RoomAdmin.
func (c *Conn) SetAffiliation(ctx context.Context, room perch.JID, m perch.Member) error {
	return c.askRoom(ctx, "SetAffiliation", room, func(d *Data, r *Room) {
		r.Members = slices.DeleteFunc(r.Members, func(x perch.Member) bool { return x.JID == m.JID })
		if m.Affiliation != perch.AffiliationNone {
			r.Members = append(r.Members, m)
		}
		d.asked("affiliation %s %s %s %q %q", room, m.JID, m.Affiliation, m.Nick, m.Reason)
	})
}

// SetRole implements sessions.RoomAdmin.
func (c *Conn) SetRole(ctx context.Context, room perch.JID, nick string, role perch.Role, reason string) error {
	return c.askRoom(ctx, "SetRole", room, func(d *Data, _ *Room) { d.asked("role %s %q %s %q", room, nick, role, reason) })
}

// DestroyRoom implements sessions.RoomAdmin.
func (c *Conn) DestroyRoom(ctx context.Context, room perch.JID, reason string, successor perch.JID) error {
	return c.askRoom(ctx, "DestroyRoom", room, func(d *Data, _ *Room) {
		delete(d.Rooms, room.Bare())
		d.asked("destroy %s %q %q", room, reason, successor)
	})
}

// RoomConfig implements sessions.RoomAdmin.
func (c *Conn) RoomConfig(ctx context.Context, room perch.JID) (config perch.RoomConfig, err error) {
	err = c.askRoom(ctx, "RoomConfig", room, func(_ *Data, r *Room) { config = r.Config })
	return config, err
}

// SetRoomConfig implements sessions.RoomAdmin: the name and the fields are kept.
func (c *Conn) SetRoomConfig(ctx context.Context, room perch.JID, config perch.RoomConfig) error {
	return c.askRoom(ctx, "SetRoomConfig", room, func(d *Data, r *Room) {
		if config.Name != nil {
			r.Config.Name = config.Name
		}
		if config.Fields != nil {
			r.Config.Fields = config.Fields
		}
		d.asked("config %s", room)
	})
}

// CancelRoomConfig implements sessions.RoomAdmin.
func (c *Conn) CancelRoomConfig(ctx context.Context, room perch.JID) error {
	return c.askRoom(ctx, "CancelRoomConfig", room, func(d *Data, _ *Room) { d.asked("cancel %s", room) })
}

// ModerateMessage implements sessions.RoomAdmin.
func (c *Conn) ModerateMessage(ctx context.Context, room perch.JID, stanzaID, reason string) error {
	return c.askRoom(ctx, "ModerateMessage", room, func(d *Data, _ *Room) { d.asked("moderate %s %s %q", room, stanzaID, reason) })
}

// ReservedNick implements sessions.RoomAdmin.
func (c *Conn) ReservedNick(ctx context.Context, room perch.JID) (string, error) {
	return "", c.askRoom(ctx, "ReservedNick", room, func(*Data, *Room) {})
}

// SetRoomPhoto implements sessions.RoomAdmin. The card of the room has it.
func (c *Conn) SetRoomPhoto(ctx context.Context, room perch.JID, data []byte) error {
	return c.askRoom(ctx, "SetRoomPhoto", room, func(d *Data, r *Room) {
		r.Photo = data
		card := perch.VCard{JID: room}
		if len(data) > 0 {
			card.Photo = &perch.Photo{Type: "image/png", Size: len(data), Data: data}
		}
		d.Cards[room] = card
		d.asked("photo %s %d", room, len(data))
	})
}

// Directory implements sessions.RoomAdmin: the rooms of a service in the order of their addresses.
func (c *Conn) Directory(ctx context.Context, service perch.JID, limit int, after string) (page perch.DirectoryPage, err error) {
	page.Items = []perch.DirectoryRoom{}
	err = c.ask(ctx, "Directory", func(d *Data) error {
		if !slices.Contains(d.Services, service) {
			return notFound()
		}
		var all []perch.JID
		for jid := range d.Rooms {
			if jid.Domain() == service.Domain() && string(jid) > after {
				all = append(all, jid)
			}
		}
		slices.Sort(all)
		if len(all) > limit {
			next := string(all[limit-1])
			all, page.Next = all[:limit], &next
		}
		for _, jid := range all {
			page.Items = append(page.Items, perch.DirectoryRoom{JID: jid, Name: d.Rooms[jid].Info.Name})
		}
		return nil
	})
	return page, err
}

// RoomServices implements sessions.RoomAdmin.
func (c *Conn) RoomServices(ctx context.Context) (list []perch.JID, err error) {
	err = c.ask(ctx, "RoomServices", func(d *Data) error {
		list = slices.Clone(d.Services)
		return nil
	})
	return list, err
}

func (d *Data) asked(format string, args ...any) {
	d.Asked = append(d.Asked, fmt.Sprintf(format, args...))
}
