package today

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/xdg-go/scram"
)

// scramIterations is what RFC 7677, 4 asks for at least; it is spent anew at each attempt, for a name that
// there is as for one that there is not.
const scramIterations = 4096

// scramExchange is SCRAM (RFC 5802, RFC 7677), after github.com/xdg-go/scram.
type scramExchange struct {
	st   *stream
	hash scram.HashGeneratorFcn
	plus bool // the mechanism is a -PLUS
	conv *scram.ServerConversation
	acct *account // whose name the client has sent; nil: nobody's
}

func startSCRAM(hash scram.HashGeneratorFcn, plus bool) func(*stream) exchange {
	return func(st *stream) exchange { return &scramExchange{st: st, hash: hash, plus: plus} }
}

func (x *scramExchange) step(in []byte) verdict {
	if x.conv == nil {
		return x.first(string(in))
	}
	out, err := x.conv.Step(string(in))
	if err != nil || !x.conv.Valid() || x.acct == nil {
		return verdict{fail: "not-authorized"}
	}
	return authorize(x.acct, x.conv.AuthzID(), []byte(out))
}

// first takes the message that names the user and the channel binding.
func (x *scramExchange) first(in string) verdict {
	if x.conv = x.conversation(in); x.conv == nil {
		return verdict{fail: "malformed-request"}
	}
	out, err := x.conv.Step(in)
	switch {
	case err == nil:
		return verdict{data: []byte(out)}
	case out == scram.ErrServerDoesSupportChannelBinding: // somebody has taken -PLUS out of our offer (RFC 5802, 6)
		return verdict{fail: "not-authorized"}
	default:
		return verdict{fail: "malformed-request"}
	}
}

// conversation is one with the binding that the client has chosen; nil: the mechanism and the message do
// not fit together, or there is no such binding.
func (x *scramExchange) conversation(in string) *scram.ServerConversation {
	server, err := x.hash.NewServer(x.credentials)
	if err != nil {
		return nil
	}
	header, _, _ := strings.Cut(in, ",")
	name, binds := strings.CutPrefix(header, "p=")
	switch binding, ok := x.st.bindings[name]; {
	case x.plus != binds || binds && !ok:
		return nil
	case binds:
		return server.NewConversationWithChannelBindingRequired(binding)
	}
	for _, any := range x.st.bindings { // what we have offered shows who was shown less
		return server.NewConversationWithChannelBinding(any)
	}
	return server.NewConversation()
}

// credentials are those of the account of that name. A name without an account has some, too, always the
// same: who asks does not learn that there is none.
func (x *scramExchange) credentials(user string) (scram.StoredCredentials, error) {
	salt := x.st.s.derived("salt", user)
	password := hex.EncodeToString(x.st.s.derived("password", user))
	a, right := x.st.s.withPassword(user)
	if x.acct = a; a != nil {
		password = right
	}
	c, err := x.hash.NewClient("user", password, "") // the name does not go into the keys
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	return c.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt[:16]), Iters: scramIterations})
}

// derived are 32 bytes that only this service can make of a name.
func (s *Service) derived(purpose, name string) []byte {
	h := hmac.New(sha256.New, s.secret[:])
	h.Write([]byte(purpose + "\x00" + name))
	return h.Sum(nil)
}
