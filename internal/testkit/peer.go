package testkit

import (
	"encoding/base64"
	"strings"
)

// Presence makes the peer available with a show ("" is plainly available) and a status.
func (p *Peer) Presence(t TB, show, status string) {
	t.Helper()
	p.Do(t, "presence", map[string]any{"show": show, "status": status})
}

// Unavailable takes the presence back while the connection stays.
func (p *Peer) Unavailable(t TB) {
	t.Helper()
	p.Do(t, "presence", map[string]any{"type": "unavailable"})
}

// Message sends a chat message and gives its id.
func (p *Peer) Message(t TB, to, body string) string {
	t.Helper()
	return p.Do(t, "message", map[string]any{"to": to, "body": body}).ID
}

// ChatState sends a chat state alone (XEP-0085).
func (p *Peer) ChatState(t TB, to, state string) {
	t.Helper()
	p.Do(t, "chat_state", map[string]any{"to": to, "state": state})
}

// Subscription sends a subscription stanza: kind is subscribe, subscribed, unsubscribe or
// unsubscribed (RFC 6121, 3); a nickname goes along as XEP-0172.
func (p *Peer) Subscription(t TB, to, kind, nick string) {
	t.Helper()
	p.Do(t, "subscription", map[string]any{"to": to, "type": kind, "nick": nick})
}

// Roster fetches the peer's roster.
func (p *Peer) Roster(t TB) []PeerEvent {
	t.Helper()
	return p.Do(t, "roster", nil).Items
}

// SetRosterItem adds or renames a contact.
func (p *Peer) SetRosterItem(t TB, jid, name string, groups ...string) {
	t.Helper()
	p.Do(t, "roster_set", map[string]any{"jid": jid, "name": name, "groups": groups})
}

// SetVCard publishes a vCard (XEP-0054), and with a photo also its hash (XEP-0153).
func (p *Peer) SetVCard(t TB, fullName, nickname string, photo []byte, mediaType string) {
	t.Helper()
	p.Do(t, "vcard_set", map[string]any{
		"fn": fullName, "nickname": nickname, "type": mediaType,
		"photo": base64.StdEncoding.EncodeToString(photo),
	})
}

// Raw sends a stanza as it is.
func (p *Peer) Raw(t TB, xml string) {
	t.Helper()
	p.Do(t, "raw", map[string]any{"xml": xml})
}

// Abort drops the TCP connection.
func (p *Peer) Abort(t TB) {
	t.Helper()
	p.Do(t, "abort", nil)
}

// ExpectMessage waits for a message with text from an account.
func (p *Peer) ExpectMessage(t TB, from, body string) PeerEvent {
	t.Helper()
	return p.Expect(t, "message "+body, func(e PeerEvent) bool {
		return e.Event == "message" && bare(e.From) == bare(from) && e.Body == body
	})
}

// ExpectPresence waits for presence of an account: kind is available or unavailable.
func (p *Peer) ExpectPresence(t TB, from, kind, show string) PeerEvent {
	t.Helper()
	return p.Expect(t, "presence "+kind+" "+show, func(e PeerEvent) bool {
		return e.Event == "presence" && bare(e.From) == bare(from) && e.Type == kind && e.Show == show
	})
}

// ExpectSubscription waits for a subscription stanza of an account.
func (p *Peer) ExpectSubscription(t TB, from, kind string) PeerEvent {
	t.Helper()
	return p.Expect(t, "subscription "+kind, func(e PeerEvent) bool {
		return e.Event == "subscription" && e.From == bare(from) && e.Type == kind
	})
}

func bare(jid string) string {
	b, _, _ := strings.Cut(jid, "/")
	return b
}

// Befriend lets two peers see each other's presence (subscription both).
func Befriend(t TB, a, b *Peer) {
	t.Helper()
	for _, pair := range [][2]*Peer{{a, b}, {b, a}} {
		asks, answers := pair[0], pair[1]
		asks.Subscription(t, bare(answers.JID), "subscribe", "")
		answers.ExpectSubscription(t, asks.JID, "subscribe")
		answers.Subscription(t, bare(asks.JID), "subscribed", "")
		asks.ExpectSubscription(t, answers.JID, "subscribed")
	}
}
