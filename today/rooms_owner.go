package today

import (
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// own is what owners alone may ask for (XEP-0045, 10).
func (r *room) own(q *request) {
	if r.affiliation(q.from.acct.Bare) != perch.AffiliationOwner {
		q.fail("forbidden")
		return
	}
	destroy, x := q.payload.Child(nsMUCOwner, "destroy"), q.payload.Child(nsForms, "x")
	switch {
	case !q.set && len(q.payload.Elements()) == 0:
		b := r.config.appendForm([]byte("<query xmlns='" + nsMUCOwner + "'>"))
		q.result(append(b, "</query>"...))
	case !q.set:
		q.fail("bad-request")
	case destroy != nil:
		r.destroy(q, destroy)
	case x != nil && x.Get("type") == "cancel":
		q.result(nil)
		if r.locked { // 10.1.3
			r.end(nil)
		}
	default:
		r.configure(q, x)
	}
}

// configure takes what an owner has filled in; nothing at all unlocks a new room as it is (10.1.2).
func (r *room) configure(q *request, x *xmppserver.Element) {
	f, ok := parseForm(x)
	if !ok || f.kind != nsRoomConfig && (f.kind != "" || len(f.fields) > 0) {
		q.fail("bad-request")
		return
	}
	config, ok := r.config.configured(f)
	if !ok {
		q.fail("not-acceptable")
		return
	}
	before := r.config
	r.config, r.locked = config, false
	q.result(nil)
	r.reconfigured(&before)
}

// reconfigured tells who is in the room what is different (10.2.1), and puts out who may be in it no more.
func (r *room) reconfigured(before *roomConfig) {
	for _, o := range slices.Clone(r.occupants) {
		a := r.affiliation(o.bare)
		switch {
		case r.config.membersOnly && a == perch.AffiliationNone:
			r.remove(o, &happening{codes: []int{codeMembersOnly}})
		case !r.config.moderated && o.role == perch.RoleVisitor:
			r.setRole(o, perch.RoleParticipant, &happening{})
		}
	}
	if codes := r.config.changed(before); len(codes) > 0 {
		r.notify(codes)
	}
}

// changed are the status codes of what is different.
func (c *roomConfig) changed(before *roomConfig) (codes []int) {
	if c.archived != before.archived {
		codes = append(codes, map[bool]int{true: 170, false: 171}[c.archived])
	}
	if c.nonAnonymous != before.nonAnonymous {
		codes = append(codes, map[bool]int{true: 172, false: 173}[c.nonAnonymous])
	}
	now, then := *c, *before // the forms have all that is in them
	for _, r := range []*roomConfig{&now, &then} {
		r.archived, r.nonAnonymous = false, false
	}
	if !slices.Equal(now.appendForm(nil), then.appendForm(nil)) {
		codes = append(codes, codeChanged)
	}
	return codes
}

// codeChanged is that of anything else about a room than who sees whom, and what is archived.
const codeChanged = 104

// notify sends status codes of the room to all who are in it.
func (r *room) notify(codes []int) {
	b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
	b = appendCodes(append(b, " type='groupchat'><x xmlns='"+nsMUCUser+"'>"...), codes)
	r.toAll(append(b, "</x></message>"...))
}

// destroy ends a room for all (10.9), and remembers which one takes its place.
func (r *room) destroy(q *request, destroy *xmppserver.Element) {
	jid, reason := destroy.Get("jid"), destroy.Child(nsMUCOwner, "reason").Text()
	b := []byte("<destroy")
	if jid != "" {
		next, err := perch.ParseJID(jid)
		if err != nil {
			q.fail("jid-malformed")
			return
		}
		jid = string(next.Bare())
		b = xmppserver.AppendAttr(b, "jid", jid)
	}
	b = xmppserver.AppendTag(append(b, '>'), "reason", reason)
	b = xmppserver.AppendTag(b, "password", destroy.Child(nsMUCOwner, "password").Text())
	r.end(append(b, "</destroy>"...))
	if jid != "" && len(reason) <= maxText {
		r.c.moved(r.jid, successor{jid, reason})
	}
	q.result(nil)
}

// end puts everybody out, and forgets the room.
func (r *room) end(destroy []byte) {
	for _, o := range slices.Clone(r.occupants) {
		for _, v := range o.visits {
			v.x.Send(r.presence(o, o, v, true, &happening{destroy: destroy}))
			r.c.left(v.x, r)
		}
	}
	r.occupants = nil
	delete(r.c.list, r.jid)
}
