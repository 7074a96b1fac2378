package main

import (
	"fmt"
	"strings"
)

const (
	nsInfo   = "http://jabber.org/protocol/disco#info"
	nsItems  = "http://jabber.org/protocol/disco#items"
	nsRoster = "jabber:iq:roster"
	nsMAM    = "urn:xmpp:mam:2"
	nsMUC    = "http://jabber.org/protocol/muc"
)

// stanza does what a stanza of the client asks for.
func (x *roomStream) stanza(n *node) {
	switch n.XMLName.Local {
	case "iq":
		if typ := n.attr("type"); typ == "get" || typ == "set" {
			x.iq(n)
		}
	case "presence":
		x.presence(n)
	}
}

// iq answers a request. What is not known is answered as servers do.
func (x *roomStream) iq(n *node) {
	to := n.attr("to")
	from := ""
	if to != "" {
		from = " from='" + to + "'"
	}
	head := "<iq to='" + x.jid + "' id='" + n.attr("id") + "'" + from
	if payload := x.answer(n, to); payload != "" {
		x.send(head, " type='result'>", payload, "</iq>")
		return
	}
	x.send(head, " type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
}

// answer is the payload of an answer, "" for what is not known.
func (x *roomStream) answer(n *node, to string) string {
	switch {
	case n.child(nsBind) != nil:
		return "<bind xmlns='" + nsBind + "'><jid>" + x.jid + "</jid></bind>"
	case n.child(nsRoster) != nil:
		return x.server.roster()
	case n.child(nsItems) != nil && to == roomsDomain:
		return "<query xmlns='" + nsItems + "'><item jid='" + roomsService + "'/></query>"
	case n.child(nsInfo) != nil:
		return x.server.info(to)
	case n.child(nsMAM) != nil && x.server.room(to) != nil:
		return "<fin xmlns='" + nsMAM + "' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>"
	}
	return ""
}

func (s *roomServer) roster() string {
	var b strings.Builder
	b.WriteString("<query xmlns='" + nsRoster + "'>")
	for i := range s.buddies {
		fmt.Fprintf(&b, "<item jid='%s' name='Buddy %d' subscription='both'><group>Friends</group></item>", buddy(i), i)
	}
	b.WriteString("</query>")
	return b.String()
}

func buddy(i int) string { return fmt.Sprintf("bot-%d@%s", i, roomsDomain) }

// info is what an address says of itself (XEP-0030): a room, the service of rooms, or else an account.
func (s *roomServer) info(to string) string {
	features := func(identity string, list ...string) string {
		return "<query xmlns='" + nsInfo + "'><identity " + identity + "/><feature var='" + strings.Join(list, "'/><feature var='") + "'/></query>"
	}
	switch {
	case s.room(to) != nil:
		return features("category='conference' type='text' name='Hall'", nsMUC, nsMAM, "urn:xmpp:occupant-id:0", "muc_persistent", "muc_open", "muc_public", "muc_semianonymous")
	case to == roomsService:
		return features("category='conference' type='text'", nsMUC)
	case strings.HasSuffix(to, "@"+roomsService):
		return ""
	}
	return features("category='account' type='registered'", nsInfo)
}

// presence shows the buddies to a client that is there now, or takes it into a room.
func (x *roomStream) presence(n *node) {
	to := n.attr("to")
	if to == "" && n.attr("type") == "" {
		for i := range x.server.buddies {
			x.send("<presence from='", buddy(i), "/phone' to='", x.jid, "'><show>away</show><status>at work</status></presence>")
		}
		return
	}
	jid, nick, _ := strings.Cut(to, "/")
	c := x.server.room(jid)
	switch {
	case c == nil:
	case n.attr("type") == "unavailable":
		c.leave(x)
	case n.child(nsMUC) != nil:
		c.enter(x, nick, n.attr("id"))
	}
}
