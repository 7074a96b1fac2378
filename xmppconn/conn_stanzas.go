package xmppconn

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/passthrough"
	"github.com/perch-im/perch/xmppconn/internal/raw"
)

// SendStanza sends a stanza that a client has written, if it is none of the gateway's own business; see
// internal/raw. A message or presence is queued, and is not sent again on another stream. Of an iq the
// answer is returned, as XML: an error answer is a *perch.Error with XMPP. One that is an answer itself is
// queued, if the request still waits for it. MayEnter is asked before presence goes to an address, and
// maySend before all but answers.
func (c *Conn) SendStanza(ctx context.Context, xml string, mayEnter func(to perch.JID) error, maySend func() error) (answer string, err error) {
	if c.login.Capabilities.ChatOnly {
		return "", unsupported("take stanzas of clients")
	}
	return c.hearing.Send(xml, c.login.JID, passthrough.Gate{MayEnter: mayEnter, MaySend: maySend}, c.queue, func(s *raw.Stanza, payload []byte) (string, error) {
		return requestLarge(ctx, c, "stanza", s.Type, s.To, payload, s.Answer, asked{timeout: c.d.up.RequestTimeout, givenUp: func(id string) { c.hearing.Expect(id, s) }})
	})
}

// queue queues what a client has written.
func (c *Conn) queue(encode func([]byte) ([]byte, error)) error {
	c.mu.Lock()
	defer c.unlock()
	return c.enqueueStanza("", 0, encode)
}

// ListenStanzas says whether clients get what nothing else is made of, as a *perch.StanzaIn. On an upstream
// that takes chat messages only they do not: they could not answer.
func (c *Conn) ListenStanzas(on bool) {
	c.hearing.Listen(on && !c.login.Capabilities.ChatOnly, c.reply, func() { c.d.counters.StanzasLeftOut.Add(1) })
}
