package today

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsBlocking       = "urn:xmpp:blocking"
	nsBlockingErrors = nsBlocking + ":errors"
	nsReporting      = "urn:xmpp:reporting:1"
)

// maxBlocked bounds the list of one account.
const maxBlocked = 500

// blockingFeature is XEP-0191. Reports inside of it (XEP-0377) are taken and read by nobody.
var blockingFeature = feature{iq: map[xml.Name]func(*request){
	{Space: nsBlocking, Local: "blocklist"}: blockList,
	{Space: nsBlocking, Local: "block"}:     block,
	{Space: nsBlocking, Local: "unblock"}:   unblock,
}, server: []string{nsBlocking, nsBlockingErrors, nsReporting}, account: []string{nsBlocking}}

// blocks reports whether an account has blocked an address: as it is, as its bare JID, or by its domain
// (XEP-0191, 4).
func (s *Service) blocks(a *account, address string) bool {
	if len(a.blocked) == 0 {
		return false
	}
	bare, resource, full := strings.Cut(address, "/")
	_, domain, _ := strings.Cut(bare, "@")
	return slices.ContainsFunc(a.blocked, func(j string) bool {
		return j == address || j == bare || domain != "" && (j == domain || full && j == domain+"/"+resource)
	})
}

// hidden is the xmppserver.Directory's Hidden: one of the two has blocked the other, and neither sees
// the presence of the other.
func (s *Service) hidden(a, b *xmppserver.Account) bool {
	x, y := s.accounts[a.Local], s.accounts[b.Local]
	return x != nil && y != nil && (s.blocks(x, y.Bare) || s.blocks(y, x.Bare))
}

// refuses answers what a session sends to an address that it has blocked (XEP-0191, 3.2), or that has
// blocked it (3.1), and reports whether it has. Who is blocked learns nothing by presence.
func (s *Service) refuses(x *session, e *xmppserver.Element, to string) bool {
	at, ok := s.dir.Resolve(to)
	if !ok || at.Domain || at.Account == x.acct.Account {
		return false
	}
	address := at.Bare
	if at.Resource != "" {
		address += "/" + at.Resource
	}
	kind := e.Get("type")
	silent := kind == "error" || kind == "result"
	switch {
	case s.blocks(x.acct, address):
		if r := (request{s: s, from: x, iq: e}); !silent {
			r.failMore("not-acceptable", "<blocked xmlns='"+nsBlockingErrors+"'/>")
		}
	case at.Account != nil && s.blocks(s.of(at), x.Full):
		if !silent && e.Name.Local != "presence" {
			x.bounce(e, "service-unavailable")
		}
	default:
		return false
	}
	return true
}

// blockList answers with the list; the session is told of changes from now on.
func blockList(r *request) {
	switch {
	case !r.own():
		r.fail("forbidden")
	case r.set:
		r.fail("bad-request")
	default:
		r.from.blockList = true
		r.result(appendBlocked(nil, "blocklist", r.from.acct.blocked))
	}
}

func appendBlocked(b []byte, name string, list []string) []byte {
	b = append(append(append(b, '<'), name...), " xmlns='"+nsBlocking+"'>"...)
	for _, j := range list {
		b = append(xmppserver.AppendAttr(append(b, "<item"...), "jid", j), "/>"...)
	}
	return append(append(append(b, "</"...), name...), '>')
}

// blockItems are the addresses of a request; a condition refuses it.
func (r *request) blockItems() (list []string, condition string) {
	if !r.own() {
		return nil, "forbidden"
	}
	if !r.set {
		return nil, "bad-request"
	}
	for _, k := range r.payload.Elements() {
		j, err := perch.ParseJID(k.Get("jid"))
		switch {
		case k.Name.Space != nsBlocking || k.Name.Local != "item":
			return nil, "bad-request"
		case err != nil:
			return nil, "jid-malformed"
		case j.Bare() == perch.JID(r.from.acct.Bare):
			return nil, "not-allowed"
		}
		list = append(list, string(j))
	}
	return list, ""
}

// block adds to the list (3.3). Contacts that are blocked see the account leave.
func block(r *request) {
	list, condition := r.blockItems()
	a := r.from.acct
	switch {
	case condition != "":
		r.fail(condition)
		return
	case len(list) == 0:
		r.fail("bad-request")
		return
	case len(a.blocked)+len(list) > maxBlocked:
		r.fail("resource-constraint")
		return
	}
	r.s.whileSeen(a, "unavailable", func() {
		for _, j := range list {
			if !slices.Contains(a.blocked, j) {
				a.blocked = append(a.blocked, j)
			}
		}
	})
	r.result(nil)
	a.pushBlocked("block", list)
}

// unblock removes from the list, all of it when none is named (3.4 and 3.5). Contacts see the account
// again.
func unblock(r *request) {
	list, condition := r.blockItems()
	a := r.from.acct
	if condition != "" {
		r.fail(condition)
		return
	}
	for _, j := range list {
		if !slices.Contains(a.blocked, j) {
			r.fail("item-not-found")
			return
		}
	}
	r.s.whileSeen(a, "", func() {
		a.blocked = slices.DeleteFunc(a.blocked, func(j string) bool { return len(list) == 0 || slices.Contains(list, j) })
	})
	r.result(nil)
	a.pushBlocked("unblock", list)
}

// whileSeen changes the list of an account, and shows contacts who see it no more that it is gone, or
// those who see it again, and it them, that it is there.
func (s *Service) whileSeen(a *account, kind string, change func()) {
	before := make([]bool, len(a.Roster))
	for i := range a.Roster {
		before[i] = a.Roster[i].Account != nil && s.hidden(a.Account, a.Roster[i].Account)
	}
	change()
	for i := range a.Roster {
		k := &a.Roster[i]
		if k.Account == nil || before[i] == s.hidden(a.Account, k.Account) {
			continue
		}
		if k.From {
			s.show(a.Account, k.Account, kind)
		}
		if k.To {
			s.show(k.Account, a.Account, kind)
		}
	}
}

// show sends the presence of all resources of a to b.
func (s *Service) show(a, b *xmppserver.Account, kind string) {
	for _, r := range a.Resources {
		if !r.Available {
			continue
		}
		inner := r.Presence
		if kind != "" {
			inner = nil
		}
		b.ToAvailable(func() []byte { return s.dir.PresenceStanza(a, r.Full, b.Bare, kind, inner) })
	}
}

// pushBlocked tells the sessions that have asked for the list (3.3).
func (a *account) pushBlocked(what string, list []string) {
	for _, x := range a.sessions {
		if x.blockList {
			b := xmppserver.AppendAttr([]byte("<iq type='set'"), "id", "block-"+xmppserver.NewID())
			b = append(xmppserver.AppendAttr(b, "to", x.Full), '>')
			x.Send(append(appendBlocked(b, what, list), "</iq>"...))
		}
	}
}
