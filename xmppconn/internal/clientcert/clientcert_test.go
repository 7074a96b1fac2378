package clientcert_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto/x509"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn/internal/clientcert"
	"github.com/perch-im/perch/xmppconn/internal/diagnosis"
)

var token = canary.Secret() + strings.Repeat("t", 32)

// TestParse: only the certificate of exactly one account of the domain is taken, with a token that nobody guesses.
func TestParse(t *testing.T) {
	ca := testkit.CA(t)
	for name, tt := range map[string]struct {
		names []string
		token string
		usage []x509.ExtKeyUsage
		want  string // of the error; "": none
	}{
		"one account":           {[]string{"bot@a.test"}, token, nil, ""},
		"for clients":           {[]string{"bot@a.test"}, token, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, ""},
		"in capitals":           {[]string{"Bot@A.test"}, token, nil, ""},
		"nobody":                {nil, token, nil, "names 0 XMPP addresses"},
		"two accounts":          {[]string{"bot@a.test", "eve@a.test"}, token, nil, "names 2 XMPP addresses"},
		"one account twice":     {[]string{"bot@a.test", "bot@a.test"}, token, nil, "names 2 XMPP addresses"},
		"an account and a host": {[]string{"bot@a.test", "a.test"}, token, nil, "names 2 XMPP addresses"},
		"the domain":            {[]string{"a.test"}, token, nil, "not the bare JID"},
		"a device":              {[]string{"bot@a.test/x"}, token, nil, "not the bare JID"},
		"no address":            {[]string{"@"}, token, nil, "not the bare JID"},
		"of another domain":     {[]string{"bot@b.test"}, token, nil, "serves the domain a.test"},
		"for servers":           {[]string{"bot@a.test"}, token, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, "lacks clientAuth"},
		"without a token":       {[]string{"bot@a.test"}, "", nil, "at least 32 characters"},
		"with a short one":      {[]string{"bot@a.test"}, strings.Repeat("x", 31), nil, "at least 32 characters"},
		"with a blank":          {[]string{"bot@a.test"}, token + " x", nil, "without blanks"},
		"with one of ours":      {[]string{"bot@a.test"}, "perch_" + token, nil, "must not begin with perch_"},
	} {
		cert, key := ca.Client(t, testkit.ClientCertificate{Addresses: tt.names, Usage: tt.usage})
		c, err := clientcert.Parse(cert, key, tt.token, "a.test")
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.token != "" && strings.Contains(err.Error(), tt.token) {
				t.Errorf("%s: got error %v, want one with %q and no token", name, err, tt.want)
			}
			continue
		}
		if err != nil || c.JID != "bot@a.test" || time.Until(c.Expires()) <= 0 {
			t.Errorf("%s: got %+v, %v; want the certificate of bot@a.test", name, c, err)
		}
	}
	cert, _ := ca.Client(t, testkit.ClientCertificate{Addresses: []string{"bot@a.test"}})
	_, key := ca.Client(t, testkit.ClientCertificate{Addresses: []string{"bot@a.test"}})
	if _, err := clientcert.Parse(cert, key, token, "a.test"); err == nil || !strings.Contains(err.Error(), "client-key") {
		t.Errorf("the key of another one: got error %v, want one that names client-key", err)
	}
	if _, err := clientcert.Parse(nil, nil, token, "a.test"); err == nil {
		t.Error("no certificate: got no error, want one")
	}
}

// TestNames are the bytes of subjectAltName that a hostile authority could write: what cannot be read names nobody.
func TestNames(t *testing.T) {
	good := "\x30\x1a\xa0\x18\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x05\xa0\x0c\x0c\x0abot@a.test"
	for name, tt := range map[string]struct {
		value string
		want  []string
		ok    bool
	}{
		"one":                   {good, []string{"bot@a.test"}, true},
		"none":                  {"\x30\x00", nil, true},
		"a DNS name":            {"\x30\x08\x82\x06a.test", nil, true},
		"another kind":          {"\x30\x12\xa0\x10\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x07\xa0\x04\x16\x02ab", nil, true},
		"nothing":               {"", nil, false},
		"no sequence":           {"\x31\x00", nil, false},
		"more behind it":        {good + "\x00", nil, false},
		"cut off":               {good[:len(good)-1], nil, false},
		"not UTF-8":             {strings.Replace(good, "\x0c\x0abot", "\x0c\x0a\xff\xfet", 1), nil, false},
		"a number in its place": {strings.Replace(good, "\x0c\x0a", "\x02\x0a", 1), nil, false},
	} {
		got, err := clientcert.AddressesIn([]byte(tt.value))
		if !slices.Equal(got, tt.want) || (err == nil) != tt.ok {
			t.Errorf("%s: got %q, %v; want %q, error %v", name, got, err, tt.want, !tt.ok)
		}
	}
}

