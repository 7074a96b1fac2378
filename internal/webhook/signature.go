package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// secretPrefix is in front of the base64 of a key.
const secretPrefix = "whsec_"

// sign makes the signatures of a request, one for each secret: while a secret is rotated there are two, of
// which the receiver knows one. A secret that is none makes no signature.
func sign(secrets []perch.Secret, id string, at time.Time, body []byte) (signatures []string) {
	for _, s := range secrets {
		text, ok := strings.CutPrefix(s.Reveal(), secretPrefix)
		key, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || len(key) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return signatures
}
