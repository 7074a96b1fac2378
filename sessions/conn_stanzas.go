package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// StanzaConn is what a Conn has besides where clients may write stanzas themselves. The rules of Conn
// hold: it must not be asked from the owner's goroutine.
type StanzaConn interface {
	// SendStanza sends one message, presence or iq, unless it is of the gateway's own business
	// (KindForbidden) or no stanza (KindValidation). Of an iq it waits for the answer, which it returns
	// as XML; it is "" of all else, which is queued and not sent again. MayEnter is asked before presence
	// goes to an address: its error is that of SendStanza. One whose Capabilities.ChatOnly is set refuses
	// with KindFeatureUnsupported, and sends nothing.
	SendStanza(ctx context.Context, xml string, mayEnter func(to perch.JID) error) (answer string, err error)
}
