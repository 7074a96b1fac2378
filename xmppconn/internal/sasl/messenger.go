package sasl

import (
	"errors"
	"net/url"
	"strings"
)

var errTokenText = errors.New("sasl: the access token has characters that no token has")

// messengerOAuth2 is X-MESSENGER-OAUTH2: the text of <auth/> is the access token as the
// authorisation server gave it, with no further encoding. Base64 would encode it twice.
type messengerOAuth2 struct{ token string }

func newMessengerOAuth2(c Credentials) Mechanism { return messengerOAuth2{c.Token} }

// Start takes off the percent-encoding that a token has when it was copied from the fragment
// of a redirect. Tokens of that service hold no percent sign of their own.
func (m messengerOAuth2) Start() (string, error) {
	token := m.token
	if strings.Contains(token, "%") {
		plain, err := url.PathUnescape(token)
		if err != nil {
			return "", errTokenText
		}
		token = plain
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return "", errTokenText
		}
	}
	return token, nil
}

func (m messengerOAuth2) Next(string) (string, error) { return "", errUnexpectedChallenge }
func (m messengerOAuth2) Finish(string) error         { return nil }
