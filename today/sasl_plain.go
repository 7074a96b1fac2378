package today

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/xdg-go/stringprep"
	"mellium.im/xmpp/jid"
)

// plainExchange is PLAIN (RFC 4616): the password itself, inside of TLS.
type plainExchange struct{ s *Service }

func (x plainExchange) step(in []byte) verdict {
	parts := strings.Split(string(in), "\x00")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return verdict{fail: "malformed-request"}
	}
	a, right := x.s.withPassword(parts[1])
	want := x.s.secret // nobody's password: an unknown name takes as long as a known one
	if a != nil {
		want = sha256.Sum256([]byte(right))
	}
	password, err := stringprep.SASLprep.Prepare(parts[2])
	got := sha256.Sum256([]byte(password)) // the sums are of one length, so nothing is told by the time
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || err != nil || a == nil {
		return verdict{fail: "not-authorized"}
	}
	return authorize(a, parts[0], nil)
}

// named is the account of a user name, which is prepared as a localpart is (RFC 7622, 3.3), or nil;
// s.mu is held.
func (s *Service) named(user string) *account {
	j, err := jid.New(user, s.o.Domain, "")
	if err != nil {
		return nil
	}
	return s.accounts[j.Localpart()]
}

// withPassword is named and the password of now, but nil for an account that signs in by tokens alone.
// s.mu is not held.
func (s *Service) withPassword(user string) (*account, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.named(user); a != nil && a.password != "" {
		return a, a.password
	}
	return nil, ""
}

// authorize ends an attempt that has proved an account: nobody may act for another one (RFC 6120, 6.3.8).
func authorize(a *account, authzid string, data []byte) verdict {
	if authzid != "" {
		if j, err := jid.Parse(authzid); err != nil || j.String() != a.Bare {
			return verdict{fail: "invalid-authzid"}
		}
	}
	return verdict{acct: a, data: data}
}
