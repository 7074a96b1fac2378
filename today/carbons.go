package today

import (
	"encoding/xml"
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsCarbons = "urn:xmpp:carbons:2"

// carbonsFeature copies the messages of an account to its other sessions that want it (XEP-0280).
var carbonsFeature = feature{iq: map[xml.Name]func(*request){
	{Space: nsCarbons, Local: "enable"}:  func(r *request) { setCarbons(r, true) },
	{Space: nsCarbons, Local: "disable"}: func(r *request) { setCarbons(r, false) },
}, server: []string{nsCarbons, nsCarbons + "#rules"}}

func setCarbons(r *request, on bool) {
	switch {
	case !r.set:
		r.fail("bad-request")
	case !r.own():
		r.fail("not-allowed")
	default:
		r.from.carbons = on
		r.result(nil)
	}
}

// wantsCopies reports whether a message is one of two people, which their other devices want, and not one whose
// author wants no copies.
func wantsCopies(e *xmppserver.Element) bool {
	if e.Child(nsCarbons, "private") != nil || e.Child(nsHints, "no-copy") != nil {
		return false
	}
	switch e.Get("type") {
	case "chat":
		return true
	case "", "normal":
		for _, k := range e.Elements() {
			if k.Name.Local == "body" || slices.Contains(talk, k.Name.Space) {
				return true
			}
		}
	}
	return false
}

// talk are payloads of a conversation that come without a text and, from some clients, without a type.
var talk = []string{
	nsReceipts, nsMarkers, nsConference, nsCalls, xmppserver.NSStates, "urn:xmpp:message-retract:1", "urn:xmpp:reactions:0",
}

// copyReceived copies a message that was delivered to an account to those of its sessions that did not get it.
// stanza is the message as it was delivered.
func (s *Service) copyReceived(at xmppserver.Address, e *xmppserver.Element, stanza []byte) {
	if !wantsCopies(e) {
		return
	}
	had := at.Account.Targets(at.Resource)
	for _, y := range s.of(at).sessions {
		if y.carbons && !slices.Contains(had, y.Resource) {
			y.Send(carbon(y, "received", e, stanza))
		}
	}
}

// copySent copies what a session has sent to the other ones of its account. stanza is the message as it was
// sent.
func (s *Service) copySent(x *session, e *xmppserver.Element, stanza []byte) {
	if !wantsCopies(e) {
		return
	}
	for _, y := range x.acct.sessions {
		if y != x && y.carbons {
			y.Send(carbon(y, "sent", e, stanza))
		}
	}
}

// carbon wraps a message (XEP-0297) for one session.
func carbon(y *session, kind string, e *xmppserver.Element, stanza []byte) []byte {
	b := xmppserver.AppendAttr([]byte("<message"), "from", y.acct.Bare)
	b = xmppserver.AppendAttr(b, "to", y.Full)
	if t := e.Get("type"); t != "" {
		b = xmppserver.AppendAttr(b, "type", t)
	}
	b = append(b, "><"+kind+" xmlns='"+nsCarbons+"'><forwarded xmlns='"+nsForward+"'><message xmlns='"+xmppserver.NSClient+"'"...)
	b = append(b, stanza[len("<message"):]...)
	return append(b, "</forwarded></"+kind+"></message>"...)
}
