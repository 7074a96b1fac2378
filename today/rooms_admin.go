package today

import (
	"maps"
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// maxAdminItems bounds what one request changes.
const maxAdminItems = 100

// adminItem is one change, or what a list is asked of (XEP-0045, 8 to 10): of a role, by nick, or of an
// affiliation, by address.
type adminItem struct {
	affiliation perch.Affiliation
	role        perch.Role
	bare, nick  string
	reason      string
}

// parseAdminItem returns the condition of a stanza error, or "".
func parseAdminItem(e *xmppserver.Element) (it adminItem, condition string) {
	it = adminItem{
		affiliation: perch.Affiliation(e.Get("affiliation")), role: perch.Role(e.Get("role")),
		nick: e.Get("nick"), reason: e.Child(nsMUCAdmin, "reason").Text(),
	}
	if e.Name.Space != nsMUCAdmin || e.Name.Local != "item" || (it.affiliation == "") == (it.role == "") {
		return it, "bad-request"
	}
	if it.affiliation != "" && !it.affiliation.Valid() || it.role != "" && !it.role.Valid() {
		return it, "bad-request"
	}
	if len(it.nick) > maxText || len(it.reason) > maxText {
		return it, "not-acceptable"
	}
	if jid := e.Get("jid"); jid != "" {
		p, err := perch.ParseJID(jid)
		if err != nil {
			return it, "jid-malformed"
		}
		it.bare = string(p.Bare())
	}
	return it, ""
}

// administer answers for the lists of a room, and changes them.
func (r *room) administer(q *request) {
	items := q.payload.Elements()
	if len(items) == 0 || !q.set && len(items) > 1 {
		q.fail("bad-request")
		return
	}
	if len(items) > maxAdminItems {
		q.fail("resource-constraint")
		return
	}
	var list []adminItem
	for _, e := range items {
		it, condition := parseAdminItem(e)
		if condition != "" {
			q.fail(condition)
			return
		}
		list = append(list, it)
	}
	if q.set {
		r.change(q, list)
		return
	}
	r.list(q, list[0])
}

// list answers with those of an affiliation (9.5, 9.8, 10.5, 10.8), or of a role (8.5).
func (r *room) list(q *request, it adminItem) {
	own := r.affiliation(q.from.acct.Bare)
	o, _ := r.of(q.from)
	b := []byte("<query xmlns='" + nsMUCAdmin + "'>")
	switch {
	case it.role != "":
		if o == nil || o.role != perch.RoleModerator {
			q.fail("forbidden")
			return
		}
		for _, p := range r.occupants {
			if p.role == it.role {
				b = appendListed(b, r.affiliation(p.bare), p.role, p.bare, p.nick, "")
			}
		}
	case rank(own) < rank(perch.AffiliationAdmin) && !r.showsMembers(own, it.affiliation):
		q.fail("forbidden")
		return
	default:
		for _, bare := range r.sorted() {
			if s := r.standings[bare]; s.affiliation == it.affiliation {
				b = appendListed(b, s.affiliation, "", bare, s.nick, s.reason)
			}
		}
	}
	q.result(append(b, "</query>"...))
}

// showsMembers reports whether members may read a list: where they see each other anyway (9.5).
func (r *room) showsMembers(own, of perch.Affiliation) bool {
	return r.config.membersOnly && r.config.nonAnonymous && rank(own) >= rank(perch.AffiliationMember) && rank(of) >= rank(perch.AffiliationMember)
}

// sorted are the addresses with an affiliation.
func (r *room) sorted() []string {
	list := make([]string, 0, len(r.standings))
	for bare := range r.standings {
		list = append(list, bare)
	}
	slices.Sort(list)
	return list
}

func appendListed(b []byte, a perch.Affiliation, role perch.Role, bare, nick, reason string) []byte {
	b = xmppserver.AppendAttr(append(b, "<item"...), "affiliation", string(a))
	b = xmppserver.AppendAttr(b, "jid", bare)
	if role != "" {
		b = xmppserver.AppendAttr(b, "role", string(role))
	}
	if nick != "" {
		b = xmppserver.AppendAttr(b, "nick", nick)
	}
	return append(xmppserver.AppendTag(append(b, '>'), "reason", reason), "</item>"...)
}

// change does all that a request asks for, or nothing of it.
func (r *room) change(q *request, list []adminItem) {
	if condition := r.mayChangeAll(q, list); condition != "" {
		q.fail(condition)
		return
	}
	by := ""
	if o, _ := r.of(q.from); o != nil {
		by = o.nick
	}
	for _, it := range list {
		h := &happening{by: by, reason: it.reason}
		if it.affiliation != "" {
			r.setAffiliation(it.bare, standing{it.affiliation, it.nick, it.reason}, h)
			continue
		}
		switch o := r.byNick(it.nick); {
		case o == nil: // an item before this one has put it out
		case it.role == perch.RoleNone:
			h.codes = []int{codeKicked}
			r.remove(o, h)
		default:
			r.setRole(o, it.role, h)
		}
	}
	q.result(nil)
}

// mayChangeAll returns the condition of a stanza error, or "". Each change is looked at as if those before it
// had been made: together they may not do what none of them may.
func (r *room) mayChangeAll(q *request, list []adminItem) string {
	before := r.standings
	defer func() { r.standings = before }()
	r.standings = maps.Clone(before)
	for i := range list {
		it := &list[i]
		if condition := r.mayChange(q, it); condition != "" {
			return condition
		}
		if it.affiliation != "" {
			r.note(it.bare, standing{affiliation: it.affiliation})
		}
	}
	return ""
}

// mayChange returns the condition of a stanza error, or "". A nick stands for the address behind it.
func (r *room) mayChange(q *request, it *adminItem) string {
	o := r.byNick(it.nick)
	if it.role != "" {
		by, _ := r.of(q.from)
		switch {
		case by == nil:
			return "forbidden"
		case o == nil:
			return "item-not-found"
		}
		return r.mayRule(by, o, it.role)
	}
	if it.bare == "" {
		if o == nil {
			return "item-not-found"
		}
		it.bare, it.nick = o.bare, ""
	}
	return r.mayAffiliate(q.from.acct.Bare, it.bare, it.affiliation)
}
