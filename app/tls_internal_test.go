package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePair writes a self-signed pair with a serial number to tell pairs apart.
func writePair(t *testing.T, certFile, keyFile string, serial int64, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("ecdsa.GenerateKey: got error %v, want none", err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("x509.CreateCertificate: got error %v, want none", err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("x509.MarshalPKCS8PrivateKey: got error %v, want none", err)
	}
	for name, b := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: k}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatalf("os.Chtimes: got error %v, want none", err)
		}
	}
}

func serialOf(t *testing.T, c *certificate) int64 {
	t.Helper()
	pair, err := c.get(nil)
	if err != nil {
		t.Fatalf("c.get: got error %v, want none", err)
	}
	return pair.Leaf.SerialNumber.Int64()
}

func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if _, err := newCertificate(cert, key); err == nil {
		t.Fatal("missing files were accepted, want an error")
	}
	start := time.Now().Add(-time.Minute)
	writePair(t, cert, key, 1, start)
	c, err := newCertificate(cert, key)
	if err != nil {
		t.Fatalf("newCertificate: got error %v, want none", err)
	}
	if got := serialOf(t, c); got != 1 {
		t.Fatalf("serial %d, want 1", got)
	}
	writePair(t, cert, key, 2, start.Add(time.Second))
	if got := serialOf(t, c); got != 2 {
		t.Errorf("after the renewal: serial %d, want 2", got)
	}
	if err := os.WriteFile(cert, []byte("half a fi"), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	if got := serialOf(t, c); got != 2 {
		t.Errorf("with a broken file: serial %d, want the old 2", got)
	}
}
