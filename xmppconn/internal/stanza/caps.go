package stanza

import (
	"crypto/sha1" // what XEP-0115 uses, to find equal answers
	"encoding/base64"
	"slices"
	"strings"
)

// capsNode names this software to those who ask what it can do (XEP-0115, 4).
const capsNode = "https://github.com/perch-im/perch"

// capsVersion is the hash of what the answer to such a question says. It is the same for all
// accounts of a build, so that a server asks once.
var capsVersion = capsHash(ourIdentity, ourFeatures)

// capsHash is the verification string of XEP-0115, 5.1, of one identity and features in any order.
func capsHash(identity string, features []string) string {
	var s strings.Builder
	s.WriteString(identity + "<")
	for _, f := range slices.Sorted(slices.Values(features)) {
		s.WriteString(f + "<")
	}
	sum := sha1.Sum([]byte(s.String()))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// caps writes the hash into the own presence.
func (w *writer) caps() {
	w.Raw("<c xmlns='" + nsCaps + "' hash='sha-1' node='" + capsNode + "' ver='" + capsVersion + "'/>")
}
