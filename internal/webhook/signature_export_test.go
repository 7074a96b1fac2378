package webhook

import (
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// Sign is sign with one secret.
func Sign(secret perch.Secret, id string, at int64, body string) string {
	return strings.Join(sign([]perch.Secret{secret}, id, time.Unix(at, 0), []byte(body)), " ")
}
