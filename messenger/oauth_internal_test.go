package messenger

import (
	"net/http"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmppserver"
)

// FuzzRedirectURI: what is let through leads to this machine, or is registered.
func FuzzRedirectURI(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1/", "http://[::1]:80/a?b", "http://localhost@evil/", "http://127.0.0.1\\@evil/", "//evil", "http:127.0.0.1", "https://desk/"} {
		f.Add(s)
	}
	svc := &Service{o: Options{OAuthRedirects: []string{"https://app.example/cb"}}}
	f.Fuzz(func(t *testing.T, s string) {
		if !svc.redirectAllowed(s, newRequest()) || s == "https://app.example/cb" {
			return
		}
		scheme, host, _ := strings.Cut(s, "://")
		if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
			t.Fatalf("%q is allowed: got %q, want %q or %q", s, scheme, "http", "https")
		}
		if i := strings.IndexAny(host, "/?"); i >= 0 {
			host = host[:i]
		}
		if !xmppserver.IsLoopback(hostOnly(host)) {
			t.Fatalf("%q is allowed: host %q, want a host of this machine", s, host)
		}
	})
}

func newRequest() *http.Request { return &http.Request{Host: "127.0.0.1:8080"} }
