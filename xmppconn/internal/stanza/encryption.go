package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// encryptionNames are the names of methods for people (XEP-0380, 4), which senders leave out of what
// is well known.
var encryptionNames = map[string]string{
	nsOMEMOOld:         "OMEMO",
	"urn:xmpp:omemo:1": "OMEMO",
	"urn:xmpp:omemo:2": "OMEMO",
	nsOpenPGP:          "OpenPGP for XMPP",
	"urn:xmpp:ox:0":    "OpenPGP for XMPP",
	nsPGP:              "Legacy OpenPGP",
	"urn:xmpp:otr:0":   "OTR",
}

// encryptionHint reads XEP-0380.
func (x *extras) encryptionHint(el *xmlstream.Borrowed) bool {
	if el.Local().Is("encryption") && !el.Attr("namespace").Empty() {
		x.hint = el
	}
	return true
}

// encryptedElement reports whether a child is an encrypted message, or keys for one. OMEMO without
// a payload element only exchanges keys (XEP-0384, 4.5).
func (x *extras) encryptedElement(el *xmlstream.Borrowed) bool {
	space := el.Space().Peek()
	switch {
	case el.Is(nsOMEMOOld, "encrypted"), el.Local().Is("encrypted") && strings.HasPrefix(space, nsOMEMO):
		if el.Child(space, "payload").InnerText().Empty() {
			x.keys = true
			return true
		}
	case el.Is(nsOpenPGP, "openpgp"), el.Is(nsPGP, "x"):
	default:
		return false
	}
	if x.encrypted == nil {
		x.encrypted = el
		x.foreign.addFirst(el)
	} else {
		x.foreign.add(el)
	}
	return true
}

// isEncrypted reports whether the message is for somebody with a key: there is an encrypted element,
// or its sender says so of its text or of what this gateway does not know.
func (x *extras) isEncrypted(text bool) bool {
	return x.encrypted != nil || x.hint != nil && (text || x.content)
}

// applyEncryption takes the text for what it is: a sentence for those who have no key.
func (x *extras) applyEncryption(m *perch.Message) {
	method, name := x.encrypted.Space(), ""
	if x.hint != nil {
		method, name = x.hint.Attr("namespace"), x.hint.Attr("name").Copy()
		x.foreign.first(method)
	}
	if name == "" {
		name = encryptionNames[method.Peek()]
	}
	d := x.more()
	d.Encryption = &perch.Encryption{Method: method.Copy(), Name: name}
	d.Fallback, m.Body = m.Body, ""
}

// encryption writes the hint; the encrypted element is one of the payloads.
func (w *writer) encryption(e *perch.Encryption) {
	if e.Method == "" {
		w.fail("/encryption/method", "the namespace of the method is required")
	}
	w.Raw("<encryption xmlns='" + nsEME + "'")
	w.Attr("/encryption/method", "namespace", e.Method)
	w.Attr("/encryption/name", "name", e.Name)
	w.Raw("/>")
}
