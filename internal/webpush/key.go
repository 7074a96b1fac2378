package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// Key signs for the gateway at push services: the key of an application server (RFC 8292). Whoever has it
// can send to the subscriptions that were made with its public half.
type Key struct {
	private *ecdsa.PrivateKey
	public  string
}

// NewKey makes a key.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	return keyOf(private)
}

func keyOf(private *ecdsa.PrivateKey) (*Key, error) {
	public, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	return &Key{private, base64.RawURLEncoding.EncodeToString(public)}, nil
}

// errKey does not say what was read.
var errKey = errors.New("is no private key of P-256: 32 bytes in base64url, or PEM (EC PRIVATE KEY, or PRIVATE KEY)")

// ParseKey reads a private key: 32 bytes in base64url, as tools for Web Push print it, or PEM.
func ParseKey(text string) (*Key, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "-----BEGIN") {
		return parsePEM([]byte(text))
	}
	raw, err := decode(text)
	if err != nil {
		return nil, errKey
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, errKey
	}
	return keyOf(private)
}

// parsePEM takes the first key; openssl writes the parameters of the curve before it.
func parsePEM(text []byte) (*Key, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var found any
		var err error
		switch block.Type {
		case "EC PRIVATE KEY":
			found, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			found, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default:
			continue
		}
		private, ok := found.(*ecdsa.PrivateKey)
		if err != nil || !ok || private.Curve != elliptic.P256() {
			return nil, errKey
		}
		return keyOf(private)
	}
	return nil, errKey
}

// Public is what browsers subscribe with (applicationServerKey), in base64url.
func (k *Key) Public() string { return k.public }

// Private is the key as ParseKey reads it, in base64url.
func (k *Key) Private() perch.Secret {
	raw, err := k.private.Bytes()
	if err != nil {
		panic("webpush: " + err.Error()) // only of a curve that keyOf has refused
	}
	return perch.NewSecret(base64.RawURLEncoding.EncodeToString(raw))
}

// String has the public half alone.
func (k *Key) String() string { return "VAPID key " + k.public }

// GoString keeps %#v from printing the key.
func (k *Key) GoString() string { return k.String() }

// LogValue never logs the key.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// signatureLife is how long a signature is good; push services take up to 24 h (RFC 8292, 2).
const signatureLife = 12 * time.Hour

// authorization is the header field for a push service (RFC 8292, 3).
func (k *Key) authorization(endpoint, contact string, now time.Time) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", errors.New("webpush: the endpoint is no address")
	}
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Contact  string `json:"sub"`
	}{u.Scheme + "://" + u.Host, now.Add(signatureLife).Unix(), contact})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return "", err
	}
	return "vapid t=" + signed + "." + encode(joined(r, s)) + ", k=" + k.public, nil
}

// joined is a signature of ES256 (RFC 7518, 3.4): both numbers, each in 32 bytes.
func joined(r, s *big.Int) []byte {
	both := make([]byte, 64)
	r.FillBytes(both[:32])
	s.FillBytes(both[32:])
	return both
}
