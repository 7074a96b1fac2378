package raw

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// streamSpaces are the namespaces by which a stream is made, bound, secured and resumed. Versions that
// come later begin with the same text.
var streamSpaces = []string{
	xmlstream.NSStream, "urn:ietf:params:xml:ns:xmpp-", "urn:xmpp:sm:", "urn:xmpp:sasl:", "urn:xmpp:bind:", "urn:xmpp:fast:", "urn:xmpp:csi:",
	"urn:xmpp:carbons:", "jabber:iq:auth", "http://jabber.org/features/",
}

// ownNodes are nodes of the account that the gateway writes, and how clients have them written. Whoever
// configures or removes one would undo what the gateway has made sure of: who reads it, and that none is lost.
var ownNodes = map[string]string{
	stanza.NodeBookmarks:       "by PUT and DELETE /v1/rooms/{jid}",
	stanza.NodeBookmarksOld:    "by PUT and DELETE /v1/rooms/{jid}",
	stanza.NodeReadPositions:   "by PUT /v1/conversations/{jid}/read",
	"urn:xmpp:avatar:data":     "by PUT /v1/vcards/me/photo",
	"urn:xmpp:avatar:metadata": "by PUT /v1/vcards/me/photo",
}

// ownSettings are what an IQ of type set changes of the account, by what a session has a copy of.
var ownSettings = map[string]string{
	"jabber:iq:roster":     "the roster is changed by /v1/buddies",
	"urn:xmpp:blocking":    "the block list is changed by /v1/blocked",
	"jabber:iq:privacy":    "the block list is changed by /v1/blocked, and privacy lists would go before it",
	"urn:xmpp:invisible:0": ownPresence,
	"urn:xmpp:invisible:1": ownPresence,
}

const ownPresence = "the presence of the account is set by PUT /v1/presence/me"

// nsOffline is how a client asks for messages that wait for the account (XEP-0013): they come to the session.
const nsOffline = "http://jabber.org/protocol/offline"

// spoken are namespaces of what servers alone say in a message or presence, or act by: copies, results of an
// archive, notifications of nodes, positions for a server to publish, and other addressees.
var spoken = []string{"urn:xmpp:mam:", "http://jabber.org/protocol/pubsub#event", "urn:xmpp:mds:", "http://jabber.org/protocol/address"}

// checkIQ: requests with one payload, and none of the gateway's business; or answers.
func (s *Stanza) checkIQ(self perch.JID) error {
	if s.IsAnswer() {
		return s.checkAnswer()
	}
	if s.Type != "get" && s.Type != "set" {
		return forbidden("an iq must be of type get, set, result or error")
	}
	if len(s.body.Children()) != 1 || strings.TrimSpace(s.body.Text()) != "" {
		return perch.Invalid(field, "an iq must have one element in it, with nothing beside it")
	}
	payload := s.body.Children()[0]
	if isStream(payload.Space()) {
		return forbidden("%s is how the gateway keeps its stream", payload.Space())
	}
	return s.checkPayload(payload, self)
}

// checkAnswer: with the id of the request, one payload at most, and an error in an error answer alone.
func (s *Stanza) checkAnswer() error {
	if s.ID == "" {
		return perch.Invalid(field, "the answer to an iq must have its id")
	}
	if strings.TrimSpace(s.body.Text()) != "" {
		return perch.Invalid(field, "an iq must have elements in it alone")
	}
	payloads, errors := 0, 0
	for _, c := range s.body.Children() {
		switch space := c.Space(); {
		case c.Is(xmlstream.NSClient, "error"):
			errors++
		case isStream(space):
			return forbidden("%s is how the gateway keeps its stream", space)
		case space == "" || space == xmlstream.NSClient:
			return perch.Invalid(field, "the element in an iq must have a namespace of its own")
		default:
			payloads++
		}
	}
	switch wanted := map[bool]int{true: 1}[s.Type == "error"]; {
	case payloads > 1:
		return perch.Invalid(field, "an answer has one element at most, beside the error of one of type error")
	case errors != wanted:
		return perch.Invalid(field, "an answer of type %s must have %d error elements in it", s.Type, wanted)
	}
	return nil
}

func isStream(space string) bool {
	return slices.ContainsFunc(streamSpaces, func(begin string) bool { return strings.HasPrefix(space, begin) })
}

