package sessions

import (
	"cmp"
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// A private message is to a nick, and a nick is an address that another occupant may have tomorrow. So a session
// remembers with whom it has talked under which nick, and sends nothing under that to another one (XEP-0045,
// 7.5; XEP-0421). Who it is, is known by the id that the room gives its occupants, else by the real address
// where the room shows it; else only that the nick was given up.

const (
	maxPartners    = 64  // of a room; the one of whom nothing new was learned for longest goes
	whoeverIsThere = "*" // as NewMessage.OccupantID: whoever has the nick
)

// StoredPartner is an occupant with whom private messages were exchanged.
type StoredPartner struct {
	Nick string `json:"nick"`
	Who  string `json:"who,omitempty"` // see whoIs; "": the room does not say
	// Since is from when on the nick has been with one and the same, as far as the session was there to see,
	// and Renamed says that it was given up for another one. Only where the room gives its occupants no ids.
	Since   perch.Time `json:"since,omitzero"`
	Renamed bool       `json:"renamed,omitempty"`
}

var errOtherOccupant error = perch.Errorf(perch.KindOccupantChanged,
	"another occupant has this nick now than the one whom the message would be for; occupant_id says who it is for, or * that it is for whoever has the nick")

// whoIs names an occupant for all time; "": the room says nothing by which that can be known.
func whoIs(occupantID string, jid perch.JID) string {
	switch {
	case occupantID != "":
		return "id " + occupantID
	case jid != "":
		return "jid " + string(jid.Bare().Key())
	}
	return ""
}

// occupantWanted is whoIs of what a client gives.
func occupantWanted(occupantID string) string {
	if occupantID == whoeverIsThere {
		return whoeverIsThere
	}
	return whoIs(occupantID, "")
}

// occupantIDOf is the id of an occupant in what whoIs says, or "".
func occupantIDOf(who string) string {
	id, ok := strings.CutPrefix(who, "id ")
	if !ok {
		return ""
	}
	return id
}

// partner is the one with a nick, or nil.
func (r *room) partner(nick string) *StoredPartner {
	key := perch.ResourceKey(nick)
	for i := range r.row.Partners {
		if p := &r.row.Partners[i]; perch.ResourceKey(p.Nick) == key {
			return p
		}
	}
	return nil
}

// setPartner replaces the one with the nick, or adds them, where that is new.
func (x *roomList) setPartner(r *room, p StoredPartner) {
	if before := r.partner(p.Nick); before != nil && *before == p {
		return
	}
	key := perch.ResourceKey(p.Nick)
	list := slices.DeleteFunc(slices.Clone(r.row.Partners), func(o StoredPartner) bool { return perch.ResourceKey(o.Nick) == key })
	if len(list) >= maxPartners {
		list = slices.Delete(list, 0, len(list)-maxPartners+1)
	}
	p.Nick, p.Who = cloned(p.Nick), cloned(p.Who)
	r.row.Partners = append(list, p)
	x.put(r)
}

// talked notes that a private message was exchanged with the one who has a nick.
func (x *roomList) talked(r *room, nick, who string) {
	p := StoredPartner{Nick: nick, Who: who}
	if before := r.partner(nick); before != nil && before.Who == who {
		p.Since = before.Since
	}
	x.setPartner(r, p)
}

// partnerGone notes that a nick was given up: by one who has left, or has another nick now.
func (x *roomList) partnerGone(r *room, nick string, renamed bool) {
	if p := r.partner(nick); p != nil && occupantIDOf(p.Who) == "" {
		next := *p
		next.Since, next.Renamed = x.host.now(), renamed || p.Renamed
		x.setPartner(r, next)
	}
}

// partnersGone is partnerGone of all: the account was not there to see it.
func (x *roomList) partnersGone(r *room) {
	for _, p := range slices.Clone(r.row.Partners) {
		x.partnerGone(r, p.Nick, false)
	}
}

// occupantNow is who has a nick now; here: there is one, as far as the session sees.
func (r *room) occupantNow(nick string) (who string, here bool) {
	if r.table == nil {
		return "", false
	}
	o, ok := r.table.Find(nick)
	return whoIs(o.OccupantID, o.JID), ok
}

// withWhom is the conversation that an address means: that with one who is in a room, or that with an
// account or a room.
func (x *roomList) withWhom(jid perch.JID) perch.JID {
	if x != nil && x.inPrivate(jid) {
		return jid
	}
	return jid.Bare()
}

// inPrivate implements roomSender.
func (x *roomList) inPrivate(to perch.JID) bool { return !to.IsBare() && x.find(to) != nil }

// addressee implements roomSender.
func (x *roomList) addressee(to perch.JID, want string, since perch.Time) (who string, err error) {
	r, nick := x.find(to), to.Resource()
	who, here := r.occupantNow(nick)
	p := r.partner(nick)
	if want == whoeverIsThere {
		return cmp.Or(who, whoeverIsThere), nil
	}
	if want == "" && p != nil {
		want = p.Who
	}
	switch {
	case want != "" && who != "" && who != want:
		return "", errOtherOccupant
	case want == "" && who == "" && p != nil && (p.Renamed && here || since != 0 && since <= p.Since):
		return "", errOtherOccupant
	case want == "" && who == "" && p == nil && since != 0 && !r.row.Features.OccupantIDs:
		return "", errOtherOccupant // too long ago to know
	case want != "":
		return want, nil
	}
	return who, nil
}

// wrotePrivate implements roomSender.
func (x *roomList) wrotePrivate(to perch.JID, who string) {
	if who == "" || who == whoeverIsThere {
		who, _ = x.find(to).occupantNow(to.Resource())
	}
	x.talked(x.find(to), to.Resource(), who)
}

// nickSince implements relationRooms.
func (x *roomList) nickSince(peer perch.JID) perch.Time {
	if r := x.find(peer); r != nil {
		if p := r.partner(peer.Resource()); p != nil {
			return p.Since
		}
	}
	return 0
}
