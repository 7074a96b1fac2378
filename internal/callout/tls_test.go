package callout_test

import (
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/callout"
)

// TestTLS: a certificate counts, and those of the operator's own authority when it is named; HTTP/2 is spoken
// where the receiver has it.
func TestTLS(t *testing.T) {
	protocol := make(chan string, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocol <- r.Proto }))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it says what this test refuses
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, tt := range map[string]struct {
		roots   *x509.CertPool
		address string
		want    string
	}{
		"its authority is named":   {roots, "https://example.com:" + port, ""},
		"its authority is unknown": {nil, "https://example.com:" + port, "its certificate is not valid for its name"},
		"another name":             {roots, "https://other.example.org:" + port, "its certificate is not valid for its name"},
		"no HTTP":                  {roots, "http://example.com:" + port, "it answered 400 Bad Request"},
	} {
		c := callout.New(callout.Options{Allow: allow, Roots: tt.roots, Resolver: resolver(t, only("127.0.0.1"))})
		a := c.Post(t.Context(), tt.address, http.Header{}, []byte("{}"))
		if got := errorText(a.Err); got != tt.want || strings.Contains(got, port) {
			t.Errorf("%s: got error %q, want %q", name, got, tt.want)
		}
		c.Close()
	}
	if got := <-protocol; got != "HTTP/2.0" {
		t.Errorf("protocol: got %s, want HTTP/2.0", got)
	}
	if n := len(protocol); n != 0 {
		t.Errorf("got %d more requests, want none", n)
	}
}

// TestUnreachable: nobody learns the address by an error.
func TestUnreachable(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("Listen: got error %v, want none", err)
	}
	at := l.Addr().String()
	_ = l.Close()
	c := callout.New(callout.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	a := c.Post(t.Context(), "http://"+at+"/", http.Header{}, nil)
	if got, want := errorText(a.Err), "it cannot be connected to, or has closed the connection"; got != want || a.Refused || a.Status != 0 {
		t.Errorf("got %+v, want the error %q", a, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
