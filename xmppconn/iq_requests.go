package xmppconn

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// rosterTimeout is less than a client waits for its first login: a server that does not
// answer must not keep it from ending.
const rosterTimeout = 8 * time.Second

// unsupported is the answer to what this upstream cannot do; nothing is sent for it.
func unsupported(what string) error {
	return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot %s", what)
}

// Roster fetches the roster (RFC 6121, 2.1.3). A version is sent only where the server knows
// versions (2.6); an answer without a roster then says that nothing has changed.
func (c *Conn) Roster(ctx context.Context, version string) (perch.RosterResult, error) {
	if !c.rosterVer {
		version = ""
	}
	payload, err := stanza.EncodeRosterGet(version, c.rosterVer)
	if err != nil {
		return perch.RosterResult{}, err
	}
	var all stanza.RosterCollector
	return requestLarge(ctx, c, "roster", "get", "", payload, func(in stanza.IQ) (perch.RosterResult, error) {
		all.Add(in.Payload.Borrowed())
		r := all.Result()
		if r.Unchanged && version == "" {
			r = perch.RosterResult{Items: []perch.Buddy{}} // an empty answer to a request without a version: no buddies
		}
		return r, nil
	}, asked{part: all.Add, timeout: min(rosterTimeout, c.d.up.RequestTimeout)})
}

// SetRosterItem adds or changes an item (RFC 6121, 2.3 and 2.4).
func (c *Conn) SetRosterItem(ctx context.Context, jid perch.JID, name string, groups []string) error {
	payload, err := stanza.EncodeRosterSet(jid, name, groups)
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, "roster_set", "set", "", payload, nil, nil)
	return err
}

// RemoveRosterItem removes an item and both subscriptions (RFC 6121, 2.5).
func (c *Conn) RemoveRosterItem(ctx context.Context, jid perch.JID) error {
	if !c.login.Capabilities.EditRoster {
		return unsupported("remove buddies")
	}
	payload, err := stanza.EncodeRosterRemove(jid)
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, "roster_remove", "set", "", payload, nil, nil)
	return err
}

// LookupJID asks for the JID that belongs to an account name of the Messenger service. There
// are two names for the request in the service's own pages; the one that works is remembered
// for all connections of the upstream.
func (c *Conn) LookupJID(ctx context.Context, account string) (perch.JID, error) {
	if !c.login.Capabilities.LookupJID {
		return "", unsupported("look up JIDs")
	}
	to, err := perch.ParseBareJID(account)
	if err != nil {
		return "", err
	}
	first := c.d.lookupShort.Load()
	var found perch.JID
	for i, short := range []bool{first, !first} {
		found, err = request(ctx, c, "jid_lookup", "get", to, stanza.EncodeLookup(short), func(in stanza.IQ) (perch.JID, error) {
			if jid, ok := stanza.ParseLookup(in.Payload); ok {
				return jid, nil
			}
			return "", perch.Errorf(perch.KindItemNotFound, "the server knows no JID of this account")
		})
		if !unknownRequest(err) {
			if i == 1 {
				c.d.lookupShort.Store(short)
			}
			return found, err
		}
	}
	return "", err
}

// unknownRequest reports whether the server does not know a request at all.
func unknownRequest(err error) bool {
	switch perch.ConditionOf(err) {
	case "service-unavailable", "feature-not-implemented":
		return true
	}
	return false
}

// Ping measures one round trip to the own domain (XEP-0199). An error answer is an answer.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	began := c.d.now()
	_, err := c.ask(ctx, "ping", "get", perch.JID(c.login.JID.Domain()), stanza.EncodePing(), nil, nil)
	if err != nil && perch.ConditionOf(err) == "" {
		return 0, err
	}
	took := c.d.now() - began
	c.rtt.Store(int64(took))
	return took, nil
}
