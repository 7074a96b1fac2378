package today

import (
	"slices"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsRetraction = "urn:xmpp:message-retract:1"
	nsReactions  = "urn:xmpp:reactions:0"
)

// message is sent to a room or to an occupant (XEP-0045, 7.4 and 7.5).
func (c *rooms) message(x *session, e *xmppserver.Element, to perch.JID) {
	r := c.list[string(to.Bare())]
	kind := e.Get("type")
	switch {
	case kind == "error" && c.failed(x, e, r):
	case r == nil:
		x.bounce(e, "item-not-found")
	case to.Resource() != "":
		r.private(x, e, to.Resource())
	case kind == "groupchat":
		r.groupchat(x, e)
	case kind != "error":
		r.petition(x, e)
	}
}

// groupchat is a message to all (7.4), or a subject (8.1).
func (r *room) groupchat(x *session, e *xmppserver.Element) {
	o, _ := r.of(x)
	switch {
	case o == nil:
		x.bounce(e, "not-acceptable")
	case isSubject(e):
		r.setSubject(x, o, e)
	case o.role == perch.RoleVisitor:
		x.bounce(e, "forbidden")
	default:
		r.strip(e)
		r.say(r.message(o, e), e, o)
		r.retractOwn(o, e)
	}
}

// strip takes away what only the room may say of a message.
func (r *room) strip(e *xmppserver.Element) {
	r.c.s.dropForged(e)
	e.Kids = slices.DeleteFunc(e.Kids, func(k xmppserver.Node) bool {
		return k.El != nil && (k.El.Name.Space == nsOccupantID || k.El.Name.Space == nsMUCUser)
	})
}

// message is what an occupant has said, to nobody yet.
func (r *room) message(o *occupant, e *xmppserver.Element) []byte {
	b := xmppserver.AppendAttr([]byte("<message"), "from", r.at(o))
	b = appendStanzaAttrs(b, e)
	b = e.AppendKids(append(b, '>'))
	return append(appendOccupantID(b, o.id), "</message>"...)
}

// appendStanzaAttrs writes what a stanza keeps on its way.
func appendStanzaAttrs(b []byte, e *xmppserver.Element) []byte {
	for _, a := range e.Attr {
		switch {
		case a.Name.Space == xmppserver.NSXML && a.Name.Local == "lang":
			b = xmppserver.AppendAttr(b, "xml:lang", a.Value)
		case a.Name.Space == "" && (a.Name.Local == "id" || a.Name.Local == "type"):
			b = xmppserver.AppendAttr(b, a.Name.Local, a.Value)
		}
	}
	return b
}

// say archives a message, if it is worth it, and sends it to all. e is what is in it; by is who has said
// it, nil for the room itself.
func (r *room) say(stanza []byte, e *xmppserver.Element, by *occupant) {
	if r.config.archived && keptInRoom(e) {
		m := newArchived(r.jid, e, stanza)
		if by != nil {
			m.with, m.occupant = r.at(by), by.id
		}
		r.archive.add(m)
		r.archive.shrink(maxRoomArchive)
		stanza = withStanzaID(stanza, r.jid, m.id)
	}
	r.toAll(stanza)
}

// toAll sends a message that is to nobody yet to everybody in the room.
func (r *room) toAll(stanza []byte) {
	for _, o := range r.occupants {
		for _, v := range o.visits {
			v.x.Send(addressed(stanza, v.x.Full))
		}
	}
}

// addressed is a message with who gets it.
func addressed(stanza []byte, to string) []byte {
	const begin = "<message"
	b := make([]byte, 0, len(stanza)+len(to)+16)
	b = xmppserver.AppendAttr(append(b, begin...), "to", to)
	return append(b, stanza[len(begin):]...)
}

// keptInRoom reports whether the archive of a room keeps a message: what hints want (XEP-0334), else
// what is for people to read, or about that.
func keptInRoom(e *xmppserver.Element) bool {
	switch {
	case e.Child(nsHints, "no-store") != nil, e.Child(nsHints, "no-permanent-store") != nil:
		return false
	case e.Child(nsMarkers, "displayed") != nil, e.Child(nsReactions, "reactions") != nil, e.Child(nsRetraction, "retract") != nil:
		return true
	}
	return hasContent(e)
}

// isSubject reports whether a message sets the subject: it has no text beside (8.1).
func isSubject(e *xmppserver.Element) bool {
	return e.Child(xmppserver.NSClient, "subject") != nil && e.Child(xmppserver.NSClient, "body") == nil &&
		e.Child(xmppserver.NSClient, "thread") == nil
}

