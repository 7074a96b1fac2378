package stanza

import "github.com/perch-im/perch"

// What is written to rooms (XEP-0045). Addresses and nicks have been checked by whoever was given them:
// here only what would make another stanza of it is refused.

// maxNickBytes is the longest resource of an address (RFC 7622, 3.4).
const maxNickBytes = 1023

// room writes the address of a room.
func (w *writer) room(room perch.JID) {
	if !room.IsBare() || room.Local() == "" {
		w.fail("/room", "it must be the address of a room")
		return
	}
	w.Attr("/room", "to", string(room))
}

// occupant begins presence to an address in a room, up to the end of the start tag's attributes. A
// presence in a room always has an id: so its errors are told from those of other presence.
func (w *writer) occupant(room perch.JID, nick, id string) {
	switch {
	case !room.IsBare() || room.Local() == "":
		w.fail("/room", "it must be the address of a room")
	case nick == "" || len(nick) > maxNickBytes:
		w.fail("/nick", "it must have 1 to %d bytes", maxNickBytes)
	}
	if id == "" {
		id = NewID()
	}
	w.Raw("<presence")
	w.Attr("/nick", "to", string(room)+"/"+nick)
	w.Attr("/id", "id", id)
}

// ownAvailability writes the own presence, with what this client can do, but for its end.
func (w *writer) ownAvailability(p *perch.OwnPresence) {
	if !p.Show.Valid() {
		w.fail("/show", "%q is not one of away, chat, dnd, xa", p.Show.String())
	}
	w.Raw(">")
	w.availability(p)
	w.caps()
}

// roomJoin joins a room. The history that it asks for is none, or what came since a time: what is in the
// archive is read there.
func (w *writer) roomJoin(j *perch.RoomJoinOut) {
	w.occupant(j.Room, j.Nick, j.ID)
	w.ownAvailability(&j.Presence)
	w.Raw("<x xmlns='" + nsMUC + "'>")
	w.Element("/password", "password", j.Password)
	if j.Since == 0 {
		w.Raw("<history maxstanzas='0'/>")
	} else {
		w.Raw("<history since='" + formatTime(j.Since) + "'/>")
	}
	w.Raw("</x></presence>")
}

// roomPresence changes the own presence in a room, or the nick. It is no join: that would make the room
// send its whole state.
func (w *writer) roomPresence(p *perch.RoomPresenceOut) {
	w.occupant(p.Room, p.Nick, p.ID)
	w.ownAvailability(&p.Presence)
	w.Raw("</presence>")
}

func (w *writer) roomLeave(l *perch.RoomLeaveOut) {
	w.occupant(l.Room, l.Nick, l.ID)
	w.Raw(" type='unavailable'>")
	w.Element("/status", "status", l.Status)
	w.Raw("</presence>")
}

// roomSubject changes the subject; an empty one is one, too.
func (w *writer) roomSubject(s *perch.RoomSubjectOut) {
	w.Raw("<message")
	w.room(s.Room)
	w.Attr("/id", "id", s.ID)
	w.Raw(" type='groupchat'><subject>")
	w.Text("/text", s.Text)
	w.Raw("</subject></message>")
}

// roomInvite invites somebody. A direct invitation is a message without a body, which is to be kept for
// one who is offline.
func (w *writer) roomInvite(i *perch.RoomInviteOut) {
	w.Raw("<message")
	if !i.Direct {
		w.room(i.Room)
		w.Attr("/id", "id", i.ID)
		w.Raw("><x xmlns='" + nsMUCUser + "'><invite")
		w.to(i.To)
		w.Raw(">")
		w.Element("/reason", "reason", i.Reason)
		w.Raw("</invite>")
		w.Element("/password", "password", i.Password)
		w.Raw("</x></message>")
		return
	}
	if !i.Room.IsBare() || i.Room.Local() == "" {
		w.fail("/room", "it must be the address of a room")
	}
	w.to(i.To)
	w.Attr("/id", "id", i.ID)
	w.Raw("><x xmlns='" + nsConference + "'")
	w.Attr("/room", "jid", string(i.Room))
	w.Attr("/reason", "reason", i.Reason)
	w.Attr("/password", "password", i.Password)
	w.Raw("/>")
	w.store()
	w.Raw("</message>")
}

func (w *writer) roomDecline(d *perch.RoomDeclineOut) {
	w.Raw("<message")
	w.room(d.Room)
	w.Attr("/id", "id", d.ID)
	w.Raw("><x xmlns='" + nsMUCUser + "'><decline")
	w.to(d.To)
	w.Raw(">")
	w.Element("/reason", "reason", d.Reason)
	w.Raw("</decline></x></message>")
}
