package today

import (
	"crypto/sha256"
	"strings"
)

// bearerExchange is OAUTHBEARER (RFC 7628).
type bearerExchange struct {
	s       *Service
	refused bool // the client has been told why, and what it sends then ends the attempt (3.2.3)
}

func (x *bearerExchange) step(in []byte) verdict {
	if x.refused {
		return verdict{fail: "not-authorized"}
	}
	authzid, token, ok := parseBearer(string(in))
	if !ok {
		return verdict{fail: "malformed-request"}
	}
	// The token is looked up by its sum, so that the time tells nothing of those that there are.
	x.s.mu.Lock()
	a := x.s.tokens[sha256.Sum256([]byte(token))]
	x.s.mu.Unlock()
	if token == "" || a == nil {
		x.refused = true
		return verdict{data: []byte(`{"status":"invalid_token","scope":"xmpp"}`)}
	}
	return authorize(a, authzid, nil)
}

// parseBearer reads the only message of the client (RFC 7628, 3.1): a GS2 header without channel binding,
// and pairs of which auth is the one that counts. ok is false where it is not of that form.
func parseBearer(in string) (authzid, token string, ok bool) {
	parts := strings.Split(in, "\x01")
	if len(parts) < 3 || parts[len(parts)-1] != "" || parts[len(parts)-2] != "" {
		return "", "", false
	}
	header := strings.Split(parts[0], ",")
	if len(header) != 3 || header[0] != "n" && header[0] != "y" || header[2] != "" {
		return "", "", false
	}
	if header[1] != "" {
		name, found := strings.CutPrefix(header[1], "a=")
		if !found {
			return "", "", false
		}
		authzid = saslName.Replace(name)
	}
	for _, pair := range parts[1 : len(parts)-2] {
		key, value, found := strings.Cut(pair, "=")
		if !found || key == "" {
			return "", "", false
		}
		if scheme, rest, found := strings.Cut(value, " "); key == "auth" && found && strings.EqualFold(scheme, "bearer") {
			token = strings.TrimSpace(rest)
		}
	}
	return authzid, token, true
}

// saslName undoes what has a meaning in a GS2 header (RFC 5801, 4).
var saslName = strings.NewReplacer("=2C", ",", "=3D", "=")
