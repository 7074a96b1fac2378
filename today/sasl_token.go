package today

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"time"
)

// hashedTokens are the mechanisms of FAST (draft-schmaus-kitten-sasl-ht), the better first, with the type
// of what they bind to.
var hashedTokens = []struct{ name, binding string }{
	{"HT-SHA-256-EXPR", "tls-exporter"},
	{"HT-SHA-256-NONE", ""},
}

// tokenMechanisms are those that this stream has what it takes for.
func (st *stream) tokenMechanisms() []string {
	var names []string
	for _, h := range hashedTokens {
		if _, ok := st.bindings[h.binding]; ok || h.binding == "" {
			names = append(names, h.name)
		}
	}
	return names
}

// tokenExchange is an attempt with a token that an earlier login was given: one message each way, both of
// which prove that the token is known.
type tokenExchange struct {
	s       *Service
	name    string // of the mechanism
	agent   string // id of the client
	binding []byte
	used    *fastToken // after success
}

// startToken is nil for a mechanism that is not offered.
func (st *stream) startToken(name, agent string) *tokenExchange {
	for _, h := range hashedTokens {
		binding, ok := st.bindings[h.binding]
		if h.name == name && (ok || h.binding == "") {
			return &tokenExchange{s: st.s, name: name, agent: agent, binding: binding.Data}
		}
	}
	return nil
}

func (x *tokenExchange) step(in []byte) verdict {
	user, proof, ok := bytes.Cut(in, []byte{0})
	if !ok || len(user) == 0 {
		return verdict{fail: "malformed-request"}
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	a := x.s.named(string(user))
	if a == nil {
		a = &account{} // it takes as long as one without a token
	}
	t := a.fast.find(x.name, x.agent, func(secret string) bool { return hmac.Equal(proof, x.proof(secret, "Initiator")) })
	switch {
	case t == nil:
		return verdict{fail: "not-authorized"}
	case !time.Now().Before(t.expires):
		a.fast.remove(t)
		return verdict{fail: "credentials-expired"}
	}
	x.used = t
	a.fast.use(t)
	return verdict{acct: a, data: x.proof(t.secret, "Responder")}
}

// proof is what each side shows of a token (draft-schmaus-kitten-sasl-ht, 3).
func (x *tokenExchange) proof(secret, of string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(of))
	h.Write(x.binding)
	return h.Sum(nil)
}
