package testkit

// What follows is of a client of nbxmpp. An id is that of the new message; of is that of the one that it
// is about.

// Join enters a room, without its history, and waits until the client sees itself in it.
func (p *Peer) Join(t TB, room, nick string) {
	t.Helper()
	to := room + "/" + nick
	p.Do(t, "join", map[string]any{"to": to})
	p.Expect(t, "itself in "+room, func(e PeerEvent) bool {
		return e.Event == "presence" && e.Type == "available" && e.From == to
	})
}

// Open configures a room that the client has made, so that others may enter.
func (p *Peer) Open(t TB, room string) {
	t.Helper()
	p.Do(t, "configure", map[string]any{"room": room})
}

// Say sends a message to a room.
func (p *Peer) Say(t TB, room, id, body string) {
	t.Helper()
	p.Do(t, "message", map[string]any{"to": room, "id": id, "body": body, "type": "groupchat"})
}

// Correct sends another text of an own message.
func (p *Peer) Correct(t TB, room, id, of, body string) {
	t.Helper()
	p.Do(t, "correct", map[string]any{"to": room, "id": id, "of": of, "body": body})
}

// React sends all reactions to a message.
func (p *Peer) React(t TB, room, id, of string, emojis ...string) {
	t.Helper()
	p.Do(t, "react", map[string]any{"to": room, "id": id, "of": of, "emojis": emojis})
}

// Answer sends a reply to a message of author, with what it quotes before the body.
func (p *Peer) Answer(t TB, room, id, of, author, quote, body string) {
	t.Helper()
	p.Do(t, "reply", map[string]any{"to": room, "id": id, "of": of, "author": author, "quote": quote, "body": body})
}

// Retract retracts an own message.
func (p *Peer) Retract(t TB, room, id, of string) {
	t.Helper()
	p.Do(t, "retract", map[string]any{"to": room, "id": id, "of": of})
}

// Invite invites an account to a room; via is "direct", or "mediated" for by the room.
func (p *Peer) Invite(t TB, room, to, via, reason string) {
	t.Helper()
	p.Do(t, "invite", map[string]any{"room": room, "to": to, "via": via, "reason": reason})
}

// Bookmarks are those in a store, by the names of Bookmark.Store: 0402, 0048 or 0049.
func (p *Peer) Bookmarks(t TB, store string) []PeerEvent {
	t.Helper()
	return p.Do(t, "bookmarks", map[string]any{"store": store}).Items
}

// Bookmark writes one into a store, as Gajim does: as an item, or as the list that was just read, with it.
// Extensions are XML, for the store that has them.
func (p *Peer) Bookmark(t TB, store, jid, name, nick string, autojoin bool, extensions string) {
	t.Helper()
	p.Do(t, "bookmark", map[string]any{"store": store, "jid": jid, "name": name, "nick": nick, "autojoin": autojoin, "extensions": extensions})
}

// Items are the ids of the items of an own node (XEP-0163).
func (p *Peer) Items(t TB, node string) []string {
	t.Helper()
	return p.Do(t, "items", map[string]any{"node": node}).Groups
}
