package sasl

import (
	"errors"
	"net/url"
)

// facebookPlatform is X-FACEBOOK-PLATFORM: the server begins, with a method and a nonce, and
// the client answers with its application's key and the user's token, all of it as the query
// of a URL.
type facebookPlatform struct {
	c    Credentials
	done bool
}

func newFacebookPlatform(c Credentials) Mechanism { return &facebookPlatform{c: c} }

func (m *facebookPlatform) Start() (string, error) { return "", nil }

func (m *facebookPlatform) Next(challenge string) (string, error) {
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
		"&api_key=" + url.QueryEscape(m.c.APIKey) +
		"&access_token=" + url.QueryEscape(m.c.Token) + "&call_id=0&v=1.0"), nil
}

func (m *facebookPlatform) Finish(string) error {
	if !m.done {
		return errServerNotProven
	}
	return nil
}
