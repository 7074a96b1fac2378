package diagnosis

import (
	"strings"

	"github.com/perch-im/perch"
)

// NoMechanism is the error when none of the mechanisms that the server offers may be used with a
// credential, which is a token or a password. With otherKind one of them takes a credential of the
// other kind: the client can do something about that; else the operator has to.
func NoMechanism(token, otherKind bool, offered []string) error {
	e := perch.Errorf(perch.KindUpstreamConfig, "the server offers no mechanism that this upstream may use with this kind of credential (it has %s)", listed(offered))
	switch {
	case otherKind && token:
		e = perch.Invalid("/token", "this upstream takes passwords, no access tokens (the server has %s)", listed(offered))
	case otherKind:
		e = perch.Invalid("/password", "this upstream takes access tokens, no passwords (the server has %s)", listed(offered))
	}
	e.Cause = perch.CauseMechanism
	return e
}

// Downgrade is the error when the best mechanism that a server offers is weaker than the one of the
// account's last login. It goes away only when somebody says that the weaker one is good enough.
func Downgrade(before, now string) error {
	return &perch.Error{Kind: perch.KindUpstreamConfig, Cause: perch.CauseDowngrade,
		Detail: "the last login of this account used " + before + ", and the server offers no more than " + now +
			" now, which may be the work of a third party; to accept it, sign in with that mechanism by name"}
}

// listed shows names of mechanisms in an error text: foreign words, so few and plain ones.
func listed(offered []string) string {
	var plain []string
	for _, o := range offered {
		if len(plain) < 8 && len(o) <= 20 && strings.Trim(o, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == "" {
			plain = append(plain, o)
		}
	}
	if len(plain) == 0 {
		return "none"
	}
	return strings.Join(plain, ", ")
}
