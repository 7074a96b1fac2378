package stanza

import (
	"strings"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// payloads are the names of what is in a message, noted in one look: what is not there is not
// looked for again and again. Whose namespace a name is of decides who looks for it.
type payloads uint16

const (
	withResult payloads = 1 << iota
	withCarbon
	withReceipt
	withRequest
	withDelay
	withStanzaID
	withOriginID
	withState
	withThread
	withSubject
	withRoom // what a room says, or its mark of a private message
	withOccupantID
	withExtras // anything else: what a second look is for, see extras
)

func payloadsOf(el *xmlstream.Borrowed) (has payloads) {
	for c := range el.Children() {
		space, plain := c.Space(), false
		switch c.Local().Peek() {
		case "body":
			plain = space.Is(nsClient)
		case "result":
			has |= withResult
			plain = space.Is(nsMAM)
		case "sent":
			has |= withCarbon
			plain = strings.HasPrefix(space.Peek(), "urn:xmpp:carbons:")
		case "received": // by XEP-0280 or XEP-0184
			has |= withCarbon | withReceipt
			plain = space.Is(nsReceipts) || strings.HasPrefix(space.Peek(), "urn:xmpp:carbons:")
		case "displayed":
			has |= withReceipt
			plain = space.Is(nsMarkers)
		case "request":
			has |= withRequest
			plain = space.Is(nsReceipts)
		case "delay", "x":
			if space.Is(nsMUCUser) {
				has |= withRoom
				break
			}
			has |= withDelay
			plain = space.Is(nsDelay)
		case "occupant-id":
			has |= withOccupantID
			plain = space.Is(nsOccupantID)
		case "stanza-id":
			has |= withStanzaID
			plain = space.Is(nsSID)
		case "origin-id":
			has |= withOriginID
			plain = space.Is(nsSID)
		case "active", "composing", "paused", "inactive", "gone":
			has |= withState
			plain = space.Is(nsChatStates)
		case "thread":
			has |= withThread
			plain = space.Is(nsClient)
		case "subject":
			has |= withSubject
			plain = space.Is(nsClient)
		}
		if !plain {
			has |= withExtras
		}
	}
	return has
}

func (p payloads) any(of payloads) bool { return p&of != 0 }