// maxSubject bounds a subject in all of its languages, as it is written.
const maxSubject = 4 * maxText

// setSubject changes the subject of the room, by those who may.
func (r *room) setSubject(x *session, o *occupant, e *xmppserver.Element) {
	if o.role != perch.RoleModerator && (o.role != perch.RoleParticipant || !r.config.changeSubject) {
		x.bounce(e, "forbidden")
		return
	}
	e.Kids = slices.DeleteFunc(e.Kids, func(k xmppserver.Node) bool {
		return k.El == nil || k.El.Name != xmppserver.NewElement(xmppserver.NSClient, "subject").Name
	})
	if len(e.AppendKids(nil)) > maxSubject {
		x.bounce(e, "not-acceptable")
		return
	}
	r.subject = roomSubject{
		inner: e.AppendKids(nil), text: e.Child(xmppserver.NSClient, "subject").Text(),
		from: r.at(o), at: time.Now().UTC(),
	}
	r.toAll(r.message(o, e))
}

// private is a message to one occupant (7.5).
func (r *room) private(x *session, e *xmppserver.Element, nick string) {
	o, _ := r.of(x)
	target := r.byNick(nick)
	switch failed := e.Get("type") == "error"; {
	case o == nil && failed, target == nil && failed:
	case o == nil:
		x.bounce(e, "not-acceptable")
	case e.Get("type") == "groupchat":
		x.bounce(e, "bad-request")
	case target == nil:
		x.bounce(e, "item-not-found")
	case r.c.s.refuses(x, e, r.at(target)):
	case r.blocks(target, o):
		x.bounce(e, "service-unavailable")
	case !failed && !r.mayWhisper(o, target):
		x.bounce(e, "forbidden")
	default:
		r.strip(e)
		e.Kids = append(e.Kids, xmppserver.Node{El: xmppserver.NewElement(nsMUCUser, "x")})
		// What one says is for all devices of the account; what the other answers is for one session.
		r.c.s.copySent(x, e, r.c.s.keep(x.acct, r.at(target), e, x.stamped(e, r.at(target))))
		r.whisper(o, target, e)
	}
}

// mayWhisper reports whether the room lets an occupant write to another one.
func (r *room) mayWhisper(from, to *occupant) bool {
	switch r.config.privateMessages {
	case "none":
		return false
	case "moderators":
		return from.role == perch.RoleModerator || to.role == perch.RoleModerator
	case "participants":
		return from.role != perch.RoleVisitor
	}
	return true
}

// blocks reports whether an occupant has blocked another one, as that is called in the room (XEP-0191).
func (r *room) blocks(o, other *occupant) bool {
	a := r.c.accountOf(o.bare)
	return a != nil && r.c.s.blocks(a, r.at(other))
}

// whisper hands a private message to each session of an occupant, with the id that it has in the archive
// of its account.
func (r *room) whisper(from, to *occupant, e *xmppserver.Element) {
	stanza := r.message(from, e)
	if a := r.c.accountOf(to.bare); a != nil {
		stanza = r.c.s.keep(a, r.at(from), e, stanza)
	}
	for _, v := range to.visits {
		v.x.Send(addressed(stanza, v.x.Full))
	}
}

// failed takes an occupant out that cannot be reached, as the error says that has come back for it, and
// reports whether it was such an error.
func (c *rooms) failed(x *session, e *xmppserver.Element, r *room) bool {
	condition := e.Child(xmppserver.NSClient, "error").Child(xmppserver.NSStanzas, "")
	if r == nil || condition == nil {
		return false
	}
	switch condition.Name.Local {
	case "gone", "item-not-found", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout":
	default:
		return false
	}
	o, v := r.of(x)
	if o == nil {
		return false
	}
	r.depart(o, []*visit{v}, &happening{codes: []int{codeFailed}, reason: "its messages come back: " + condition.Name.Local})
	return true
}

// receive hands an account a message that a room has made: to its devices, or to what it has missed. It
// reports whether there was a place for it.
func (c *rooms) receive(at xmppserver.Address, from string, e *xmppserver.Element, stanza []byte) bool {
	return c.s.deliver(at, e, c.s.keep(c.s.of(at), from, e, stanza))
}

// accountOf returns the account with a bare JID, or nil.
func (c *rooms) accountOf(bare string) *account { return c.s.accounts[perch.JID(bare).Local()] }
