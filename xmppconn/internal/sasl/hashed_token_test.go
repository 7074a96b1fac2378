package sasl_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

// TestHashedToken is the exchange of draft-schmaus-kitten-sasl-ht: the name and an HMAC of the token, and
// another one of the server, both with what the connection is bound to.
func TestHashedToken(t *testing.T) {
	cs := &tls.ConnectionState{Version: tls.VersionTLS12, TLSUnique: []byte("finished"), PeerCertificates: []*x509.Certificate{{Raw: []byte("der"), SignatureAlgorithm: x509.ECDSAWithSHA256}}}
	end := sha256.Sum256([]byte("der"))
	for name, binding := range map[string][]byte{"HT-SHA-256-NONE": nil, "HT-SHA-256-UNIQ": []byte("finished"), "HT-SHA-256-ENDP": end[:]} {
		proof := func(of string) string {
			h := hmac.New(sha256.New, []byte("t-1"))
			h.Write(slices.Concat([]byte(of), binding))
			return string(h.Sum(nil))
		}
		m, err := sasl.NewHashedToken(name, sasl.Credentials{User: "alice", Token: "t-1"}, cs)
		if err != nil {
			t.Errorf("NewHashedToken(%s): got error %v, want none", name, err)
			continue
		}
		text, err := m.Start()
		if err != nil || text != b64("alice\x00"+proof("Initiator")) {
			t.Errorf("%s: Start() = %q, %v; want %q", name, text, err, b64("alice\x00"+proof("Initiator")))
		}
		if _, err := m.Next(b64("x")); err == nil {
			t.Errorf("%s: Next(): got no error, want one: there is no challenge", name)
		}
		for _, wrong := range []string{"", "=", "!", b64(proof("Initiator")), b64(proof("Responder")[1:])} {
			if m.Finish(wrong) == nil {
				t.Errorf("%s: Finish(%q) = nil, want an error", name, wrong)
			}
		}
		if err := m.Finish(b64(proof("Responder"))); err != nil {
			t.Errorf("%s: Finish(): got error %v, want none", name, err)
		}
	}
}

// TestHashedTokens are what a connection has something to bind to for, the better first.
func TestHashedTokens(t *testing.T) {
	cert := []*x509.Certificate{{Raw: []byte("der"), SignatureAlgorithm: x509.ECDSAWithSHA256}}
	for name, tt := range map[string]struct {
		cs   tls.ConnectionState
		want []string
	}{
		"nothing":     {tls.ConnectionState{}, []string{"HT-SHA-256-NONE"}},
		"TLS 1.2":     {tls.ConnectionState{TLSUnique: []byte("f"), PeerCertificates: cert}, []string{"HT-SHA-256-ENDP", "HT-SHA-256-UNIQ", "HT-SHA-256-NONE"}},
		"certificate": {tls.ConnectionState{PeerCertificates: cert}, []string{"HT-SHA-256-ENDP", "HT-SHA-256-NONE"}},
	} {
		if got := sasl.HashedTokens(&tt.cs); !slices.Equal(got, tt.want) {
			t.Errorf("%s: HashedTokens() = %q, want %q", name, got, tt.want)
		}
	}
	if m, err := sasl.NewHashedToken("SCRAM-SHA-1", sasl.Credentials{}, &tls.ConnectionState{}); err == nil {
		t.Errorf("NewHashedToken(SCRAM-SHA-1) = %v, want an error", m)
	}
	if m, err := sasl.NewHashedToken("HT-SHA-256-UNIQ", sasl.Credentials{}, &tls.ConnectionState{}); err == nil {
		t.Errorf("NewHashedToken() with nothing to bind to = %v, want an error", m)
	}
}

// FuzzHashedToken: no token is taken for proved by another one, whatever the name has in it.
func FuzzHashedToken(f *testing.F) {
	f.Add("alice", "t-1", "t-2")
	f.Add("", "\x00", "")
	f.Fuzz(func(t *testing.T, user, token, other string) {
		ours, err := sasl.NewHashedToken(sasl.HashedTokenUnbound, sasl.Credentials{User: user, Token: token}, nil)
		if err != nil {
			t.Fatalf("NewHashedToken(): got error %v, want none", err)
		}
		text, err := ours.Start()
		if err != nil || !bytes.HasPrefix([]byte(decode(t, text)), []byte(user+"\x00")) {
			t.Fatalf("Start() = %q, %v; want the name first", text, err)
		}
		h := hmac.New(sha256.New, []byte(other))
		h.Write([]byte("Responder"))
		// HMAC pads a key with zero bytes: such keys are the same one.
		if err := ours.Finish(b64(string(h.Sum(nil)))); (err == nil) != bytes.Equal(padded(token), padded(other)) {
			t.Fatalf("Finish() by %q of %q = %v, want it taken only from who knows the token", other, token, err)
		}
	})
}

func padded(key string) []byte {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256([]byte(key))
		key = string(sum[:])
	}
	return append([]byte(key), make([]byte, sha256.BlockSize-len(key))...)
}
