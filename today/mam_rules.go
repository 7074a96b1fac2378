package today

import (
	"slices"
	"strings"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsHints      = "urn:xmpp:hints"
	nsReceipts   = "urn:xmpp:receipts"
	nsMarkers    = "urn:xmpp:chat-markers:0"
	nsEncryption = "urn:xmpp:eme:0"
	nsConference = "jabber:x:conference"
	nsMUCUser    = "http://jabber.org/protocol/muc#user"
	nsCalls      = "urn:xmpp:jingle-message:0"
)

// worthKeeping reports whether a message goes into the archives of accounts: by its hints (XEP-0334),
// else by what is in it. Messages of rooms are in the archives of rooms.
func worthKeeping(e *xmppserver.Element) bool {
	switch e.Get("type") {
	case "error", "headline", "groupchat":
		return false
	}
	if e.Child(nsHints, "no-store") != nil || e.Child(nsHints, "no-permanent-store") != nil {
		return false
	}
	return hasContent(e) || e.Child(nsReceipts, "") != nil || e.Child(nsMarkers, "") != nil
}

// hasContent reports whether a message is worth to be read later: it has something for a person, or
// wants to be stored.
func hasContent(e *xmppserver.Element) bool {
	return e.Child(nsHints, "store") != nil ||
		e.Child(xmppserver.NSClient, "body") != nil || e.Child(xmppserver.NSClient, "subject") != nil ||
		e.Child(nsEncryption, "encryption") != nil || e.Child(nsCalls, "") != nil ||
		e.Child(nsConference, "x") != nil || e.Child(nsMUCUser, "x").Child(nsMUCUser, "invite") != nil
}

// keep archives a message of an account with another address, if it is worth it, and returns it with its
// id in that archive. stanza is e as it is delivered.
func (s *Service) keep(a *account, with string, e *xmppserver.Element, stanza []byte) []byte {
	bare, _, _ := strings.Cut(with, "/")
	if !worthKeeping(e) || !a.prefs.wants(a, bare) {
		return stanza
	}
	m := newArchived(with, e, stanza)
	a.archive.add(m)
	return withStanzaID(stanza, a.Bare, m.id)
}

// dropForged takes away what only the service itself may say of a message: who held it back (XEP-0203,
// 5), and the ids that it has in archives of the service (XEP-0359, 5).
func (s *Service) dropForged(e *xmppserver.Element) {
	e.Kids = slices.DeleteFunc(e.Kids, func(k xmppserver.Node) bool {
		if k.El == nil {
			return false
		}
		return k.El.Name.Space == xmppserver.NSDelay || k.El.Name.Space == nsSID && k.El.Name.Local == "stanza-id" && s.isOurs(k.El.Get("by"))
	})
}

// isOurs reports whether an address is at the domain of the service, or at one of its components.
func (s *Service) isOurs(address string) bool {
	host := hostOf(address)
	return host == s.o.Domain || s.components[host] != nil
}

// copies are a message as each side has it: with its id in the own archive.
type copies struct{ sent, received []byte }

// archiveBoth archives a message for both sides (XEP-0313, 5). stanza is as x sends it to at.
func (s *Service) archiveBoth(x *session, at xmppserver.Address, e *xmppserver.Element, stanza []byte) (c copies) {
	c.received = s.keep(s.of(at), x.Full, e, stanza)
	if c.sent = c.received; at.Account != x.acct.Account {
		with := at.Bare
		if at.Resource != "" {
			with += "/" + at.Resource
		}
		c.sent = s.keep(x.acct, with, e, stanza)
	}
	return c
}
