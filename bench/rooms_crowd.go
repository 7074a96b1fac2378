package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// crowd is a room of a roomServer.
type crowd struct {
	jid string

	mu   sync.Mutex // of all that follows; it is held while the room says something, so that all hear it in one order
	said int        // messages
	list []occupant
}

// occupant is one who is in a room. What the room says of it is the same for all, but for whom it is
// written to.
type occupant struct {
	nick    string
	address string      // of the client, which stands for who it is
	client  *roomStream // nil: it has no session here
}

// newCrowd is a room with n occupants who have no session here.
func newCrowd(jid string, n int) *crowd {
	c := &crowd{jid: jid}
	for i := range n {
		c.list = append(c.list, occupant{nick: "Person " + strconv.Itoa(i), address: fmt.Sprintf("person-%d@%s/phone", i, roomsDomain)})
	}
	return c
}

// enter lets a client in, as Prosody does (XEP-0045, 7.2): it hears who is there, itself, and the subject;
// the others hear of it. Who is in already hears all that again.
func (c *crowd) enter(x *roomStream, nick, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := occupant{nick, x.jid, x}
	again := slices.ContainsFunc(c.list, func(o occupant) bool { return o.client == x })
	for _, o := range c.list {
		if o.client != x {
			x.send(o.presence(c.jid, x.jid, "")...)
		}
	}
	x.send(own.presence(c.jid, x.jid, id)...)
	if !again {
		for _, o := range c.list {
			if o.client != nil {
				o.client.send(own.presence(c.jid, o.address, "")...)
			}
		}
		c.list = append(c.list, own)
	}
	x.send("<message to='", x.jid, "' from='", c.jid, "/Person 0' type='groupchat'><subject>Topic</subject></message>")
}

// presence is what a room says of one who is in it, in the form of Prosody; id is that of the join of its own
// client.
func (o occupant) presence(room, to, id string) []string {
	sum := sha256.Sum256([]byte(o.address))
	own, affiliation := "", "none"
	if id != "" {
		own, id = "<status code='110'/>", " id='"+id+"'"
	}
	return []string{
		"<presence from='", room, "/", o.nick, "' to='", to, "'", id, "><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.net/client' ver='2jmj7l5rSw0yVb/vlWAYkK/YBwk='/>" +
			"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='", base64.StdEncoding.EncodeToString(sum[:]), "'/><x xmlns='http://jabber.org/protocol/muc#user'>" +
			"<item affiliation='", affiliation, "' role='participant'/>", own, "</x></presence>",
	}
}

// leave lets a client out, and tells the others.
func (c *crowd) leave(x *roomStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.list, func(o occupant) bool { return o.client == x })
	if i < 0 {
		return
	}
	nick := c.list[i].nick
	for _, o := range c.list {
		if o.client != nil {
			own := ""
			if o.client == x {
				own = "<status code='110'/>"
			}
			o.client.send("<presence type='unavailable' from='", c.jid, "/", nick, "' to='", o.address, "'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/>", own, "</x></presence>")
		}
	}
	c.list = slices.Delete(c.list, i, i+1)
}

// clients are those who are in the room.
func (c *crowd) clients() (list []*roomStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.list {
		if o.client != nil {
			list = append(list, o.client)
		}
	}
	return list
}

// say has an occupant without a session say something to all.
func (c *crowd) say() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said++
	n := strconv.Itoa(c.said)
	for _, o := range c.list {
		if o.client != nil {
			o.client.send("<message from='", c.jid, "/Speaker' to='", o.address, "' type='groupchat' id='r-", n, "'><body>"+loadBody+"</body><origin-id xmlns='urn:xmpp:sid:0' id='r-", n, "'/>"+
				"<stanza-id xmlns='urn:xmpp:sid:0' by='", c.jid, "' id='", archiveID(c.said), "'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='lXMCmy5QGYQZnFbhXVPAuEQ3uVZ8fRBGGgEzXMWVsmA='/></message>")
		}
	}
}

// tell sends as much to each client of the room, as a chat message of a buddy.
func (c *crowd) tell() {
	clients := c.clients()
	c.mu.Lock()
	c.said++
	said := c.said
	c.mu.Unlock()
	n := strconv.Itoa(said)
	for i, x := range clients {
		x.send("<message from='", buddy(0), "/phone' to='", x.jid, "' type='chat' id='c-", n, "-", strconv.Itoa(i), "'><body>"+loadBody+"</body><origin-id xmlns='urn:xmpp:sid:0' id='c-", n, "-", strconv.Itoa(i), "'/>"+
			"<stanza-id xmlns='urn:xmpp:sid:0' by='", x.account, "@"+roomsDomain+"' id='", archiveID(said), "'/></message>")
	}
}

// archiveID is as long as those of servers.
func archiveID(n int) string { return fmt.Sprintf("0197a4c2-5f3e-7000-8000-%012d", n) }
