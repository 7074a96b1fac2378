package app_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

// certificateFiles writes a certificate of the tests' authority and its key.
func certificateFiles(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	c, k := testkit.CA(t).Leaf(t, "gateway.test")
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, text := range map[string][]byte{cert: c, key: k} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
	}
	return cert, key
}

// clientOf is an upstream with a certificate of an account.
func clientOf(t *testing.T, u app.Upstream, c testkit.ClientCertificate) app.Upstream {
	t.Helper()
	dir := t.TempDir()
	u.ClientCert, u.ClientKey, u.ClientTokenFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "token")
	cert, key := testkit.CA(t).Client(t, c)
	for name, text := range map[string][]byte{u.ClientCert: cert, u.ClientKey: key, u.ClientTokenFile: []byte(canary.Secret() + strings.Repeat("t", 32) + "\n")} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatalf("os.WriteFile: got error %v, want none", err)
		}
	}
	return u
}

// exposedKey lets everybody read the key.
func exposedKey(t *testing.T, u app.Upstream) app.Upstream {
	t.Helper()
	if err := os.Chmod(u.ClientKey, 0o644); err != nil {
		t.Fatalf("os.Chmod: got error %v, want none", err)
	}
	return u
}

// TestClientSettings: what cannot belong together is refused by the names of the settings.
func TestClientSettings(t *testing.T) {
	good := clientOf(t, app.Upstream{Domain: "a.test"}, testkit.ClientCertificate{Addresses: []string{"bot@a.test"}})
	if err := app.CheckConfig(app.Options{Upstreams: []app.Upstream{good}}); err != nil {
		t.Fatalf("CheckConfig(): got error %v, want none", err)
	}
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 65<<10), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	for want, change := range map[string]func(*app.Upstream){
		"go together":                func(u *app.Upstream) { u.ClientTokenFile = "" },
		"token-mechanism":            func(u *app.Upstream) { u.TokenMechanism = "X-OAUTH2" },
		"profile messenger":          func(u *app.Upstream) { u.Profile, u.TokenMechanism = app.ProfileMessenger, "" },
		"client-key: open /not/here": func(u *app.Upstream) { u.ClientKey = "/not/here" },
		"client-token-file must":     func(u *app.Upstream) { u.ClientTokenFile = u.ClientCert },
		"client-cert: " + big:        func(u *app.Upstream) { u.ClientCert = big },
		"client-cert, client-key":    func(u *app.Upstream) { u.ClientKey = u.ClientCert },
		"serves the domain b.test":   func(u *app.Upstream) { u.Domain = "b.test" },
	} {
		u := good
		change(&u)
		if err := app.CheckConfig(app.Options{Upstreams: []app.Upstream{u}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

// TestCheck tries what real and broken settings name. The certificates of the servers of tests live for a
// day, which is worth a warning.
func TestCheck(t *testing.T) {
	prosody, redis := testkit.SharedProsody(t), testkit.SharedRedis(t)
	secret := canary.Secret()
	cert, key := certificateFiles(t)
	real := app.Upstream{Name: "real", Domain: prosody.Domain, Address: prosody.Addr, CAFile: prosody.CAFile}
	unknown := real
	unknown.CAFile = ""
	direct := real
	direct.Address, direct.TLS = prosody.DirectAddr, "direct"
	for _, tt := range []struct {
		name string
		o    app.Options
		want []string // name, result and a part of the detail or the advice of each finding
	}{
		{"the demo", app.Options{}, []string{"configuration ok valid", "upstream warning embedded demo"}},
		{"all is well", app.Options{Upstreams: []app.Upstream{real}, RedisURL: redis.URLFor(t, secret), Secret: secret}, []string{
			"configuration ok valid", "upstream real warning STARTTLS, TLS 1.3, certificate until", "redis ok answers"}},
		{"direct TLS", app.Options{Upstreams: []app.Upstream{direct}}, []string{"configuration ok", "upstream real warning direct TLS, TLS 1.3"}},
		{"its mechanisms", app.Options{Upstreams: []app.Upstream{real}}, []string{"configuration ok", "upstream real warning PLAIN"}},
		{"an authority that is not trusted", app.Options{Upstreams: []app.Upstream{unknown}}, []string{"configuration ok", "upstream real failed signed by unknown authority"}},
		{"nothing there", app.Options{Upstreams: []app.Upstream{{Name: "x", Domain: "a.test", Address: testkit.Loopback(testkit.FreePort(t))}}}, []string{"configuration ok", "upstream x failed connection refused"}},
		{"no Redis", app.Options{Upstreams: []app.Upstream{real}, RedisURL: "redis://:" + url.QueryEscape(secret) + "@" + testkit.Loopback(testkit.FreePort(t)) + "/0", Secret: secret},
			[]string{"configuration ok", "upstream real warning", "redis failed connection refused"}},
		{"a certificate that ends soon", app.Options{TLSCert: cert, TLSKey: key}, []string{"configuration ok", "certificate warning gateway.test", "upstream warning"}},
		{"a key that is none", app.Options{TLSCert: cert, TLSKey: cert}, []string{"configuration failed --tls-cert"}},
		{"a certificate of an account that ends soon", app.Options{Upstreams: []app.Upstream{clientOf(t, real, testkit.ClientCertificate{Addresses: []string{"bot@" + prosody.Domain}})}}, []string{
			"configuration ok", "upstream real warning client certificate of bot@" + prosody.Domain + ", valid until", "upstream real warning STARTTLS"}},
		{"one whose key everybody can read", app.Options{Upstreams: []app.Upstream{exposedKey(t, clientOf(t, real, testkit.ClientCertificate{Addresses: []string{"bot@" + prosody.Domain}}))}}, []string{
			"configuration ok", "upstream real warning client certificate", "upstream real warning every user of this host can read", "upstream real warning STARTTLS"}},
		{"one that has ended", app.Options{Upstreams: []app.Upstream{clientOf(t, real, testkit.ClientCertificate{Addresses: []string{"bot@" + prosody.Domain}, Expired: true})}}, []string{
			"configuration ok", "upstream real failed the account cannot sign in", "upstream real warning"}},
		{"one of a whole domain", app.Options{Upstreams: []app.Upstream{clientOf(t, real, testkit.ClientCertificate{Addresses: []string{prosody.Domain}})}}, []string{"configuration failed not the bare JID of an account"}},
		{"a ca-file that is none", app.Options{Upstreams: []app.Upstream{{Domain: "a.test", CAFile: "/does/not/exist"}}}, []string{"configuration failed /does/not/exist"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			found := app.Check(ctx, tt.o)
			if len(found) != len(tt.want) {
				t.Fatalf("got %d findings %+v, want %d", len(found), found, len(tt.want))
			}
			for i, f := range found {
				text := fmt.Sprintf("%s %s %s %s", f.Name, f.Result, f.Detail, f.Advice)
				for _, part := range partsOf(tt.want[i], f) {
					if !strings.Contains(text, part) {
						t.Errorf("finding %d: got %q, want %q in it", i, text, part)
					}
				}
				if (f.Result == app.FindingOK) != (f.Advice == "") {
					t.Errorf("finding %d: got %+v, want advice unless it is well", i, f)
				}
				if strings.Contains(text, secret) {
					t.Errorf("finding %d shows a secret: got %q, want none", i, text)
				}
			}
		})
	}
}

// TestCheckOfAnotherVersion: before an upgrade that raises a version, and after one that did, perch check
// says so; the second is refused at the start too. It changes nothing of the two.
func TestCheckOfAnotherVersion(t *testing.T) {
	r := testkit.Redis(t, testkit.RedisOptions{})
	keys := r.Client(t)
	o := app.Options{Listen: "127.0.0.1:0", AdminListen: "off", RedisURL: r.URL(), Secret: canary.Secret() + canary.Secret(), Logger: canary.Logger()}
	for _, tt := range []struct {
		row, result string
		want        []string
	}{
		{"0 0.0.9", app.FindingWarning, []string{"contact in version 1, and what is there is of 0", "snapshot"}},
		{"2 9.9.9", app.FindingFailed, []string{"perch:format: version 2 of contact (perch 9.9.9), and this program reads [0 1]", "docs/upgrade.md"}},
	} {
		if err := keys.HSet(t.Context(), "perch:format", "contact", tt.row).Err(); err != nil {
			t.Fatalf("HSET: got error %v, want none", err)
		}
		found := app.Check(t.Context(), o)
		f := found[len(found)-1]
		for _, want := range tt.want {
			if f.Name != "redis" || f.Result != tt.result || !strings.Contains(f.Detail+" "+f.Advice, want) {
				t.Errorf("%s: got %+v, want %s with %q", tt.row, f, tt.result, want)
			}
		}
		if got := keys.HGetAll(t.Context(), "perch:format").Val(); len(got) != 1 || got["contact"] != tt.row {
			t.Errorf("perch:format after the check: got %v, want it as it was", got)
		}
	}
	_, err := app.New(o)
	for _, want := range []string{"--redis-url", "perch:format", "version 2 of contact", "nothing was changed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("app.New: got error %v, want %q in it", err, want)
		}
	}
}

// partsOf splits what is wanted of a finding into its beginning and the text to be found.
func partsOf(want string, f app.Finding) []string {
	head := f.Name + " " + f.Result
	if rest, ok := strings.CutPrefix(want, head); ok {
		return []string{head, strings.TrimSpace(rest)}
	}
	return []string{want}
}

// TestListenErrors: a port that is taken, or may not be, is an error with what to do.
func TestListenErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for name, tt := range map[string]struct {
		o    app.Options
		want []string
	}{
		"gateway":        {app.Options{Listen: l.Addr().String(), AdminListen: "off"}, []string{"--listen", "another program listens on port " + port, "ss -ltnp"}},
		"admin":          {app.Options{Listen: "127.0.0.1:0", AdminListen: l.Addr().String()}, []string{"--admin-listen", "another program listens on port " + port}},
		"not of a host":  {app.Options{Listen: "127.0.0.1:0", AdminListen: "192.0.2.1:9090"}, []string{"--admin-listen 192.0.2.1:9090 is no address of this host"}},
		"no port at all": {app.Options{Listen: "127.0.0.1:0", AdminListen: "9090"}, []string{"--admin-listen \"9090\" is not HOST:PORT"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := app.New(tt.o)
			if err != nil {
				t.Fatalf("app.New: got error %v, want none", err)
			}
			err = a.Start()
			if stopErr := a.Stop(t.Context()); stopErr != nil {
				t.Errorf("a.Stop: got error %v, want none", stopErr)
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got error %v, want %q in it", err, want)
				}
			}
		})
	}
}
