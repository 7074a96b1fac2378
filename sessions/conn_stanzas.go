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
	// as XML; it is "" of all else, which is queued and not sent again. An iq of type result or error answers
	// a request that was delivered as a *perch.StanzaIn; KindNotFound: none such waits. MayEnter is asked before
	// presence goes to an address, and maySend before anything but an answer is sent: their errors are those of
	// SendStanza. One whose Capabilities.ChatOnly is set refuses with KindFeatureUnsupported, and sends nothing.
	SendStanza(ctx context.Context, xml string, mayEnter func(to perch.JID) error, maySend func() error) (answer string, err error)
	// ListenStanzas says whether clients listen from now on, as nobody does at first. While they do, stanzas
	// that nothing else is made of are delivered as *perch.StanzaIn, within bounds, and so are requests of other
	// entities that would be refused: these are, when no client has answered within a time. It does not wait,
	// and the owner calls it.
	ListenStanzas(on bool)
}
