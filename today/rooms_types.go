package today

import (
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// Namespaces of rooms. That of what a room says, muc#user, is with the archives.
const (
	nsMUC        = "http://jabber.org/protocol/muc"
	nsMUCAdmin   = nsMUC + "#admin"
	nsMUCOwner   = nsMUC + "#owner"
	nsOccupantID = "urn:xmpp:occupant-id:0"
)

// room is one room (XEP-0045); guarded by Service.mu.
type room struct {
	c      *rooms
	jid    string // bare
	config roomConfig
	locked bool // new, until its owner has configured it (10.1)

	subject   roomSubject
	standings map[string]standing // by bare JID, or by domain for outcasts; none is not in it
	occupants []*occupant         // in the order in which they came
	archive   archive
	card      roomCard
}

// standing is a long-lived affiliation (XEP-0045, 5.2), with the nick and the reason that came with it.
type standing struct {
	affiliation  perch.Affiliation
	nick, reason string
}

// roomSubject is the subject with who has set it; from is "" before anybody has.
type roomSubject struct {
	inner []byte // the elements
	text  string
	from  string
	at    time.Time
}

// occupant is who is in a room under one nick: one account with one or more of its sessions.
type occupant struct {
	nick, bare string
	id         string // XEP-0421
	role       perch.Role
	visits     []*visit // at least one; the newest presence is last, and is what others see
}

// visit is one session of an occupant.
type visit struct {
	x        *session
	presence []byte // what is inside
}

// affiliations from the least to the most.
var affiliations = []perch.Affiliation{
	perch.AffiliationOutcast, perch.AffiliationNone, perch.AffiliationMember, perch.AffiliationAdmin, perch.AffiliationOwner,
}

// rank compares affiliations.
func rank(a perch.Affiliation) int { return slices.Index(affiliations, a) }

// affiliation of an account to the room.
func (r *room) affiliation(bare string) perch.Affiliation {
	if s, ok := r.standings[bare]; ok {
		return s.affiliation
	}
	_, domain, _ := strings.Cut(bare, "@")
	if s, ok := r.standings[domain]; ok && s.affiliation == perch.AffiliationOutcast {
		return s.affiliation
	}
	return perch.AffiliationNone
}

// roleOf is what one with an affiliation is at first (XEP-0045, 5.1.2).
func (r *room) roleOf(a perch.Affiliation) perch.Role {
	switch {
	case rank(a) >= rank(perch.AffiliationAdmin):
		return perch.RoleModerator
	case a == perch.AffiliationNone && r.config.moderated:
		return perch.RoleVisitor
	}
	return perch.RoleParticipant
}

// byNick returns who has a nick, or nil.
func (r *room) byNick(nick string) *occupant {
	for _, o := range r.occupants {
		if o.nick == nick {
			return o
		}
	}
	return nil
}

// of returns what a session is in the room, or nil and nil.
func (r *room) of(x *session) (*occupant, *visit) {
	for _, o := range r.occupants {
		if o.bare != x.acct.Bare {
			continue
		}
		for _, v := range o.visits {
			if v.x == x {
				return o, v
			}
		}
	}
	return nil, nil
}

// at is the address of an occupant in its room.
func (r *room) at(o *occupant) string { return r.jid + "/" + o.nick }

// seesJIDs reports whether an occupant sees who the others are (XEP-0045, 3).
func (r *room) seesJIDs(o *occupant) bool {
	return r.config.nonAnonymous || o.role == perch.RoleModerator
}
