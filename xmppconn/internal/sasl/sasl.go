// Package sasl has the client side of the SASL mechanisms (RFC 6120, 6). It does no I/O and
// chooses nothing: which mechanism may be used with which credential is for negotiate.
package sasl

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
)

// Mechanism is the client side of one SASL mechanism, for one attempt. It deals in the text
// that stands in the elements: most encode it in base64, X-MESSENGER-OAUTH2 does not. An
// element without text is "".
type Mechanism interface {
	// Start gives the text of <auth/>.
	Start() (string, error)
	// Next answers the text of a <challenge/> with that of a <response/>.
	Next(challenge string) (string, error)
	// Finish looks at the text of <success/>; an error means that the server did not prove
	// what the mechanism wants it to prove.
	Finish(text string) error
}

// AuthAttributes are the attributes that a mechanism wants on <auth/>, as written there.
func AuthAttributes(m Mechanism) string {
	if a, ok := m.(interface{ authAttributes() string }); ok {
		return a.authAttributes()
	}
	return ""
}

// FailureStatus is what the server said beside the condition of its refusal, such as the
// status of OAUTHBEARER (RFC 7628, 3.2.2).
func FailureStatus(m Mechanism) string {
	if e, ok := m.(interface{ failureStatus() string }); ok {
		return e.failureStatus()
	}
	return ""
}

var errUnexpectedChallenge = errors.New("sasl: the mechanism has no answer to a challenge here")

// Credentials is what a mechanism may need. It holds secrets: it is for New alone, and not for
// a log.
type Credentials struct {
	User     string // localpart of the account; "" when the server decides it
	Domain   string
	Password string
	Token    string
	APIKey   string // of the application, for X-FACEBOOK-PLATFORM
	Google   bool   // X-OAUTH2 in Google's form

	Binding Binding // of the -PLUS forms, which need one
	NoPlus  bool    // we could bind, and the server offers no -PLUS form at all
}

// String shows nothing of the credentials, whatever prints them.
func (Credentials) String() string { return "[credentials]" }

// GoString is String for %#v.
func (Credentials) GoString() string { return "[credentials]" }

// Method describes one mechanism: which credential it shows to the server, and whether
// it cannot do without a user name.
type Method struct {
	Name       string
	TakesToken bool // it takes an access token, the others a password
	NeedsUser  bool
	NeedsBind  bool // Credentials.Binding
	NeedsCert  bool // a certificate of the client in TLS, which is the proof; what else the login has is not shown
	Strength   int  // of the proof; a password that is shown, or a token, has 0
	New        func(Credentials) Mechanism
}

// methods is in the default order of preference: the best for the credential first.
var methods = []Method{
	{Name: "SCRAM-SHA-512-PLUS", NeedsUser: true, NeedsBind: true, Strength: 6, New: newSCRAM(scram.SHA512, true)},
	{Name: "SCRAM-SHA-256-PLUS", NeedsUser: true, NeedsBind: true, Strength: 5, New: newSCRAM(scram.SHA256, true)},
	{Name: "SCRAM-SHA-1-PLUS", NeedsUser: true, NeedsBind: true, Strength: 4, New: newSCRAM(scram.SHA1, true)},
	{Name: "SCRAM-SHA-512", NeedsUser: true, Strength: 3, New: newSCRAM(scram.SHA512, false)},
	{Name: "SCRAM-SHA-256", NeedsUser: true, Strength: 2, New: newSCRAM(scram.SHA256, false)},
	{Name: "SCRAM-SHA-1", NeedsUser: true, Strength: 1, New: newSCRAM(scram.SHA1, false)},
	{Name: "PLAIN", NeedsUser: true, New: newPlain},
	{Name: "EXTERNAL", TakesToken: true, NeedsUser: true, NeedsCert: true, Strength: 1, New: newExternal},
	{Name: "OAUTHBEARER", TakesToken: true, New: newOAuthBearer},
	{Name: "X-OAUTH2", TakesToken: true, NeedsUser: true, New: newXOAuth2},
	{Name: "X-MESSENGER-OAUTH2", TakesToken: true, New: newMessengerOAuth2},
	{Name: "X-FACEBOOK-PLATFORM", TakesToken: true, New: newFacebookPlatform},
	{Name: "X-GOOGLE-TOKEN", TakesToken: true, NeedsUser: true, New: newGoogleToken},
}

// Names are the names of all mechanisms in the default order of preference. The last two are
// of closed networks: they are for those who name them.
func Names() []string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.Name
	}
	return names
}

// Lookup finds a mechanism by its name; ok is false for one that is not known.
func Lookup(name string) (m Method, ok bool) {
	i := slices.IndexFunc(methods, func(m Method) bool { return m.Name == name })
	if i < 0 {
		return Method{}, false
	}
	return methods[i], true
}

// Raw reports whether the texts of a mechanism are not in base64: only the profile of RFC 6120 has been
// seen to carry those.
func Raw(name string) bool { return name == "X-MESSENGER-OAUTH2" }

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

func (m oneShot) Start() (string, error)      { return m.text, nil }
func (m oneShot) Next(string) (string, error) { return "", errUnexpectedChallenge }
func (m oneShot) Finish(string) error         { return nil }
