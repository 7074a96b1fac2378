package webhook

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// Sign is sign with one secret.
func Sign(secret perch.Secret, id string, at int64, body string) string {
	all, _ := sign([]perch.Secret{secret}, id, time.Unix(at, 0), []byte(body))
	return strings.Join(all, " ")
}
