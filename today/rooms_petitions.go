package today

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// nsVoice is the form by which a visitor asks for voice, and a moderator answers (XEP-0045, 8.6).
const nsVoice = nsMUC + "#request"

// maxInvited bounds those whom one message invites.
const maxInvited = 20

// petition is a message to the room itself: an invitation, that one is declined, or about voice.
func (r *room) petition(x *session, e *xmppserver.Element) {
	user, form := e.Child(nsMUCUser, "x"), e.Child(nsForms, "x")
	switch {
	case user.Child(nsMUCUser, "decline") != nil:
		r.decline(x, user.Child(nsMUCUser, "decline"))
	case user.Child(nsMUCUser, "invite") != nil:
		r.invite(x, e, user)
	case form != nil:
		r.voice(x, e, form)
	default:
		x.bounce(e, "bad-request")
	}
}

// invite passes invitations on (7.8.2). In a room for members alone they make members.
func (r *room) invite(x *session, e, user *xmppserver.Element) {
	o, _ := r.of(x)
	if o == nil {
		x.bounce(e, "not-acceptable")
		return
	}
	if o.role == perch.RoleVisitor || !r.config.invites && rank(r.affiliation(o.bare)) < rank(perch.AffiliationAdmin) {
		x.bounce(e, "forbidden")
		return
	}
	for i, k := range user.Elements() {
		if k.Name.Space != nsMUCUser || k.Name.Local != "invite" {
			continue
		}
		at, ok := r.c.s.dir.Resolve(k.Get("to"))
		switch {
		case !ok:
			x.bounce(e, "jid-malformed")
			return
		case i >= maxInvited:
			x.bounce(e, "resource-constraint")
			return
		case at.Account == nil:
			x.bounce(e, "item-not-found")
			return
		case r.c.s.refuses(x, e, at.Bare):
			return
		case r.blocked(at, o):
			x.bounce(e, "service-unavailable")
			return
		}
		if r.config.membersOnly && r.affiliation(at.Bare) == perch.AffiliationNone && len(r.standings) < maxRoomStandings {
			r.setAffiliation(at.Bare, standing{affiliation: perch.AffiliationMember}, &happening{by: o.nick})
		}
		if !r.invited(at, o, e.Get("id"), k) {
			x.bounce(e, "service-unavailable")
			return
		}
	}
}

// blocked reports whether an account has blocked the room, or an occupant as it is called there.
func (r *room) blocked(at xmppserver.Address, o *occupant) bool {
	a := r.c.s.of(at)
	return r.c.s.blocks(a, r.jid) || r.c.s.blocks(a, r.at(o))
}

// invited is the invitation as it arrives, for clients of today and of before. It reports whether there was a
// place for it.
func (r *room) invited(at xmppserver.Address, by *occupant, id string, invite *xmppserver.Element) bool {
	reason := invite.Child(nsMUCUser, "reason").Text()
	b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
	b = xmppserver.AppendAttr(b, "to", at.Bare)
	if id != "" {
		b = xmppserver.AppendAttr(b, "id", id)
	}
	b = xmppserver.AppendAttr(append(b, "><x xmlns='"+nsMUCUser+"'><invite"...), "from", r.at(by))
	b = append(xmppserver.AppendTag(append(b, '>'), "reason", reason), "</invite>"...)
	b = append(xmppserver.AppendTag(b, "password", r.config.password), "</x>"...)
	b = xmppserver.AppendAttr(append(b, "<x xmlns='"+nsConference+"'"...), "jid", r.jid)
	if r.config.password != "" {
		b = xmppserver.AppendAttr(b, "password", r.config.password)
	}
	if reason != "" {
		b = xmppserver.AppendAttr(b, "reason", reason)
	}
	text := by.nick + " invites you to the room " + r.jid
	b = append(xmppserver.AppendTag(append(b, "/>"...), "body", text), "</message>"...)
	body := xmppserver.NewElement(xmppserver.NSClient, "body", xmppserver.Node{Text: text})
	return r.c.receive(at, r.jid, xmppserver.NewElement(xmppserver.NSClient, "message", xmppserver.Node{El: body}), b)
}

// decline tells the one who has invited that the other does not come (7.8.2).
func (r *room) decline(x *session, decline *xmppserver.Element) {
	to := decline.Get("to")
	bare, _, _ := strings.Cut(to, "/")
	for _, o := range r.occupants {
		if to != r.at(o) && bare != o.bare {
			continue
		}
		b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
		b = xmppserver.AppendAttr(append(b, "><x xmlns='"+nsMUCUser+"'><decline"...), "from", x.acct.Bare)
		b = xmppserver.AppendTag(append(b, '>'), "reason", decline.Child(nsMUCUser, "reason").Text())
		b = append(b, "</decline></x></message>"...)
		for _, v := range o.visits {
			v.x.Send(addressed(b, v.x.Full))
		}
		return
	}
}

// voice is a visitor's request for voice, which goes to the moderators, or the answer of one of them
// (8.6).
func (r *room) voice(x *session, e, form *xmppserver.Element) {
	o, _ := r.of(x)
	f, ok := parseForm(form)
	switch {
	case o == nil:
		x.bounce(e, "not-acceptable")
	case !ok || f.kind != nsVoice || f.text("muc#role") != string(perch.RoleParticipant):
		x.bounce(e, "bad-request")
	case o.role == perch.RoleModerator:
		r.allowVoice(x, e, o, f)
	case o.role == perch.RoleVisitor:
		r.askForVoice(o)
	}
}

// askForVoice shows the moderators who wants to speak.
func (r *room) askForVoice(o *occupant) {
	b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
	b = appendForm(append(b, '>'), "form", nsVoice)
	b = appendField(b, "text-single", "muc#role", string(perch.RoleParticipant))
	b = appendField(b, "jid-single", "muc#jid", o.visits[len(o.visits)-1].x.Full)
	b = appendField(b, "text-single", "muc#roomnick", o.nick)
	b = appendField(b, "boolean", "muc#request_allow", "0")
	b = append(b, "</x></message>"...)
	for _, m := range r.occupants {
		if m.role != perch.RoleModerator {
			continue
		}
		for _, v := range m.visits {
			v.x.Send(addressed(b, v.x.Full))
		}
	}
}

// allowVoice is the answer of a moderator.
func (r *room) allowVoice(x *session, e *xmppserver.Element, by *occupant, f form) {
	o := r.byNick(f.text("muc#roomnick"))
	switch allow := f.text("muc#request_allow"); {
	case allow != "1" && allow != "true":
	case o == nil:
		x.bounce(e, "item-not-found")
	case o.role == perch.RoleVisitor:
		r.setRole(o, perch.RoleParticipant, &happening{by: by.nick})
	}
}
