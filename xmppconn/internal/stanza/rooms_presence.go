package stanza

import (
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// occupantBox is the presence of an occupant and what it points to, in one piece of memory: a join of
// a large room brings thousands.
type occupantBox struct {
	perch.RoomPresenceIn
	hash string
	in   [1]perch.Inbound
}

// occupant decodes what a room says of one who is in it, or has left (XEP-0045, 7.1 and 17.3).
func (r decoder) occupant(el *xmlstream.Borrowed, said *presenceRead) []perch.Inbound {
	var o occupantRead
	o.read(said.room)
	p := &occupantBox{}
	id := el.Attr("id")
	var t texts
	t.grow(el.Attr("from"), said.text, said.photo.hash, id, said.occupantID, o.jid, o.nick, o.actor, o.reason)
	p.From = t.sender(el, r.self)
	said.copyInto(&p.PresenceIn, &p.hash, &t)
	p.ID, p.OccupantID = t.copy(id), t.copy(said.occupantID)
	p.JID, p.NewNick, p.Actor, p.Reason = t.jid(o.jid), t.copy(o.nick), t.copy(o.actor), t.copy(o.reason)
	p.Affiliation, p.Role, p.Codes = o.affiliation, o.role, o.codes
	if p.Role == "" {
		p.Role = defaultRole(p.Available)
	}
	if p.Affiliation == "" {
		p.Affiliation = perch.AffiliationNone
	}
	if o.destroyed != nil {
		p.Destroyed = &perch.RoomDestroyed{Successor: copyJID(o.destroyed.Attr("jid")).Bare(), Reason: reasonOf(o.destroyed)}
	}
	p.in[0] = &p.RoomPresenceIn
	return p.in[:]
}

// defaultRole is that of one of whom a room names no role that is known.
func defaultRole(available bool) perch.Role {
	if available {
		return perch.RoleParticipant
	}
	return perch.RoleNone
}

// occupantRead is what a room says of an occupant, or of an account that is not in it, in any order,
// while it lies in the buffer.
type occupantRead struct {
	codes       perch.RoomCodes
	items       int
	affiliation perch.Affiliation
	role        perch.Role
	jid, nick   xmlstream.Text
	actor       xmlstream.Text // nick
	reason      xmlstream.Text
	destroyed   *xmlstream.Borrowed
}

func (o *occupantRead) read(x *xmlstream.Borrowed) {
	for c := range x.Children() {
		if !c.Space().Is(nsMUCUser) {
			continue
		}
		switch c.Local().Peek() {
		case "status":
			o.codes |= parseRoomCode(c.Attr("code").Peek())
		case "item":
			o.item(c)
		case "destroy":
			o.destroyed = c
		}
	}
}

// item reads what is said of the occupant. Where there are several items, one for each of an account's
// devices, they differ by the resource of the JID alone: the first one counts.
func (o *occupantRead) item(el *xmlstream.Borrowed) {
	if o.items++; o.items > 1 {
		return
	}
	o.affiliation, o.role = parseAffiliation(el.Attr("affiliation").Peek()), parseRole(el.Attr("role").Peek())
	o.jid, o.nick = el.Attr("jid"), el.Attr("nick")
	for c := range el.Children() {
		switch c.Local().Peek() {
		case "actor":
			o.actor = c.Attr("nick")
		case "reason":
			o.reason = c.InnerText()
		}
	}
}

func parseRoomCode(s string) perch.RoomCodes {
	n, err := strconv.ParseUint(s, 10, 10)
	if err != nil {
		return 0
	}
	return perch.ParseRoomCode(int(n))
}

// parseAffiliation is "" for what XEP-0045 does not know, as parseRole is. Neither keeps s.
func parseAffiliation(s string) perch.Affiliation {
	switch s {
	case "owner":
		return perch.AffiliationOwner
	case "admin":
		return perch.AffiliationAdmin
	case "member":
		return perch.AffiliationMember
	case "none":
		return perch.AffiliationNone
	case "outcast":
		return perch.AffiliationOutcast
	}
	return ""
}

func parseRole(s string) perch.Role {
	switch s {
	case "moderator":
		return perch.RoleModerator
	case "participant":
		return perch.RoleParticipant
	case "visitor":
		return perch.RoleVisitor
	case "none":
		return perch.RoleNone
	}
	return ""
}

// presenceError decodes an error answer to presence. That which went to a room had an id, or was a join,
// which is echoed: the presence for the contacts has neither.
func (r decoder) presenceError(el *xmlstream.Borrowed) perch.Inbound {
	id, from := el.Attr("id"), sender(el, r.self)
	if id.Empty() && el.Child(nsMUC, "x") == nil {
		return &perch.PresenceError{From: from, Error: *parseStanzaError(el)}
	}
	e := &perch.RoomJoinError{From: from, ID: id.Copy(), Error: *parseStanzaError(el)}
	if gone := el.Child(nsClient, "error").Child(nsStanzas, "gone"); gone != nil {
		e.Successor = jidOfURI(gone.InnerText().Peek()).Bare()
	}
	return e
}