// checkPayload is about what an IQ asks for.
func (s *Stanza) checkPayload(payload *xmlstream.Element, self perch.JID) error {
	space := payload.Space()
	switch {
	case space == "" || space == xmlstream.NSClient:
		return perch.Invalid(field, "the element in an iq must have a namespace of its own")
	case space == nsOffline:
		return forbidden("messages that wait for the account come to the session by themselves")
	case strings.HasPrefix(space, "urn:xmpp:mam:") && payload.Local() == "query" && (s.Type == "set" || asksByGet(space)):
		return forbidden("an archive is read by /v1/archive: its results are no answer of an iq")
	case s.Type == "set":
		return s.checkChange(payload, self)
	}
	return nil
}

// asksByGet reports whether a version of XEP-0313 is asked for messages by an IQ of type get, which later is
// for the form alone.
func asksByGet(space string) bool { return space == "urn:xmpp:mam:tmp" || space == "urn:xmpp:mam:0" }

// checkChange is about what an IQ of type set changes: of the own account nothing that a session works by.
func (s *Stanza) checkChange(payload *xmlstream.Element, self perch.JID) error {
	space := payload.Space()
	if detail := ownSettings[space]; detail != "" {
		return forbidden("%s", detail)
	}
	if !s.toServer(self) {
		return nil
	}
	switch {
	case space == "jabber:iq:register":
		return forbidden("an account is not registered, changed or removed by a stanza")
	case space == "vcard-temp":
		return forbidden("the own card is written by PUT /v1/vcards/me")
	case space == "jabber:iq:private" && slices.ContainsFunc(payload.Children(), isBookmarks):
		return forbidden("bookmarks are written by PUT and DELETE /v1/rooms/{jid}")
	case strings.HasPrefix(space, "http://jabber.org/protocol/pubsub"):
		for _, c := range payload.Children() {
			if by := ownNodes[c.Attr("node")]; by != "" {
				return forbidden("the node %s is written %s", c.Attr("node"), by)
			}
		}
	}
	return nil
}

// isBookmarks reports whether an element is the bookmarks of XEP-0049: ejabberd stores what it gets by its
// namespace, whatever it is called.
func isBookmarks(el *xmlstream.Element) bool { return el.Space() == stanza.NodeBookmarksOld }

// toServer reports whether the own account or its server answers.
func (s *Stanza) toServer(self perch.JID) bool {
	return s.To == "" || stanza.AnswersFor(self, s.To, "")
}

// checkPresence: to one address, and only of availability.
func (s *Stanza) checkPresence(self perch.JID) error {
	switch {
	case s.To == "":
		return forbidden("presence must be directed: that of the account is set by PUT /v1/presence/me")
	case s.Type != "" && s.Type != "unavailable":
		return forbidden("presence of type %s cannot be sent: subscriptions are changed by /v1/buddies and /v1/invitations", s.Type)
	case s.To.Bare().Equal(self.Bare()) || s.To.Equal(perch.JID(self.Domain())):
		return forbidden("%s", ownPresence)
	}
	for _, c := range s.body.Children() {
		if c.Space() == "http://jabber.org/protocol/muc" {
			return forbidden("rooms are joined by PUT /v1/rooms/{jid}")
		}
	}
	return s.checkContent()
}

// checkMessage: to somebody, and no bounce.
func (s *Stanza) checkMessage() error {
	if s.To == "" {
		return perch.Invalid(field, "a message must have a to")
	}
	if !slices.Contains([]string{"", "chat", "normal", "groupchat", "headline"}, s.Type) {
		return forbidden("a message must be of type chat, normal, groupchat or headline")
	}
	return s.checkContent()
}

// checkContent is about what stands in a message or presence: nothing that only servers say.
func (s *Stanza) checkContent() error {
	for _, c := range s.body.Children() {
		space := c.Space()
		byServers := slices.ContainsFunc(spoken, func(begin string) bool { return strings.HasPrefix(space, begin) })
		if isStream(space) && c.Local() != "private" || byServers || c.Is(xmlstream.NSClient, "error") {
			return forbidden("%s of the namespace %s is not for clients to say", c.Local(), space)
		}
	}
	return nil
}
