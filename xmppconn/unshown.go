package xmppconn

import (
	"strings"

	"github.com/perch-im/perch"
)

// bodySubstitute is what a message without a body shows all the same: the address of a file
// (XEP-0066) with its description as a title, or the text of XHTML (XEP-0071).
func bodySubstitute(el *element) (body, title string) {
	for _, c := range el.children {
		if !c.is(nsOOB, "x") {
			continue
		}
		if url := c.child(nsOOB, "url").innerText(); url != "" {
			return url, c.child(nsOOB, "desc").innerText()
		}
	}
	var b strings.Builder
	if xhtml := el.child(nsXHTMLIM, "html").child(nsXHTML, "body"); xhtml == nil || !plainTextOf(xhtml, &b) {
		return "", ""
	}
	return strings.TrimSpace(b.String()), ""
}

// plainTextOf appends the text of XHTML, a line for each block. It reports false when an
// element has both text and elements in it: a tree does not keep their order, and a garbled
// text is worse than none.
func plainTextOf(el *element, b *strings.Builder) bool {
	text := el.innerText()
	if text != "" && len(el.children) > 0 {
		return false
	}
	b.WriteString(text)
	for _, c := range el.children {
		if !plainTextOf(c, b) {
			return false
		}
		switch c.local {
		case "p", "div", "br", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6":
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
	}
	return true
}

// unshown returns why a message without text is reported as dropped, or "" when there was
// nothing in it for a person: a signal, an annotation or nothing at all. It decides by
// namespace. What is not known counts as content, unless its sender says that it need not be
// kept (XEP-0334), or it is a headline: these are for programs.
func unshown(el *element) string {
	content, fleeting, encrypted := false, el.attr("type") == "headline", false
	for _, c := range el.children {
		switch {
		case isEncrypted(c):
			return perch.DroppedEncrypted
		case c.is(nsConference, "x"), c.is(nsMUCUser, "x") && (c.child(nsMUCUser, "invite") != nil || c.child(nsMUCUser, "decline") != nil):
			return perch.DroppedInvitation
		case c.is(nsJingleMessage, "propose"):
			return perch.DroppedCall
		case c.space == nsHints:
			fleeting = fleeting || c.local == "no-store" || c.local == "no-permanent-store" || c.local == "no-storage"
		case c.is(nsEME, "encryption"):
			encrypted = true
		case !isSignal(c.space):
			content = true
		}
	}
	switch {
	case !content:
		return ""
	case encrypted:
		return perch.DroppedEncrypted
	case fleeting:
		return ""
	}
	return perch.DroppedUnsupported
}

// isEncrypted reports whether a payload is an encrypted message. OMEMO without a payload
// element only exchanges keys (XEP-0384, 4.5).
func isEncrypted(el *element) bool {
	switch {
	case el.is(nsOMEMOOld, "encrypted"), el.local == "encrypted" && strings.HasPrefix(el.space, nsOMEMO):
		return el.child(el.space, "payload").innerText() != ""
	case el.is(nsOpenPGP, "openpgp"), el.is(nsPGP, "x"):
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
		"vcard-temp:x:update":
		return true
	}
	return strings.HasPrefix(space, nsOMEMO) || strings.HasPrefix(space, "urn:xmpp:mam:") || strings.HasPrefix(space, "urn:xmpp:carbons:")
}

// archiveResultOf finds an archive result in a message, of any version of XEP-0313: only
// those of today's are taken, and the others are nothing that a server sends us.
func archiveResultOf(el *element) *element {
	for _, c := range el.children {
		if c.local == "result" && strings.HasPrefix(c.space, "urn:xmpp:mam:") {
			return c
		}
	}
	return nil
}
