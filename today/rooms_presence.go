package today

import (
	"slices"
	"strconv"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// Status codes of presence in rooms (XEP-0045, 15.6).
const (
	codeRealJIDs    = 100
	codeSelf        = 110
	codeLogged      = 170
	codeCreated     = 201
	codeOtherNick   = 210
	codeBanned      = 301
	codeNickChange  = 303
	codeKicked      = 307
	codeNoMember    = 321
	codeMembersOnly = 322
	codeFailed      = 333
)

// happening is what a presence says beside whom it is of: why it is sent.
type happening struct {
	id      string // of the stanza that has caused it
	inner   []byte // of a presence that is unavailable
	codes   []int  // for all
	newNick string // after a change of nick
	by      string // nick of who did it
	reason  string
	destroy []byte

	visit *visit // gets own, beside codes and 110
	own   []int
}

// presence is that of an occupant as viewer gets it at one of its visits.
func (r *room) presence(o, viewer *occupant, to *visit, gone bool, h *happening) []byte {
	inner := h.inner
	if !gone {
		inner = o.visits[len(o.visits)-1].presence
	}
	b := make([]byte, 0, 512+len(inner))
	b = xmppserver.AppendAttr(append(b, "<presence"...), "from", r.at(o))
	b = xmppserver.AppendAttr(b, "to", to.x.Full)
	if h.id != "" {
		b = xmppserver.AppendAttr(b, "id", h.id)
	}
	if gone {
		b = append(b, " type='unavailable'"...)
	}
	b = append(append(b, '>'), inner...)
	b = appendOccupantID(b, o.id)
	b = append(b, "<x xmlns='"+nsMUCUser+"'>"...)
	b = r.appendItems(b, o, viewer, gone, h)
	b = append(b, h.destroy...)
	b = appendCodes(b, h.codes)
	if viewer == o {
		b = appendCodes(b, []int{codeSelf})
		if to == h.visit {
			b = appendCodes(b, h.own)
		}
	}
	return append(b, "</x></presence>"...)
}

// appendItems writes one item, or, for those who see who it is, one for each session.
func (r *room) appendItems(b []byte, o, viewer *occupant, gone bool, h *happening) []byte {
	role := o.role
	if gone && h.newNick == "" {
		role = perch.RoleNone
	}
	affiliation := r.affiliation(o.bare)
	if h.destroy != nil {
		affiliation = perch.AffiliationNone // XEP-0045, 10.9
	}
	if viewer != o && !r.seesJIDs(viewer) {
		return appendOccupant(b, affiliation, role, "", h)
	}
	for _, v := range slices.Backward(o.visits) {
		b = appendOccupant(b, affiliation, role, v.x.Full, h)
	}
	return b
}

func appendOccupant(b []byte, a perch.Affiliation, role perch.Role, full string, h *happening) []byte {
	b = xmppserver.AppendAttr(append(b, "<item"...), "affiliation", string(a))
	b = xmppserver.AppendAttr(b, "role", string(role))
	if full != "" {
		b = xmppserver.AppendAttr(b, "jid", full)
	}
	if h.newNick != "" {
		b = xmppserver.AppendAttr(b, "nick", h.newNick)
	}
	b = append(b, '>')
	if h.by != "" {
		b = append(xmppserver.AppendAttr(append(b, "<actor"...), "nick", h.by), "/>"...)
	}
	return append(xmppserver.AppendTag(b, "reason", h.reason), "</item>"...)
}

func appendCodes(b []byte, codes []int) []byte {
	for _, code := range codes {
		b = append(xmppserver.AppendAttr(append(b, "<status"...), "code", strconv.Itoa(code)), "/>"...)
	}
	return b
}

func appendOccupantID(b []byte, id string) []byte {
	b = append(b, "<occupant-id xmlns='"+nsOccupantID+"'"...)
	return append(xmppserver.AppendAttr(b, "id", id), "/>"...)
}

// show sends the presence of an occupant to all: to itself last (XEP-0045, 7.2.2).
func (r *room) show(o *occupant, h *happening) { r.publish(o, false, r.shows(o.role), h) }

// shows reports whether others see the presence of those with a role.
func (r *room) shows(role perch.Role) bool { return slices.Contains(r.config.presenceOf, role) }

// publish sends presence of an occupant to itself, and to the others when they are to see it.
func (r *room) publish(o *occupant, gone, others bool, h *happening) {
	if others {
		for _, viewer := range r.occupants {
			if viewer == o {
				continue
			}
			for _, v := range viewer.visits {
				v.x.Send(r.presence(o, viewer, v, gone, h))
			}
		}
	}
	for _, v := range o.visits {
		v.x.Send(r.presence(o, o, v, gone, h))
	}
}

// depart takes sessions of an occupant out of the room. The others see it go with the last one, and
// else what the rest of it shows. A temporary room ends with its last occupant.
func (r *room) depart(o *occupant, leaving []*visit, h *happening) {
	rest := slices.DeleteFunc(slices.Clone(o.visits), func(v *visit) bool { return slices.Contains(leaving, v) })
	if len(rest) == 0 {
		r.publish(o, true, r.shows(o.role), h)
		r.occupants = slices.DeleteFunc(r.occupants, func(p *occupant) bool { return p == o })
	} else {
		for _, v := range leaving {
			v.x.Send(r.presence(o, o, v, true, h))
		}
		o.visits = rest
		r.show(o, &happening{})
	}
	for _, v := range leaving {
		r.c.left(v.x, r)
	}
	if len(r.occupants) == 0 && !r.config.persistent {
		delete(r.c.list, r.jid)
	}
}

// remove takes an occupant out of the room with all of its sessions.
func (r *room) remove(o *occupant, h *happening) { r.depart(o, slices.Clone(o.visits), h) }

// setRole changes the role of an occupant. Who shows it no more is gone for the others, and the other
// way.
func (r *room) setRole(o *occupant, role perch.Role, h *happening) {
	before := r.shows(o.role)
	o.role = role
	if before && !r.shows(role) {
		for _, viewer := range r.occupants {
			if viewer == o {
				continue
			}
			for _, v := range viewer.visits {
				v.x.Send(r.presence(o, viewer, v, true, h))
			}
		}
	}
	r.show(o, h)
}
