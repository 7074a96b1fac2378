package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// Authority is a certificate authority for one test process.
type Authority struct {
	PEM  []byte         // the certificate of the authority
	Pool *x509.CertPool // the same, ready for tls.Config.RootCAs

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var authority = sync.OnceValues(newAuthority)

// CA is the authority that signs every server that this process starts.
func CA(t TB) *Authority {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatalf("testkit: making a certificate authority: %v", err)
	}
	return ca
}

// NewAuthority makes another one, which no server trusts.
func NewAuthority(t TB) *Authority {
	t.Helper()
	ca, err := newAuthority()
	if err != nil {
		t.Fatalf("testkit: making a certificate authority: %v", err)
	}
	return ca
}

func newAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Perch test authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	ca := &Authority{
		PEM:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Pool: x509.NewCertPool(), cert: cert, key: key,
	}
	ca.Pool.AddCert(cert)
	return ca, nil
}

// Leaf makes a server certificate for the names, which may be IP addresses too, as PEM.
func (ca *Authority) Leaf(t TB, names ...string) (cert, key []byte) {
	t.Helper()
	tmpl := newTemplate(t, names[0])
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, n)
		}
	}
	return ca.sign(t, tmpl)
}

// ClientCertificate says what the certificate of an account has in it.
type ClientCertificate struct {
	Addresses []string // XMPP addresses (id-on-xmppAddr, RFC 6120, 13.7.1.4)
	Usage     []x509.ExtKeyUsage
	Expired   bool
}

// Client makes a certificate of accounts, as PEM.
func (ca *Authority) Client(t TB, c ClientCertificate) (cert, key []byte) {
	t.Helper()
	tmpl := newTemplate(t, "an account")
	tmpl.ExtKeyUsage = c.Usage
	if c.Expired {
		tmpl.NotAfter = time.Now().Add(-time.Minute)
	}
	var names []asn1.RawValue
	for _, a := range c.Addresses {
		name, err := asn1.MarshalWithParams(xmppAddr{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5}, a}, "tag:0")
		if err != nil {
			t.Fatalf("testkit: name: %v", err)
		}
		names = append(names, asn1.RawValue{FullBytes: name})
	}
	if names != nil {
		value, err := asn1.Marshal(names)
		if err != nil {
			t.Fatalf("testkit: names: %v", err)
		}
		tmpl.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}}
	}
	return ca.sign(t, tmpl)
}

// xmppAddr is a name of a certificate.
type xmppAddr struct {
	ID      asn1.ObjectIdentifier
	Address string `asn1:"utf8,explicit,tag:0"`
}

// newTemplate is what certificates have in common.
func newTemplate(t TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatalf("testkit: serial number: %v", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// sign makes a certificate and its key.
func (ca *Authority) sign(t TB, tmpl *x509.Certificate) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("testkit: key: %v", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.cert, k.Public(), ca.key)
	if err != nil {
		t.Fatalf("testkit: certificate: %v", err)
	}
	pk, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatalf("testkit: key: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk})
}
