package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// writer is an xmlstream.Writer with the parts that several payloads have.
type writer struct{ xmlstream.Writer }

func newWriter(b []byte) *writer { return &writer{*xmlstream.NewWriter(b)} }

// to writes the address. A stanza without one is an error.
func (w *writer) to(jid perch.JID) {
	if jid == "" {
		w.fail("/to", "an address is required")
		return
	}
	w.Attr("/to", "to", string(jid))
}

// fail makes the field an error of KindValidation.
func (w *writer) fail(field, format string, args ...any) {
	w.Fail(perch.Invalid(field, format, args...))
}
