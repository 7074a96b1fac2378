package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// bodySubstitute is what a message without a body shows all the same: the address of a file
// (XEP-0066) with its description as a title, or the text of XHTML (XEP-0071).
func bodySubstitute(el *xmlstream.Borrowed) (body, title string) {
	for c := range el.Children() {
		if !c.Is(nsOOB, "x") {
			continue
		}
		if url := c.Child(nsOOB, "url").InnerText(); !url.Empty() {
			return url.Copy(), c.Child(nsOOB, "desc").InnerText().Copy()
		}
	}
	var b strings.Builder
	if xhtml := el.Child(nsXHTMLIM, "html").Child(nsXHTML, "body"); xhtml == nil || !plainTextOf(xhtml, &b) {
		return "", ""
	}
	return strings.TrimSpace(b.String()), ""
}

// plainTextOf appends the text of XHTML, a line for each block. It reports false when an
// element has both text and elements in it: a tree does not keep their order, and a garbled
// text is worse than none.
func plainTextOf(el *xmlstream.Borrowed, b *strings.Builder) bool {
	text, leaf := el.InnerText(), true
	for range el.Children() {
		leaf = false
		break
	}
	if !text.Empty() && !leaf {
		return false
	}
	b.WriteString(text.Peek())
	for c := range el.Children() {
		if !plainTextOf(c, b) {
			return false
		}
		switch c.Local().Peek() {
		case "p", "div", "br", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6":
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
	}
	return true
}

// droppedReason returns why a message without text is reported as dropped, or "" when there
// was nothing in it for a person: a signal, an annotation or nothing at all. It decides by
// namespace. What is not known counts as content, unless its sender says that it need not be
// stored (XEP-0334), or it is a headline: these are for programs.
func droppedReason(el *xmlstream.Borrowed) string {
	content, transient, encrypted := false, el.Attr("type").Is("headline"), false
	for c := range el.Children() {
		switch {
		case isEncrypted(c):
			return perch.DroppedEncrypted
		case c.Is(nsConference, "x"), c.Is(nsMUCUser, "x") && (c.Child(nsMUCUser, "invite") != nil || c.Child(nsMUCUser, "decline") != nil):
			return perch.DroppedInvitation
		case c.Is(nsJingleMessage, "propose"):
			return perch.DroppedCall
		case c.Space().Is(nsHints):
			transient = transient || c.Local().Is("no-store") || c.Local().Is("no-permanent-store") || c.Local().Is("no-storage")
		case c.Is(nsEME, "encryption"):
			encrypted = true
		case !isSignal(c.Space().Peek()):
			content = true
		}
	}
	switch {
	case !content:
		return ""
	case encrypted:
		return perch.DroppedEncrypted
	case transient:
		return ""
	}
	return perch.DroppedUnsupported
}

// isEncrypted reports whether a payload is an encrypted message. OMEMO without a payload
// element only exchanges keys (XEP-0384, 4.5).
func isEncrypted(el *xmlstream.Borrowed) bool {
	space := el.Space().Peek()
	switch {
	case el.Is(nsOMEMOOld, "encrypted"), el.Local().Is("encrypted") && strings.HasPrefix(space, nsOMEMO):
		return !el.Child(space, "payload").InnerText().Empty()
	case el.Is(nsOpenPGP, "openpgp"), el.Is(nsPGP, "x"):
		return true
	}
	return false
}

// isSignal reports whether payloads of a namespace are for programs: states, receipts, ids,
// notifications of services, and wrappers, of which the sender has been checked before.
func isSignal(space string) bool {
	switch space {
	case nsClient, // an empty body, a thread
		nsChatStates, nsReceipts, nsMarkers, nsDelay, nsDelayOld, nsSID, nsNick, nsHints, nsRSM,
		nsOMEMOOld, nsPubSubEvent, nsMUCUser, nsJingleMessage, nsOOB,
		nsArchive,                             // XEP-0136: an empty body in a collection; the mode of saving
		"jabber:x:event",                      // XEP-0022, the forerunner of chat states
		"jabber:x:signed",                     // XEP-0027
		"urn:xmpp:attention:0",                // XEP-0224
		"urn:xmpp:idle:1",                     // XEP-0319
		"urn:xmpp:chat-markers:1",             // a successor
		"urn:xmpp:occupant-id:0",              // XEP-0421
		"urn:xmpp:fallback:0",                 // XEP-0428
		"http://jabber.org/protocol/address",  // XEP-0033
		"http://jabber.org/protocol/caps",     // XEP-0115
		"http://jabber.org/protocol/ibb",      // XEP-0047
		"http://jabber.org/protocol/amp",      // XEP-0079
		"google:nosave", "google:mobile:data", // of Google Talk
		nsVCardUpd:
		return true
	}
	return strings.HasPrefix(space, nsOMEMO) || strings.HasPrefix(space, "urn:xmpp:mam:") || strings.HasPrefix(space, "urn:xmpp:carbons:")
}
