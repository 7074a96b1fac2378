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

// ownNodes are nodes of the account that the gateway writes: of bookmarks and read positions.
var ownNodes = []string{stanza.NodeBookmarks, stanza.NodeBookmarksOld, stanza.NodeReadPositions}

// checkIQ: requests alone, with one payload, and none of the gateway's business.
func (s *Stanza) checkIQ(self perch.JID) error {
	if s.Type != "get" && s.Type != "set" {
		return forbidden("an iq must be of type get or set: answers are the gateway's")
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

func isStream(space string) bool {
	return slices.ContainsFunc(streamSpaces, func(begin string) bool { return strings.HasPrefix(space, begin) })
}

// checkPayload is about what an IQ asks for.
func (s *Stanza) checkPayload(payload *xmlstream.Element, self perch.JID) error {
	space, set := payload.Space(), s.Type == "set"
	switch {
	case space == "" || space == xmlstream.NSClient:
		return perch.Invalid(field, "the element in an iq must have a namespace of its own")
	case space == "jabber:iq:roster" && set:
		return forbidden("the roster is changed by /v1/buddies")
	case space == "jabber:iq:register" && set && s.toServer(self):
		return forbidden("an account is not registered, changed or removed by a stanza")
	case strings.HasPrefix(space, "urn:xmpp:mam:") && payload.Local() == "query" && set:
		return forbidden("an archive is read by /v1/archive: its results are no answer of an iq")
	case strings.HasPrefix(space, "http://jabber.org/protocol/pubsub") && set && s.toServer(self) && namesOwnNode(payload):
		return forbidden("bookmarks and read positions are written by the gateway")
	case space == "jabber:iq:private" && set && payload.Child(stanza.NodeBookmarksOld, "storage") != nil:
		return forbidden("bookmarks are written by the gateway")
	}
	return nil
}

// toServer reports whether the own account or its server answers.
func (s *Stanza) toServer(self perch.JID) bool {
	return s.To == "" || stanza.AnswersFor(self, s.To, "")
}

// namesOwnNode reports whether a request of XEP-0060 is about a node that the gateway writes.
func namesOwnNode(payload *xmlstream.Element) bool {
	return slices.ContainsFunc(payload.Children(), func(c *xmlstream.Element) bool { return slices.Contains(ownNodes, c.Attr("node")) })
}

// checkPresence: to one address, and only of availability.
func (s *Stanza) checkPresence(self perch.JID) error {
	switch {
	case s.To == "":
		return forbidden("presence must be directed: that of the account is set by PUT /v1/presence/me")
	case s.Type != "" && s.Type != "unavailable":
		return forbidden("presence of type %s cannot be sent: subscriptions are changed by /v1/buddies and /v1/invitations", s.Type)
	case s.To.Bare().Equal(self.Bare()) || s.To.Equal(perch.JID(self.Domain())):
		return forbidden("the presence of the account is set by PUT /v1/presence/me")
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
		if space := c.Space(); isStream(space) && c.Local() != "private" || strings.HasPrefix(space, "urn:xmpp:mam:") || c.Is(xmlstream.NSClient, "error") {
			return forbidden("%s of the namespace %s is not for clients to say", c.Local(), space)
		}
	}
	return nil
}