func FuzzNames(f *testing.F) {
	cert, _ := testkit.CA(f).Client(f, testkit.ClientCertificate{Addresses: []string{"bot@a.test", "x"}})
	block, _ := pem.Decode(cert)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		f.Fatalf("ParseCertificate(): got error %v, want none", err)
	}
	for _, e := range leaf.Extensions {
		f.Add(e.Value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		names, err := clientcert.AddressesIn(value)
		if err != nil && names != nil || len(names) > 64 {
			t.Fatalf("got %q, %v; want names or an error", names, err)
		}
		for _, n := range names {
			if !bytes.Contains(value, []byte(n)) {
				t.Fatalf("got %q, want what is in the certificate", n)
			}
		}
	})
}

func parsed(t *testing.T) *clientcert.Certificate {
	t.Helper()
	cert, key := testkit.CA(t).Client(t, testkit.ClientCertificate{Addresses: []string{"bot@a.test"}})
	c, err := clientcert.Parse(cert, key, token, "a.test")
	if err != nil {
		t.Fatalf("Parse(): got error %v, want none", err)
	}
	return c
}

// TestAdmit: the certificate is for who has the token of its account, and for that account alone.
func TestAdmit(t *testing.T) {
	c := parsed(t)
	with := func(jid perch.JID, token string) perch.Account {
		return perch.Account{JID: jid, Token: perch.NewSecret(token)}
	}
	wish := with("bot@a.test", token)
	wish.Mechanism = "OAUTHBEARER"
	for name, tt := range map[string]struct {
		c     *clientcert.Certificate
		acc   perch.Account
		after time.Duration
		kind  perch.Kind // "": admitted
		cause perch.Cause
		by    bool // signed in with the certificate
	}{
		"the token":            {c, with("bot@a.test", token), 0, "", "", true},
		"capitals":             {c, with("BOT@a.test", token), 0, "", "", true},
		"a password":           {c, perch.Account{JID: "bot@a.test", Password: perch.NewSecret(token)}, 0, "", "", false},
		"no certificate":       {nil, with("bot@a.test", token), 0, "", "", false},
		"another token":        {c, with("bot@a.test", token+"x"), 0, perch.KindUnauthorized, perch.CauseCredential, false},
		"a token of others":    {c, with("eve@a.test", "T"), 0, perch.KindUnauthorized, perch.CauseCredential, false},
		"another account":      {c, with("eve@a.test", token), 0, perch.KindValidation, "", true},
		"no account":           {c, with("", token), 0, perch.KindValidation, "", true},
		"another mechanism":    {c, wish, 0, perch.KindValidation, "", true},
		"once it has expired":  {c, with("bot@a.test", token), 100 * 24 * time.Hour, perch.KindUpstreamConfig, perch.CauseClientCert, true},
		"before it is valid":   {c, with("bot@a.test", token), -100 * 24 * time.Hour, perch.KindUpstreamConfig, perch.CauseClientCert, true},
		"expired, and a guess": {c, with("bot@a.test", "guess"), 100 * 24 * time.Hour, perch.KindUnauthorized, perch.CauseCredential, false},
	} {
		err := tt.c.Admit(tt.acc, time.Now().Add(tt.after))
		if (err == nil) != (tt.kind == "") || err != nil && (perch.KindOf(err) != tt.kind || perch.CauseOf(err) != tt.cause) {
			t.Errorf("%s: got error %v, want %q with the cause %q", name, err, tt.kind, tt.cause)
		}
		if tt.c.For(tt.acc) != tt.by {
			t.Errorf("%s: got the certificate used %v, want %v", name, !tt.by, tt.by)
		}
		if err != nil && strings.Contains(err.Error(), tt.acc.Token.Reveal()) && len(tt.acc.Token.Reveal()) > 1 {
			t.Errorf("%s: got the token in %v, want it nowhere", name, err)
		}
	}
	if text := fmt.Sprintf("%+v %#v", c.Token, c.Token); strings.Contains(text, token) {
		t.Errorf("got %q, want no token in it", text)
	}
}

// TestBlame: what a server says of the certificate is the operator's, and all else is as it was.
func TestBlame(t *testing.T) {
	sasl := func(condition string) error {
		return diagnosis.SASL("EXTERNAL", "", perch.XMPPError{Condition: condition})
	}
	for name, tt := range map[string]struct {
		err  error
		kind perch.Kind
		is   bool // it is the certificate
	}{
		"refused":           {sasl("not-authorized"), perch.KindUpstreamConfig, true},
		"another account":   {sasl("invalid-authzid"), perch.KindUpstreamConfig, true},
		"no such mechanism": {sasl("invalid-mechanism"), perch.KindUpstreamConfig, true},
		"for now":           {sasl("temporary-auth-failure"), perch.KindTryLater, false},
		"an alert":          {diagnosis.Network(&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, "reading"), perch.KindUpstreamConfig, true},
		"a reset":           {diagnosis.Network(&net.OpError{Op: "read", Err: errors.New("reset")}, "reading"), perch.KindLinkLost, false},
	} {
		got := clientcert.Blame(tt.err)
		if perch.KindOf(got) != tt.kind || (perch.CauseOf(got) == perch.CauseClientCert) != tt.is {
			t.Errorf("%s: got %v (%s, %s), want %s, of the certificate %v", name, got, perch.KindOf(got), perch.CauseOf(got), tt.kind, tt.is)
		}
	}
}
