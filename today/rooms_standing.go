package today

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// setAffiliation gives an account an affiliation (XEP-0045, 9 and 10), which changes what it is in the
// room, or ends that. Who is not in the room is named to those who see who the others are.
func (r *room) setAffiliation(bare string, s standing, h *happening) {
	before := r.affiliation(bare)
	r.note(bare, s)
	if !r.affects(bare, s.affiliation, before, h) {
		r.announce(bare, s.affiliation, h)
	}
}

// note keeps an affiliation, and does nothing about it.
func (r *room) note(bare string, s standing) {
	if s.affiliation == perch.AffiliationNone {
		delete(r.standings, bare)
	} else {
		r.standings[bare] = s
	}
}

// affects changes the occupants of an account, or of a domain that is banned, and reports whether there are
// any. Who has an affiliation of its own is no matter of its domain's.
func (r *room) affects(bare string, now, before perch.Affiliation, h *happening) bool {
	found := false
	for _, o := range slices.Clone(r.occupants) {
		_, own := r.standings[o.bare]
		if o.bare != bare && (own || now != perch.AffiliationOutcast || perch.JID(o.bare).Domain() != bare) {
			continue
		}
		found = true
		why := *h
		switch {
		case now == perch.AffiliationOutcast:
			why.codes = []int{codeBanned}
			r.remove(o, &why)
		case r.config.membersOnly && now == perch.AffiliationNone:
			why.codes = []int{codeNoMember}
			r.remove(o, &why)
		case rank(now) > rank(before), o.role == perch.RoleModerator:
			r.setRole(o, r.roleOf(now), &why)
		default:
			r.show(o, &why)
		}
	}
	return found
}

// announce is a message about an account that is not in the room (9.3, 10.1).
func (r *room) announce(bare string, a perch.Affiliation, h *happening) {
	b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
	b = append(b, "><x xmlns='"+nsMUCUser+"'>"...)
	b = appendOccupant(b, a, perch.RoleNone, bare, h)
	b = append(b, "</x></message>"...)
	for _, o := range r.occupants {
		if !r.seesJIDs(o) {
			continue
		}
		for _, v := range o.visits {
			v.x.Send(addressed(b, v.x.Full))
		}
	}
}

// mayAffiliate returns the condition of a stanza error, or "" when one account may give another one
// (9.1 to 10.8).
func (r *room) mayAffiliate(by, bare string, to perch.Affiliation) string {
	own, now := r.affiliation(by), r.affiliation(bare)
	switch {
	case rank(own) < rank(perch.AffiliationAdmin):
		return "forbidden"
	case own == perch.AffiliationAdmin && max(rank(now), rank(to)) >= rank(perch.AffiliationAdmin):
		return "not-allowed"
	case !strings.Contains(bare, "@") && to != perch.AffiliationOutcast && to != perch.AffiliationNone:
		return "not-acceptable" // of a domain nothing but a ban counts
	case by == bare && to == perch.AffiliationOutcast:
		return "conflict" // 9.1
	case now == perch.AffiliationOwner && to != now && r.owners() == 1:
		return "conflict" // 10.5: a room keeps an owner
	case r.standings[bare].affiliation == "" && to != perch.AffiliationNone && len(r.standings) >= maxRoomStandings:
		return "resource-constraint"
	}
	return ""
}

func (r *room) owners() (n int) {
	for _, s := range r.standings {
		if s.affiliation == perch.AffiliationOwner {
			n++
		}
	}
	return n
}

// mayRule returns the condition of a stanza error, or "" when an occupant may give another one a role
// (8.2 to 8.4, 9.6 and 9.7).
func (r *room) mayRule(by, o *occupant, to perch.Role) string {
	own, target := r.affiliation(by.bare), r.affiliation(o.bare)
	switch {
	case by.role != perch.RoleModerator:
		return "forbidden"
	case rank(target) > rank(own):
		return "not-allowed"
	case to == perch.RoleModerator && rank(own) < rank(perch.AffiliationAdmin):
		return "not-allowed"
	case o.role == perch.RoleModerator && to != o.role && by != o && (rank(own) < rank(perch.AffiliationAdmin) || rank(target) >= rank(own)):
		return "not-allowed" // 9.7: of an admin or owner it cannot be taken
	case o.role == perch.RoleModerator && rank(target) >= rank(perch.AffiliationAdmin) && to != perch.RoleNone && to != o.role:
		return "not-allowed"
	}
	return ""
}
