package today

import (
	"crypto/rand"
	"slices"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsFast = "urn:xmpp:fast:0"

const (
	maxTokens   = 32                  // of an account; over it the oldest goes
	tokenLife   = 21 * 24 * time.Hour // from when it is given
	tokenRotate = 24 * time.Hour      // a token of that age is followed by another one
)

// fastToken signs in one client of an account without its credential (XEP-0484).
type fastToken struct {
	secret           string
	mechanism, agent string // it is good for these alone
	expires          time.Time
	used             bool
}

// fastTokens are those of an account, oldest first; guarded by Service.mu.
type fastTokens []*fastToken

// find returns the token of a client that a proof fits to, or nil. All of the client's are tried.
func (l fastTokens) find(mechanism, agent string, fits func(secret string) bool) (found *fastToken) {
	for _, t := range l {
		if t.mechanism == mechanism && t.agent == agent && fits(t.secret) {
			found = t
		}
	}
	return found
}

// use makes a token the only one of its client but for younger ones (3.5).
func (l *fastTokens) use(t *fastToken) {
	t.used = true
	*l = slices.DeleteFunc(*l, func(o *fastToken) bool { return o.agent == t.agent && o.expires.Before(t.expires) })
}

func (l *fastTokens) remove(t *fastToken) {
	*l = slices.DeleteFunc(*l, func(o *fastToken) bool { return o == t })
}

// issue makes a token for a client, in the place of those that it was given and has not used.
func (l *fastTokens) issue(mechanism, agent string) *fastToken {
	*l = slices.DeleteFunc(*l, func(o *fastToken) bool { return o.agent == agent && !o.used })
	if len(*l) >= maxTokens {
		*l = slices.Delete(*l, 0, 1+len(*l)-maxTokens)
	}
	t := &fastToken{secret: rand.Text() + rand.Text(), mechanism: mechanism, agent: agent, expires: time.Now().Add(tokenLife)}
	*l = append(*l, t)
	return t
}

// appendToken adds the token for the next login to a success: one that was asked for, or one that follows
// another (3.3 and 3.5); Service.mu is held.
func (st *stream) appendToken(b []byte, request *xmppserver.Element, used *tokenExchange) []byte {
	agent := agentOf(request)
	mechanism := request.Child(nsFast, "request-token").Get("mechanism")
	if used != nil && used.used != nil {
		switch invalidate := request.Child(nsFast, "fast").Get("invalidate"); {
		case invalidate == "true" || invalidate == "1":
			st.acct.fast.remove(used.used)
		case mechanism == "" && time.Until(used.used.expires) < tokenLife-tokenRotate:
			mechanism = used.name
		}
	}
	if agent == "" || !slices.Contains(st.tokenMechanisms(), mechanism) {
		return b
	}
	t := st.acct.fast.issue(mechanism, agent)
	b = xmppserver.AppendAttr(append(b, "<token xmlns='"+nsFast+"'"...), "token", t.secret)
	return append(xmppserver.AppendAttr(b, "expiry", t.expires.UTC().Format(time.RFC3339)), "/>"...)
}

// agentOf is the id by which a client is known at its next login (XEP-0388, 2.4), or "".
func agentOf(request *xmppserver.Element) string {
	if id := request.Child(nsSASL2, "user-agent").Get("id"); len(id) <= maxAgent {
		return id
	}
	return ""
}

// maxAgent is more than an UUID has.
const maxAgent = 128
