package xmppconn

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// encodeRosterGet asks for the roster. Versioned says that the server keeps versions (RFC
// 6121, 2.6): then ver "" asks for a whole one with its version.
func encodeRosterGet(ver string, versioned bool) ([]byte, error) {
	var w writer
	w.raw("<query xmlns='" + nsRoster + "'")
	if ver == "" && versioned {
		w.raw(" ver=''")
	}
	w.attr("/version", "ver", ver)
	w.raw("/>")
	return w.result()
}

// encodeRosterSet adds or changes an item (RFC 6121, 2.3).
func encodeRosterSet(jid perch.JID, name string, groups []string) ([]byte, error) {
	var w writer
	w.raw("<query xmlns='" + nsRoster + "'><item")
	w.attr("/jid", "jid", string(jid))
	w.attr("/name", "name", name)
	w.raw(">")
	for _, g := range groups {
		w.element("/groups", "group", g)
	}
	w.raw("</item></query>")
	return w.result()
}

// encodeRosterRemove removes an item and both subscriptions (RFC 6121, 2.5).
func encodeRosterRemove(jid perch.JID) ([]byte, error) {
	var w writer
	w.raw("<query xmlns='" + nsRoster + "'><item")
	w.attr("/jid", "jid", string(jid))
	w.raw(" subscription='remove'/></query>")
	return w.result()
}

// parseRoster reads the answer to a roster get. No payload says that the version that was
// asked with is still right (RFC 6121, 2.6.3).
func parseRoster(payload *element) perch.RosterResult {
	var c rosterCollector
	c.add(payload)
	return c.result()
}

// parseRosterPush reads the payload of a roster set from the server: exactly one item (RFC
// 6121, 2.1.6). Who may send it is checked by the connection.
func parseRosterPush(payload *element) (*perch.RosterPush, bool) {
	if !payload.is(nsRoster, "query") || len(payload.children) != 1 {
		return nil, false
	}
	b, ok := parseRosterItem(payload.children[0])
	if !ok {
		return nil, false
	}
	return &perch.RosterPush{Item: b, Version: keep(payload.attr("ver"))}, true
}

// parseRosterItem reads one item. The JID stays as it is but for a resource, which does
// not belong there.
func parseRosterItem(el *element) (perch.Buddy, bool) {
	jid := perch.JID(el.attr("jid")).Bare()
	if !el.is(nsRoster, "item") || jid == "" {
		return perch.Buddy{}, false
	}
	b := perch.Buddy{
		JID: keepJID(string(jid)), Name: keep(el.attr("name")), Groups: []string{},
		Subscription: parseSubscription(el.attr("subscription")),
		Approved:     el.attr("approved") == "true" || el.attr("approved") == "1",
	}
	if el.attr("ask") == "subscribe" {
		b.Ask = perch.AskSubscribe
	}
	for _, c := range el.children {
		if g := strings.TrimSpace(c.text); c.is(nsRoster, "group") && g != "" && len(b.Groups) < maxGroups && !slices.Contains(b.Groups, g) {
			b.Groups = append(b.Groups, keep(g))
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
