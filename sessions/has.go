package sessions

import (
	"strings"

	"github.com/perch-im/perch"
)

// Has says whether a bearer token leads to a session that is live on this node. It waits
// for nothing and opens nothing: POST /v1/session tells by it whether it has opened one.
func (m *Manager) Has(token perch.Secret) bool {
	text := token.Reveal()
	if strings.HasPrefix(text, tokenPrefix) {
		return m.byKey(m.tokenKey(text)) != nil
	}
	return m.byKey(m.accountKey(perch.Account{Upstream: m.o.DefaultUpstream, Token: token})) != nil
}
