package sasl

import (
	"encoding/json"
	"strings"
)

// oauthBearer is OAUTHBEARER (RFC 7628).
type oauthBearer struct {
	c      Credentials
	status string
}

func newOAuthBearer(c Credentials) Mechanism { return &oauthBearer{c: c} }

// saslName escapes what has a meaning in a GS2 header (RFC 5801, 4).
var saslName = strings.NewReplacer("=", "=3D", ",", "=2C")

// Start names the account when we know it: some servers insist, others find it in the token.
func (m *oauthBearer) Start() (string, error) {
	authzid := ""
	if m.c.User != "" {
		authzid = "a=" + saslName.Replace(m.c.User+"@"+m.c.Domain)
	}
	return encode64("n," + authzid + ",\x01auth=Bearer " + m.c.Token + "\x01\x01"), nil
}

// Next gets the refusal as JSON and answers one byte, as 3.2.3 asks, so that the server can
// send its failure.
func (m *oauthBearer) Next(challenge string) (string, error) {
	if m.status != "" {
		return "", errUnexpectedChallenge
	}
	data, err := decode64(challenge)
	if err != nil {
		return "", err
	}
	var refusal struct {
		Status string `json:"status"`
	}
	m.status = "refused"
	if json.Unmarshal(data, &refusal) == nil && refusal.Status != "" && len(refusal.Status) <= 64 {
		m.status = refusal.Status
	}
	return encode64("\x01"), nil
}

func (m *oauthBearer) Finish(string) error   { return nil }
func (m *oauthBearer) failureStatus() string { return m.status }
