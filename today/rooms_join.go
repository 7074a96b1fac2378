package today

import (
	"crypto/hmac"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// Bounds of rooms, beside those of their archives.
const (
	maxRooms         = 100
	maxRoomsOwned    = 20       // rooms that one account has
	maxRoomsIn       = 100      // rooms that one session is in
	maxVisits        = 1000     // sessions in a room, whatever its own limit is
	maxRoomPresence  = 16 << 10 // bytes inside of a presence
	maxRoomStandings = 1000     // affiliations that a room keeps
)

// presence is sent to a room or to an occupant (XEP-0045, 7).
func (c *rooms) presence(x *session, e *xmppserver.Element, to perch.JID) {
	r := c.list[string(to.Bare())]
	switch kind := e.Get("type"); {
	case kind == "error":
		c.failed(x, e, r)
	case kind == "unavailable":
		if r == nil {
			return
		}
		if o, v := r.of(x); o != nil {
			r.depart(o, []*visit{v}, &happening{id: e.Get("id"), inner: roomPresence(e)})
		}
	case kind != "", to.Local() == "":
		x.bounce(e, "service-unavailable") // a room has no subscriptions
	case to.Resource() == "":
		x.bounce(e, "jid-malformed") // 7.2.1: no nick
	default:
		c.available(x, e, r, to)
	}
}

// roomPresence is what occupants see of a presence: not what only the room may say.
func roomPresence(e *xmppserver.Element) []byte {
	seen := *e
	seen.Kids = slices.DeleteFunc(slices.Clone(e.Kids), func(k xmppserver.Node) bool {
		return k.El == nil || strings.HasPrefix(k.El.Name.Space, nsMUC) || k.El.Name.Space == nsOccupantID
	})
	return seen.AppendKids(nil)
}

// available is a join, or the presence of one who is in the room. Presence without the word for a join,
// of one who is not in, is of a client that takes itself to be (7.2.1).
func (c *rooms) available(x *session, e *xmppserver.Element, r *room, to perch.JID) {
	presence, join, nick := roomPresence(e), e.Child(nsMUC, "x"), to.Resource()
	if len(presence) > maxRoomPresence {
		x.bounce(e, "resource-constraint")
		return
	}
	h := &happening{id: e.Get("id")}
	if _, given, _ := strings.Cut(e.Get("to"), "/"); given != nick {
		h.own = append(h.own, codeOtherNick) // as RFC 7622 prepares it
	}
	if r != nil {
		if o, v := r.of(x); o != nil {
			v.presence = presence
			r.again(x, e, h, nick)
			return
		}
	}
	condition := "item-not-found"
	if join != nil {
		if r == nil {
			if c.isGone(x, e, string(to.Bare())) {
				return
			}
			r, condition = c.create(string(to.Bare()), x.acct)
			h.own = append(h.own, codeCreated)
		} else {
			condition = r.mayEnter(x, nick, join.Child(nsMUC, "password").Text())
		}
	}
	if condition != "" {
		x.bounce(e, condition)
		return
	}
	r.enter(&visit{x: x, presence: presence}, nick, join.Child(nsMUC, "history"), h)
}

// create makes a room, which its owner has to configure before others may enter (10.1).
func (c *rooms) create(bare string, by *account) (*room, string) {
	owned := 0
	for _, r := range c.list {
		if r.standings[by.Bare].affiliation == perch.AffiliationOwner {
			owned++
		}
	}
	if len(c.list) >= maxRooms || owned >= maxRoomsOwned {
		return nil, "resource-constraint"
	}
	r := &room{c: c, jid: bare, config: newRoomConfig(), locked: true, standings: map[string]standing{
		by.Bare: {affiliation: perch.AffiliationOwner},
	}}
	c.list[bare] = r
	return r, ""
}

// mayEnter returns the condition of a stanza error (7.2.5 to 7.2.10), or "".
func (r *room) mayEnter(x *session, nick, password string) string {
	a, other := r.affiliation(x.acct.Bare), r.byNick(nick)
	switch {
	case r.locked && a != perch.AffiliationOwner:
		return "item-not-found"
	case a == perch.AffiliationOutcast:
		return "forbidden"
	case r.config.membersOnly && rank(a) < rank(perch.AffiliationMember):
		return "registration-required"
	case r.config.password != "" && !hmac.Equal([]byte(password), []byte(r.config.password)):
		return "not-authorized"
	case r.config.maxOccupants > 0 && len(r.occupants) >= r.config.maxOccupants && other == nil && rank(a) < rank(perch.AffiliationAdmin):
		return "service-unavailable"
	case other != nil && other.bare != x.acct.Bare:
		return "conflict"
	case r.visits() >= maxVisits || len(r.c.in[x]) >= maxRoomsIn:
		return "resource-constraint"
	}
	return ""
}

func (r *room) visits() (n int) {
	for _, o := range r.occupants {
		n += len(o.visits)
	}
	return n
}

// enter lets a session in (7.2.2): it gets who is there, itself, the history, and the subject.
func (r *room) enter(v *visit, nick string, history *xmppserver.Element, h *happening) {
	o := r.byNick(nick)
	if o == nil {
		bare := v.x.acct.Bare
		o = &occupant{nick: nick, bare: bare, id: r.c.occupantID(r.jid, bare), role: r.roleOf(r.affiliation(bare))}
		r.occupants = append(r.occupants, o)
	}
	o.visits = append(o.visits, v)
	r.c.in[v.x] = append(r.c.in[v.x], r)
	r.welcome(o, v, history, h)
}

// welcome sends one who has joined all that a join brings.
func (r *room) welcome(o *occupant, v *visit, history *xmppserver.Element, h *happening) {
	for _, other := range r.occupants {
		if other != o && r.shows(other.role) {
			v.x.Send(r.presence(other, o, v, false, &happening{}))
		}
	}
	h.visit = v
	if r.config.nonAnonymous {
		h.own = append(h.own, codeRealJIDs)
	}
	if r.config.archived {
		h.own = append(h.own, codeLogged)
	}
	r.show(o, h)
	r.sendHistory(v.x, history)
	v.x.Send(r.subjectTo(v.x))
	r.sendPhoto(v.x)
}

// again is presence of one who is in the room: another one, another nick (7.6), or once more a join,
// which brings everything again.
func (r *room) again(x *session, e *xmppserver.Element, h *happening, nick string) {
	o, v := r.of(x)
	last := func() { // what came last is what others see
		o.visits = append(slices.DeleteFunc(o.visits, func(w *visit) bool { return w == v }), v)
	}
	join := e.Child(nsMUC, "x")
	switch other := r.byNick(nick); {
	case other == o && join != nil:
		last()
		r.welcome(o, v, join.Child(nsMUC, "history"), h)
	case other == o:
		last()
		r.show(o, h)
	case other != nil && other.bare != o.bare:
		x.bounce(e, "conflict")
	default:
		r.rename(o, v, nick, h)
	}
}

// rename gives a session another nick (7.6), which may be that of others of its account.
func (r *room) rename(o *occupant, v *visit, nick string, h *happening) {
	other := r.byNick(nick)
	change := &happening{id: h.id, newNick: nick, codes: []int{codeNickChange}}
	h.visit = v
	if len(o.visits) == 1 && other == nil {
		r.publish(o, true, r.shows(o.role), change)
		o.nick = nick
		r.show(o, h)
		return
	}
	if len(o.visits) == 1 {
		r.publish(o, true, r.shows(o.role), change)
		r.occupants = slices.DeleteFunc(r.occupants, func(p *occupant) bool { return p == o })
	} else {
		v.x.Send(r.presence(o, o, v, true, change))
		o.visits = slices.DeleteFunc(o.visits, func(w *visit) bool { return w == v })
		r.show(o, &happening{})
	}
	if other == nil {
		other = &occupant{nick: nick, bare: o.bare, id: o.id, role: o.role}
		r.occupants = append(r.occupants, other)
	}
	other.visits = append(other.visits, v)
	r.show(other, h)
}
