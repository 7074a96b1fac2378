package xmppconn

import (
	"strings"

	"github.com/perch-im/perch"
)

// decoded is what one message or presence says.
type decoded struct {
	in     []perch.Inbound
	forged string     // what was claimed without the right to: "carbon" or "archive result"; else ""
	stanza bool       // XEP-0198 counts it
	silent bool       // there is nothing in it that this gateway shows
	mam    *mamResult // an archive result (XEP-0313): only for the query that is open
}

// reading is what decoding a stanza depends on beside the stanza.
type reading struct {
	self perch.JID  // the own full JID
	now  perch.Time // a delay in the future is none; 0: every one is believed
	lang string     // xml:lang of the stream, which stanzas without one inherit
}

// decodeFrame decodes a message or presence straight from its frame; nothing in the result
// points into it. Other elements give an empty result. The error is a *framingError.
// Self is the own full JID.
func decodeFrame(f *frame, self perch.JID, now perch.Time) (decoded, error) {
	p := borrowParser(f.raw, *f.ns)
	defer p.giveBack()
	if err := p.document(); err != nil {
		return decoded{}, err
	}
	return decodeStanza(p.root, reading{self, now, f.ns.lang}), nil
}

// decodeStanza is decodeFrame for an element that is parsed already. The tree may be a
// borrowed one: every string that goes into the result is copied (keep, keepJID).
func decodeStanza(el *element, r reading) (d decoded) {
	switch {
	case el.is(nsClient, "message"):
		d = decodeMessage(el, r)
	case el.is(nsClient, "presence"):
		d.in = decodePresence(el, r)
	default:
		return decoded{}
	}
	d.stanza = true
	d.silent = len(d.in) == 0 && d.mam == nil && d.forged == ""
	return d
}

// isStanza reports whether XEP-0198 counts an element of this name.
func isStanza(space, local string) bool {
	return space == nsClient && (local == "message" || local == "presence" || local == "iq")
}

// keep copies a string out of a stanza: a view would hold, or outlive, the whole of it.
func keep(s string) string { return strings.Clone(s) }

// keepJID is keep for an address as it stood on the wire.
func keepJID(s string) perch.JID { return perch.JID(strings.Clone(s)) }

// sender is the from of a stanza. Without one it is from the own account (RFC 6120,
// 8.1.2.1).
func sender(el *element, self perch.JID) perch.JID {
	if from := el.attr("from"); from != "" {
		return keepJID(from)
	}
	return self.Bare()
}
