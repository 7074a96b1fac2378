package stanza

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// EncodeRosterGet asks for the roster. Versioned says that the server keeps versions (RFC
// 6121, 2.6): then ver "" asks for a whole one with its version.
func EncodeRosterGet(ver string, versioned bool) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsRoster + "'")
	if ver == "" && versioned {
		w.Raw(" ver=''")
	}
	w.Attr("/version", "ver", ver)
	w.Raw("/>")
	return w.Result()
}

// EncodeRosterSet adds or changes an item (RFC 6121, 2.3).
func EncodeRosterSet(jid perch.JID, name string, groups []string) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsRoster + "'><item")
	w.Attr("/jid", "jid", string(jid))
	w.Attr("/name", "name", name)
	w.Raw(">")
	for _, g := range groups {
		w.Element("/groups", "group", g)
	}
	w.Raw("</item></query>")
	return w.Result()
}

// EncodeRosterRemove removes an item and both subscriptions (RFC 6121, 2.5).
func EncodeRosterRemove(jid perch.JID) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsRoster + "'><item")
	w.Attr("/jid", "jid", string(jid))
	w.Raw(" subscription='remove'/></query>")
	return w.Result()
}

// IsRosterPush reports whether a request changes the roster (RFC 6121, 2.1.6). Who may send it
// is checked by the connection.
func IsRosterPush(request IQ) bool {
	return request.Type == "set" && request.Payload.Is(nsRoster, "query")
}

// ParseRosterPush reads a roster push: exactly one item; ok is false for anything else.
func ParseRosterPush(request IQ) (push *perch.RosterPush, ok bool) {
	items := request.Payload.Children()
	if !IsRosterPush(request) || len(items) != 1 {
		return nil, false
	}
	b, ok := parseRosterItem(items[0].Borrowed())
	if !ok {
		return nil, false
	}
	return &perch.RosterPush{Item: b, Version: strings.Clone(request.Payload.Attr("ver"))}, true
}

// parseRosterItem reads one item. The JID stays as it is but for a resource, which does
// not belong there.
func parseRosterItem(el *xmlstream.Borrowed) (perch.Buddy, bool) {
	jid := peekJID(el.Attr("jid")).Bare()
	if !el.Is(nsRoster, "item") || jid == "" {
		return perch.Buddy{}, false
	}
	approved := el.Attr("approved")
	b := perch.Buddy{
		JID: cloneJID(string(jid)), Name: el.Attr("name").Copy(), Groups: []string{},
		Subscription: parseSubscription(el.Attr("subscription").Peek()),
		Approved:     approved.Is("true") || approved.Is("1"),
	}
	if el.Attr("ask").Is("subscribe") {
		b.Ask = perch.AskSubscribe
	}
	for c := range el.Children() {
		if g := c.InnerText(); c.Is(nsRoster, "group") && !g.Empty() && len(b.Groups) < maxGroups && !slices.Contains(b.Groups, g.Peek()) {
			b.Groups = append(b.Groups, g.Copy())
		}
	}
	return b, true
}

// parseSubscription takes what is unknown or missing for none (RFC 6121, 2.1.2.5).
func parseSubscription(s string) perch.Subscription {
	if sub, ok := perch.ParseSubscription(s); ok {
		return sub
	}
	return perch.SubscriptionNone
}
