package xmppconn

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/perch-im/perch"
)

// mechanism is the client side of one SASL mechanism (RFC 6120, 6), for one attempt. It does
// no I/O and deals in the text that stands in the elements: most encode it in base64,
// X-MESSENGER-OAUTH2 does not. An element without text is "".
type mechanism interface {
	// start gives the text of <auth/>.
	start() (string, error)
	// next answers the text of a <challenge/> with that of a <response/>.
	next(challenge string) (string, error)
	// finish looks at the text of <success/>; an error means that the server did not prove
	// what the mechanism wants it to prove.
	finish(text string) error
}

// attributed is a mechanism that wants more attributes on <auth/>, as written there.
type attributed interface{ authAttributes() string }

// explaining is a mechanism whose failures say more than the condition.
type explaining interface{ failureStatus() string }

var errUnexpectedChallenge = errors.New("sasl: a challenge that the mechanism does not have")

// credentials is what a mechanism may need; nothing of it is logged.
type credentials struct {
	user     string // localpart of the account; "" when the server decides it
	domain   string
	password string
	token    string
	apiKey   string
	google   bool // X-OAUTH2 in Google's form
}

// saslEntry describes one mechanism: which credential it shows to the server, and whether
// it cannot do without a user name.
type saslEntry struct {
	name      string
	token     bool // it takes an access token, the others a password
	needsUser bool
	make      func(credentials) mechanism
}

// saslTable is in the default order of preference: the best for the credential first.
var saslTable = []saslEntry{
	{"SCRAM-SHA-256", false, true, newScramSHA256},
	{"SCRAM-SHA-1", false, true, newScramSHA1},
	{"PLAIN", false, true, newPlain},
	{"OAUTHBEARER", true, false, newOAuthBearer},
	{"X-OAUTH2", true, true, newXOAuth2},
	{"X-MESSENGER-OAUTH2", true, false, newMessengerOAuth2},
	{"X-FACEBOOK-PLATFORM", true, false, newFacebookPlatform},
	{"X-GOOGLE-TOKEN", true, true, newGoogleToken},
}

var knownMechanisms = func() (names []string) {
	for _, e := range saslTable {
		names = append(names, e.name)
	}
	return names
}()

// defaultMechanisms is the order of an upstream that names none. The two mechanisms of
// closed networks are used only where they are named.
func defaultMechanisms(p Profile) []string {
	if p == ProfileMessenger {
		return []string{"X-MESSENGER-OAUTH2"}
	}
	return knownMechanisms[:6]
}

// chooseMechanism picks the first mechanism of the upstream's order that the server offers
// and the credential fits; an account's own wish narrows the order to that one. There is no
// second try with a lesser mechanism after a refusal, and a token is never shown as a
// password unless the upstream says so.
func chooseMechanism(u *Upstream, acc perch.Account, offered []string) (string, mechanism, error) {
	order := u.Mechanisms
	if acc.Mechanism != "" {
		if !slices.Contains(order, acc.Mechanism) {
			return "", nil, perch.Invalid("/mechanism", "this upstream does not use %q", acc.Mechanism)
		}
		order = []string{acc.Mechanism}
	}
	token := !acc.Token.IsZero()
	if token != acc.Password.IsZero() {
		return "", nil, perch.Invalid("/credential", "exactly one of token and password is needed")
	}
	// NUL and the other controls are the separators of the mechanisms.
	if strings.ContainsFunc(acc.Token.Reveal()+acc.Password.Reveal(), unicode.IsControl) {
		return "", nil, perch.Invalid("/credential", "a credential holds no control characters")
	}
	var lacksUser bool
	for _, name := range order {
		i := slices.IndexFunc(saslTable, func(e saslEntry) bool { return e.name == name })
		if i < 0 || !slices.Contains(offered, name) {
			continue
		}
		e := saslTable[i]
		asPassword := token && u.TokenAsPassword && e.name == "PLAIN"
		if e.token != token && !asPassword {
			continue
		}
		if e.needsUser && acc.JID.Local() == "" {
			lacksUser = true
			continue
		}
		return name, e.make(credentialsOf(u, acc, asPassword)), nil
	}
	if lacksUser {
		return "", nil, perch.Invalid("/jid", "this upstream needs the JID beside the credential")
	}
	return "", nil, perch.Errorf(perch.KindUpstreamConfig,
		"the server offers no way to sign in that fits this kind of credential (it has %s)", offeredText(offered))
}

// namesUser reports whether a mechanism cannot do without the user's name, so that the
// server accepts the credential for that account or not at all.
func namesUser(name string) bool {
	i := slices.IndexFunc(saslTable, func(e saslEntry) bool { return e.name == name })
	return i >= 0 && saslTable[i].needsUser
}

func credentialsOf(u *Upstream, acc perch.Account, tokenAsPassword bool) credentials {
	c := credentials{
		user: acc.JID.Local(), domain: u.Domain,
		password: acc.Password.Reveal(), token: acc.Token.Reveal(), apiKey: u.APIKey, google: u.GoogleAttributes,
	}
	if tokenAsPassword {
		c.password = c.token
	}
	return c
}

// offeredText lists mechanism names for an error text: foreign words, so few and plain ones.
func offeredText(offered []string) string {
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

// encode64 is the text of data: "=" stands for data of no length (RFC 6120, 6.4.2).
func encode64(data string) string {
	if data == "" {
		return "="
	}
	return base64.StdEncoding.EncodeToString([]byte(data))
}

// decode64 reads what encode64 wrote; text that is not there is data of no length.
func decode64(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "=" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(text)
}

// oneShot is a mechanism of one message: the server has nothing to say but yes or no.
type oneShot struct{ text string }

func (m oneShot) start() (string, error)      { return m.text, nil }
func (m oneShot) next(string) (string, error) { return "", errUnexpectedChallenge }
func (m oneShot) finish(string) error         { return nil }
