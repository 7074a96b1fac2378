package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// extras are what a message has beside its texts, gathered in one pass over its children. A
// message that has nothing beside them has none. All methods take nil.
type extras struct {
	el      *xmlstream.Borrowed
	self    perch.JID
	kind    perch.MessageKind
	from    perch.JID // valid while the tree is, as what lies in el
	body    xmlstream.Text
	fromOwn bool // by the account, on whatever device

	details  *perch.MessageDetails
	relation *perch.Relation
	invited  *perch.RoomInvitation
	dropped  string // a reason of event.dropped that holds whatever else is in the message

	hint, encrypted *xmlstream.Borrowed // XEP-0380; the encrypted element
	keys            bool                // OMEMO without a payload
	invitation      bool                // of a room, by somebody who is none
	quoted          spans               // of the body: what a reply quotes
	foreign         foreign             // what is kept as it is

	content   bool // there is something that is not for programs alone
	transient bool // it need not be stored (XEP-0334), or is a headline
	stored    bool // it is to be stored
}

// extraReaders take the children of a message, by their namespace. A reader reports whether the
// element is one that this gateway has a use for; another one of the same namespace is content that
// it does not know.
var extraReaders = map[string]func(*extras, *xmlstream.Borrowed) bool{
	nsCorrection:    (*extras).correction,
	nsRetraction:    (*extras).retraction,
	nsRetractionOld: (*extras).retraction,
	nsModeration:    (*extras).moderated,
	nsModerationOld: (*extras).moderated,
	nsFastening:     (*extras).fastening,
	nsReactions:     (*extras).reactions,
	nsReply:         (*extras).reply,
	nsFallback:      (*extras).fallback,
	nsFallbackOld:   (*extras).fallback,
	nsOOB:           (*extras).outOfBand,
	nsFileSharing:   (*extras).fileSharing,
	nsReference:     (*extras).reference,
	nsMarkers:       (*extras).marker,
	nsStyling:       (*extras).styling,
	nsSpoiler:       (*extras).spoiler,
	nsEME:           (*extras).encryptionHint,
	nsConference:    (*extras).directInvitation,
	nsMUCUser:       (*extras).roomInvitation,
	nsJingleMessage: (*extras).call,
	nsHints:         (*extras).processingHint,
}

// extras reads the children of the message. Body is its text, if it has one.
func (m incoming) extras(body xmlstream.Text) *extras {
	from := peekSender(m.el, m.self)
	x := &extras{
		el: m.el, self: m.self, kind: messageKind(m.el.Attr("type").Peek()), from: from, body: body,
		fromOwn: m.sent || from.Bare().Equal(m.self.Bare()),
	}
	x.read()
	return x
}

func (x *extras) read() {
	x.transient = x.kind == perch.HeadlineMessage
	for c := range x.el.Children() {
		space := c.Space().Peek()
		if read := extraReaders[space]; read != nil && read(x, c) || x.encryptedElement(c) || isSignal(space) {
			continue
		}
		x.content = true
		if !isOfStream(space) {
			x.foreign.add(c)
		}
	}
}

// more are the details of the message, to write into.
func (x *extras) more() *perch.MessageDetails {
	if x.details == nil {
		x.details = &perch.MessageDetails{}
	}
	return x.details
}

// processingHint reads XEP-0334.
func (x *extras) processingHint(el *xmlstream.Borrowed) bool {
	switch el.Local().Peek() {
	case "no-store", "no-permanent-store", "no-storage":
		x.transient = true
	case "store":
		x.stored = true
	}
	return true
}

// call reads XEP-0353: a proposal is the only step of a call that a person should hear of.
func (x *extras) call(el *xmlstream.Borrowed) bool {
	if el.Local().Is("propose") {
		x.dropped = perch.DroppedCall
	}
	return true
}

// verdict says what a message is, which has a text or has none: for nobody to read; or, with a
// reason, an event.dropped; else a message or a control message. What is not known counts as
// content, unless its sender says that it need not be stored, or it is a headline: these are for
// programs. Alone it is a message where its sender wants it stored.
func (x *extras) verdict(text bool) (shown bool, reason string) {
	switch {
	case x == nil:
		return text, ""
	case x.dropped != "":
		return true, x.dropped
	case x.relation != nil, x.tombstone():
		return true, ""
	case x.keys && x.encrypted == nil && x.hint != nil:
		return false, "" // its text only says that there are keys
	case x.isEncrypted(text), text:
		return true, ""
	case x.invitation:
		return true, perch.DroppedInvitation
	case !x.content:
		return false, ""
	case x.stored && x.foreign.n > 0:
		return true, ""
	case x.transient:
		return false, ""
	}
	return true, perch.DroppedUnsupported
}

// apply adds what there is to a message whose texts and addresses are set. A control message
// but an edit has no text and no details: its body is a sentence for older clients.
func (x *extras) apply(m *perch.MessageIn) {
	switch {
	case x == nil:
		return
	case x.tombstone():
		m.Body, m.Subject = "", ""
		m.MessageDetails = &perch.MessageDetails{Retracted: x.details.Retracted}
		return
	case x.relation != nil && x.relation.Kind != perch.RelationEdit:
		m.Body, m.Subject, m.Relation = "", "", x.relation
		return
	}
	m.Relation = x.relation
	if x.isEncrypted(m.Body != "" || m.Subject != "") {
		x.applyEncryption(&m.Message)
	} else {
		x.applyRanges(&m.Message)
	}
	if x.foreign.n > 0 {
		d := x.more()
		d.Payloads, d.PayloadsTruncated = x.foreign.texts()
	}
	m.MessageDetails = x.details
}

// isSignal reports whether payloads of a namespace are for programs: states, receipts, ids,
// notifications of services, and wrappers, of which the sender has been checked before.
func isSignal(space string) bool {
	switch space {
	case nsClient, // an empty body, a thread
		nsChatStates, nsReceipts, nsDelay, nsDelayOld, nsSID, nsNick, nsRSM,
		nsOMEMOOld, nsPubSubEvent, nsCaps, nsReadPositions,
		nsArchive,                             // XEP-0136: an empty body in a collection; the mode of saving
		"jabber:x:event",                      // XEP-0022, the forerunner of chat states
		"jabber:x:signed",                     // XEP-0027
		"urn:xmpp:attention:0",                // XEP-0224
		"urn:xmpp:idle:1",                     // XEP-0319
		"urn:xmpp:chat-markers:1",             // a successor
		nsOccupantID,                          // XEP-0421
		"http://jabber.org/protocol/address",  // XEP-0033
		"http://jabber.org/protocol/ibb",      // XEP-0047
		"http://jabber.org/protocol/amp",      // XEP-0079
		"google:nosave", "google:mobile:data", // of Google Talk
		nsVCardUpd:
		return true
	}
	return strings.HasPrefix(space, nsOMEMO) || strings.HasPrefix(space, "urn:xmpp:mam:") || strings.HasPrefix(space, "urn:xmpp:carbons:")
}

// isOfStream reports whether a namespace belongs to the stream itself, from its header over TLS and SASL
// to its management: in a message such an element means nothing, and no client has a use for it.
func isOfStream(space string) bool {
	return space == xmlstream.NSStream || strings.HasPrefix(space, "urn:ietf:params:xml:ns:xmpp-") || strings.HasPrefix(space, "urn:xmpp:sm:")
}
