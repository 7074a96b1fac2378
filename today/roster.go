package today

import (
	"encoding/xml"
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

// rosterFeature is RFC 6121, 2.
var rosterFeature = feature{iq: map[xml.Name]func(*request){
	{Space: xmppserver.NSRoster, Local: "query"}: roster,
}, server: []string{xmppserver.NSRoster}}

func roster(r *request) {
	switch {
	case !r.own():
		r.fail("forbidden") // 2.3.3
	case r.set:
		setRoster(r)
	default:
		r.from.Interested = true
		r.result(r.from.acct.AppendRoster(nil))
	}
}

// setRoster adds, changes or removes one item.
func setRoster(r *request) {
	item := r.payload.Child(xmppserver.NSRoster, "item")
	if item == nil || len(r.payload.Elements()) != 1 {
		r.fail("bad-request")
		return
	}
	at, ok := r.s.dir.Resolve(item.Get("jid"))
	name, groups := item.Get("name"), item.Groups()
	switch {
	case !ok:
		r.fail("jid-malformed")
	case at.Resource != "" || at.Bare == r.from.acct.Bare || len(name) > maxItemText:
		r.fail("bad-request")
	case slices.Contains(groups, ""), len(groups) > maxGroups, slices.ContainsFunc(groups, func(g string) bool { return len(g) > maxItemText }):
		r.fail("not-acceptable") // 2.3.3
	case item.Get("subscription") == "remove":
		if !r.s.dir.RemoveContact(r.from.acct.Account, at.Bare) {
			r.fail("item-not-found")
			return
		}
		r.result(nil)
	case r.from.acct.Contact(at.Bare) == nil && len(r.from.acct.Roster) >= maxRoster:
		r.fail("resource-constraint")
	default:
		r.s.dir.SetContact(r.from.acct.Account, at, name, groups)
		r.result(nil)
	}
}

// Bounds of what a client can put into its roster: contacts, and the groups of one.
const (
	maxRoster   = 2000
	maxGroups   = 32
	maxItemText = 1023 // bytes of a name, or of a group
)
