package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// LookupJID asks the upstream for the JID of an account id. It waits for it.
func (s *Session) LookupJID(ctx context.Context, account string) (perch.JID, error) {
	conn, err := s.request(ctx, "look up a JID", func(c perch.Capabilities) bool { return c.LookupJID })
	if err != nil {
		return "", err
	}
	jid, err := conn.LookupJID(ctx, account)
	s.rememberAddresses(jid)
	return jid, aboutAccount(err, perch.JID(account), "the upstream has no such account")
}
