package xmppconn

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/raw"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// SendStanza sends a stanza that a client has written, if it is none of the gateway's own business; see
// internal/raw. A message or presence is queued, and is not sent again on another stream. Of an iq the
// answer is returned, as XML: an error answer is a *perch.Error with XMPP. MayEnter is asked before presence
// goes to an address.
func (c *Conn) SendStanza(ctx context.Context, xml string, mayEnter func(to perch.JID) error) (answer string, err error) {
	if c.login.Capabilities.ChatOnly {
		return "", unsupported("take stanzas of clients")
	}
	s, err := raw.Parse(xml, c.login.JID)
	if err != nil {
		return "", err
	}
	if s.Name == "presence" {
		if err := mayEnter(s.To); err != nil {
			return "", err
		}
	}
	if s.Name != "iq" {
		c.mu.Lock()
		defer c.unlock()
		return "", c.enqueueStanza("", 0, s.Append)
	}
	payload, err := s.Payload()
	if err != nil {
		return "", err
	}
	return request(ctx, c, "stanza", s.Type, s.To, payload, func(in stanza.IQ) (string, error) { return s.Answer(in) })
}
