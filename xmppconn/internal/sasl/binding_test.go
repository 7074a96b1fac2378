package sasl_test

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/sasl"
	"github.com/xdg-go/scram"
)

// handshake is both ends of a TLS connection of a version.
func handshake(t testing.TB, version uint16) (client, server *tls.ConnectionState) {
	t.Helper()
	ts := httptest.NewTLSServer(nil)
	defer ts.Close()
	a, b := net.Pipe()
	c := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
	s := tls.Server(b, &tls.Config{Certificates: ts.TLS.Certificates})
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatalf("client: got error %v, want a handshake", err)
	}
	if err := <-done; err != nil {
		t.Fatalf("server: got error %v, want a handshake", err)
	}
	x, y := c.ConnectionState(), s.ConnectionState()
	return &x, &y
}

// TestChannelBinding takes the best of the types that the server names and the connection has.
func TestChannelBinding(t *testing.T) {
	modern, _ := handshake(t, tls.VersionTLS13)
	older, _ := handshake(t, tls.VersionTLS12)
	for _, tt := range []struct {
		name       string
		connection *tls.ConnectionState
		types      []string
		want       string
	}{
		{"the exporter before the certificate", modern, []string{"tls-server-end-point", "tls-exporter"}, "tls-exporter"},
		{"the certificate alone", modern, []string{"tls-server-end-point"}, "tls-server-end-point"},
		{"TLS 1.2", older, []string{"tls-unique", "tls-exporter"}, "tls-exporter"},
		{"what TLS 1.3 has not", modern, []string{"tls-unique"}, ""},
		{"none is named", modern, nil, ""},
		{"a name that is none", modern, []string{"tls-exporter "}, ""},
	} {
		got := sasl.ChannelBinding(tt.connection, tt.types)
		if string(got.Type) != tt.want || got.IsSupported() != (tt.want != "") {
			t.Errorf("%s: ChannelBinding() = %q, %d bytes; want %q", tt.name, got.Type, len(got.Data), tt.want)
		}
	}
}

// xdgServer is one authentication with the library's own server, whose end of the connection is another.
func xdgServer(t testing.TB, h scram.HashGeneratorFcn, binding sasl.Binding) *scram.ServerConversation {
	t.Helper()
	client, err := h.NewClient("alice", "secret", "")
	if err != nil {
		t.Fatalf("NewClient(): got error %v, want none", err)
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "0123456789abcdef", Iters: 4096})
	if err != nil {
		t.Fatalf("GetStoredCredentialsWithError(): got error %v, want none", err)
	}
	s, err := h.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Fatalf("NewServer(): got error %v, want none", err)
	}
	if binding.IsSupported() {
		return s.NewConversationWithChannelBinding(binding)
	}
	return s.NewConversation()
}

// TestSCRAMBinds: a -PLUS form and a server on the same connection agree; one on another connection, as
// a man in the middle has it, refuses.
func TestSCRAMBinds(t *testing.T) {
	client, server := handshake(t, tls.VersionTLS13)
	_, other := handshake(t, tls.VersionTLS13)
	types := []string{"tls-exporter"}
	for name, h := range map[string]scram.HashGeneratorFcn{
		"SCRAM-SHA-1-PLUS": scram.SHA1, "SCRAM-SHA-256-PLUS": scram.SHA256, "SCRAM-SHA-512-PLUS": scram.SHA512,
	} {
		for end, want := range map[*tls.ConnectionState]bool{server: true, other: false} {
			m := mechanism(t, name, sasl.Credentials{User: "alice", Password: "secret", Binding: sasl.ChannelBinding(client, types)})
			s := xdgServer(t, h, sasl.ChannelBinding(end, types))
			err := converse(t, m, s)
			if (err == nil) != want || s.Valid() != want {
				t.Errorf("%s: got error %v, and %v from the server; want %v", name, err, s.Valid(), want)
			}
		}
	}
}

// TestSCRAMSHA512 is SCRAM with the hash that mellium's server does not have.
func TestSCRAMSHA512(t *testing.T) {
	for password, want := range map[string]bool{"secret": true, "Secret": false} {
		m := mechanism(t, "SCRAM-SHA-512", sasl.Credentials{User: "alice", Password: password})
		s := xdgServer(t, scram.SHA512, sasl.Binding{})
		if err := converse(t, m, s); (err == nil) != want || s.Valid() != want {
			t.Errorf("%s: got error %v, and %v from the server; want %v", password, err, s.Valid(), want)
		}
	}
}

// TestSCRAMSaysWhyItDoesNotBind: y when the server has no -PLUS form, as far as we are told; a server
// that has one refuses that, since somebody has taken it out of its list (RFC 5802, 6).
func TestSCRAMSaysWhyItDoesNotBind(t *testing.T) {
	_, server := handshake(t, tls.VersionTLS13)
	for flag, noPlus := range map[string]bool{"n,,": false, "y,,": true} {
		m := mechanism(t, "SCRAM-SHA-256", sasl.Credentials{User: "alice", Password: "secret", NoPlus: noPlus})
		text, err := m.Start()
		if got := string(decode(t, text)); !strings.HasPrefix(got, flag) || err != nil {
			t.Errorf("Start() = %q, %v; want it to begin with %q", got, err, flag)
		}
		s := xdgServer(t, scram.SHA256, sasl.ChannelBinding(server, []string{"tls-exporter"}))
		if _, err := s.Step(string(decode(t, text))); (err != nil) != noPlus {
			t.Errorf("%s to a server that has a -PLUS form: got error %v, want one: %v", flag, err, noPlus)
		}
	}
}

// converse is an exchange to its end: success carries the server's signature.
func converse(t testing.TB, m sasl.Mechanism, s *scram.ServerConversation) error {
	t.Helper()
	text, err := m.Start()
	for err == nil {
		var answer string
		if answer, err = s.Step(string(decode(t, text))); err != nil {
			return err
		}
		if s.Done() {
			return m.Finish(b64(answer))
		}
		text, err = m.Next(b64(answer))
	}
	return err
}

// TestPasswordPreparation is RFC 4013 as RFC 5802 asks for it; what has no prepared form is used as it is.
func TestPasswordPreparation(t *testing.T) {
	for typed, want := range map[string]string{
		"pa ss": "pa ss", "pa\u00a0ss": "pa ss", "I\u00adX": "IX", "\u00aa": "a", "\u2168": "IX", "w\u006f\u0308rd": "w\u00f6rd",
		"\U0001f511": "\U0001f511", "\u0627\u0031": "\u0627\u0031",
	} {
		if got := sasl.Prepared(typed); got != want {
			t.Errorf("Prepared(%q) = %q, want %q", typed, got, want)
		}
	}
}
