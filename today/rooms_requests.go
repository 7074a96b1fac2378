package today

import (
	"encoding/xml"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// roomAnswers are the requests that a room answers.
var roomAnswers = map[xml.Name]func(*room, *request){
	{Space: xmppserver.NSInfo, Local: "query"}:  (*room).info,
	{Space: nsItems, Local: "query"}:            (*room).items,
	{Space: nsMUCAdmin, Local: "query"}:         (*room).administer,
	{Space: nsMUCOwner, Local: "query"}:         (*room).own,
	{Space: nsMAM, Local: "query"}:              (*room).history,
	{Space: nsMAM, Local: "metadata"}:           (*room).history,
	{Space: nsModeration, Local: "moderate"}:    (*room).moderate,
	{Space: nsFastening, Local: "apply-to"}:     (*room).moderate,
	{Space: xmppserver.NSVCard, Local: "vCard"}: (*room).vcard,
}

// hostAnswers are those of the component.
var hostAnswers = map[xml.Name]func(*rooms, *request){
	{Space: xmppserver.NSInfo, Local: "query"}: (*rooms).hostInfo,
	{Space: nsItems, Local: "query"}:           (*rooms).hostItems,
	{Space: xmppserver.NSPing, Local: "ping"}:  func(_ *rooms, q *request) { q.result(nil) },
}

// iq is a request to the component, to a room or to an occupant. What is left out is
// service-unavailable.
func (c *rooms) iq(x *session, e *xmppserver.Element, to perch.JID) {
	kind := e.Get("type")
	reply := kind == "result" || kind == "error"
	q := &request{s: c.s, from: x, iq: e, payload: e.Payload(), set: kind == "set"}
	r := c.list[string(to.Bare())]
	switch {
	case reply:
		c.relays.answer(x, e)
	case (kind != "get" && kind != "set") || e.Get("id") == "" || len(e.Elements()) != 1:
		q.fail("bad-request")
	case to.Local() == "" && to.Resource() == "":
		if answer := hostAnswers[q.payload.Name]; answer != nil {
			answer(c, q)
			return
		}
		q.fail("service-unavailable")
	case r == nil, r.locked && r.affiliation(x.acct.Bare) != perch.AffiliationOwner:
		q.fail("item-not-found")
	case to.Resource() != "":
		r.ask(q, to.Resource())
	default:
		if answer := roomAnswers[q.payload.Name]; answer != nil {
			answer(r, q)
			return
		}
		q.fail("service-unavailable")
	}
}

// ask is a request to an occupant (XEP-0045, 7.8 and 17.4): a ping to oneself the room answers (XEP-0410),
// for a card the account, and the rest goes to the client.
func (r *room) ask(q *request, nick string) {
	o, _ := r.of(q.from)
	target := r.byNick(nick)
	switch name := q.payload.Name; {
	case o == nil:
		q.fail("not-acceptable")
	case target == nil:
		q.fail("item-not-found")
	case target == o && name.Space == xmppserver.NSPing:
		q.result(nil)
	case name.Space == xmppserver.NSVCard && !q.set:
		q.to = xmppserver.Address{Account: r.c.s.dir.Account(perch.JID(target.bare).Local()), Bare: target.bare}
		if answer := r.c.s.answers[name]; answer != nil && q.to.Account != nil {
			answer(q)
			return
		}
		q.fail("service-unavailable")
	default:
		r.c.relays.ask(q, r, o, target.visits[len(target.visits)-1].x)
	}
}
