package xmppconn

import (
	"errors"
	"net/url"
)

// facebookPlatform is X-FACEBOOK-PLATFORM: the server begins, with a method and a nonce, and
// the client answers with its application's key and the user's token, all of it as the query
// of a URL.
type facebookPlatform struct {
	c    credentials
	done bool
}

func newFacebookPlatform(c credentials) mechanism { return &facebookPlatform{c: c} }

func (m *facebookPlatform) start() (string, error) { return "", nil }

func (m *facebookPlatform) next(challenge string) (string, error) {
	data, err := decode64(challenge)
	if err != nil {
		return "", err
	}
	asked, err := url.ParseQuery(string(data))
	if err != nil || m.done {
		return "", errUnexpectedChallenge
	}
	if asked.Get("method") == "" || asked.Get("nonce") == "" {
		return "", errors.New("sasl: the challenge lacks method or nonce")
	}
	m.done = true
	return encode64("method=" + url.QueryEscape(asked.Get("method")) +
		"&nonce=" + url.QueryEscape(asked.Get("nonce")) +
		"&api_key=" + url.QueryEscape(m.c.apiKey) +
		"&access_token=" + url.QueryEscape(m.c.token) + "&call_id=0&v=1.0"), nil
}

func (m *facebookPlatform) finish(string) error {
	if !m.done {
		return errServerNotProven
	}
	return nil
}
