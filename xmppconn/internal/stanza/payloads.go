package stanza

import "github.com/perch-im/perch/xmppconn/internal/xmlstream"

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
)

func payloadsOf(el *xmlstream.Borrowed) (has payloads) {
	for c := range el.Children() {
		switch c.Local().Peek() {
		case "result":
			has |= withResult
		case "sent":
			has |= withCarbon
		case "received": // by XEP-0280 or XEP-0184
			has |= withCarbon | withReceipt
		case "displayed":
			has |= withReceipt
		case "request":
			has |= withRequest
		case "delay", "x":
			has |= withDelay
		case "stanza-id":
			has |= withStanzaID
		case "origin-id":
			has |= withOriginID
		case "active", "composing", "paused", "inactive", "gone":
			has |= withState
		case "thread":
			has |= withThread
		case "subject":
			has |= withSubject
		}
	}
	return has
}

func (p payloads) any(of payloads) bool { return p&of != 0 }
