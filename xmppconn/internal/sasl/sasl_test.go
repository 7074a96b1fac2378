package sasl_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/sasl"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// decode is the data of a text of SCRAM, which is never empty.
func decode(t testing.TB, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("%q: got error %v, want base64", text, err)
	}
	return data
}

// mechanism makes one by its name.
func mechanism(t testing.TB, name string, c sasl.Credentials) sasl.Mechanism {
	t.Helper()
	m, ok := sasl.Lookup(name)
	if !ok {
		t.Fatalf("Lookup(%q) knows no such mechanism, want one", name)
	}
	return m.New(c)
}

func TestLookup(t *testing.T) {
	for _, name := range sasl.Names() {
		if m, ok := sasl.Lookup(name); !ok || m.Name != name {
			t.Errorf("Lookup(%q) = %q, %v; want it", name, m.Name, ok)
		}
	}
	for _, name := range []string{"", "plain", "GSSAPI", "SCRAM-SHA3-512"} {
		if m, ok := sasl.Lookup(name); ok {
			t.Errorf("Lookup(%q) = %q, want none", name, m.Name)
		}
	}
}

// TestBytes holds each mechanism against the bytes that its documents show.
func TestBytes(t *testing.T) {
	c := sasl.Credentials{User: "alice", Domain: "a.test", Password: "pa ss\u00a0w\u00f6rd", Token: "T.0k=", APIKey: "key&1"}
	for _, tt := range []struct {
		name      string
		first     string
		challenge string
		answer    string
	}{
		{"X-MESSENGER-OAUTH2", "T.0k=", "", ""},
		{"PLAIN", b64("\x00alice\x00pa ss\u00a0w\u00f6rd"), "", ""},
		{"X-OAUTH2", b64("\x00alice\x00T.0k="), "", ""},
		{"X-GOOGLE-TOKEN", b64("\x00alice@a.test\x00T.0k="), "", ""},
		{"OAUTHBEARER", b64("n,a=alice@a.test,\x01auth=Bearer T.0k=\x01\x01"),
			b64(`{"status":"invalid_token","scope":"x"}`), "AQ=="},
		{"X-FACEBOOK-PLATFORM", "", b64("version=1&method=auth.xmpp_login&nonce=A%3D1"),
			b64("method=auth.xmpp_login&nonce=A%3D1&api_key=key%261&access_token=T.0k%3D&call_id=0&v=1.0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := mechanism(t, tt.name, c)
			if got, err := m.Start(); got != tt.first || err != nil {
				t.Fatalf("Start() = %q, %v; want %q", got, err, tt.first)
			}
			if tt.challenge == "" {
				if got, err := m.Next(b64("more")); err == nil {
					t.Errorf("Next() = %q, want an error: the mechanism has no challenge", got)
				}
				return
			}
			if got, err := m.Next(tt.challenge); got != tt.answer || err != nil {
				t.Fatalf("Next() = %q, %v; want %q", got, err, tt.answer)
			}
			if got, err := m.Next(tt.challenge); err == nil {
				t.Errorf("Next() = %q for the same challenge again, want an error", got)
			}
		})
	}
}

// TestM04TokenText is what stands inside of <auth/>: the token as it was issued, whatever
// its length, without the percent-encoding that a URL gives it.
func TestM04TokenText(t *testing.T) {
	long := strings.Repeat("EwBw+/aB", 1280) + "==" // 10 kB
	for name, tt := range map[string]struct{ token, want string }{
		"as it is":             {"EwAw+/aB==", "EwAw+/aB=="},
		"of a fragment":        {"EwAw%2b%2FaB%3d%3d", "EwAw+/aB=="},
		"a plus sign stays":    {"a+b%3D", "a+b="},
		"10 kB":                {long, long},
		"10 kB, of a fragment": {url.QueryEscape(long), long},
	} {
		if got, err := mechanism(t, "X-MESSENGER-OAUTH2", sasl.Credentials{Token: tt.token}).Start(); got != tt.want || err != nil {
			t.Errorf("%s: Start() = %q, %v; want %q", name, got, err, tt.want)
		}
	}
	for _, bad := range []string{"a%zz", "a b", "a%0ab", "a\u00e9"} {
		if got, err := mechanism(t, "X-MESSENGER-OAUTH2", sasl.Credentials{Token: bad}).Start(); err == nil {
			t.Errorf("Start() with the token %q = %q, want an error", bad, got)
		}
	}
}

func TestOAuthBearerNamesTheAccount(t *testing.T) {
	for name, tt := range map[string]struct {
		c    sasl.Credentials
		want string
	}{
		"no account":            {sasl.Credentials{Token: "T"}, "n,,\x01auth=Bearer T\x01\x01"},
		"escapes in an account": {sasl.Credentials{User: "a,b=c", Domain: "d", Token: "T"}, "n,a=a=2Cb=3Dc@d,\x01auth=Bearer T\x01\x01"},
	} {
		if got, err := mechanism(t, "OAUTHBEARER", tt.c).Start(); got != b64(tt.want) || err != nil {
			t.Errorf("%s: Start() = %q, %v; want %q", name, got, err, b64(tt.want))
		}
	}
}

func TestFailureStatus(t *testing.T) {
	for challenge, want := range map[string]string{"not json": "refused", `{"status":"invalid_token"}`: "invalid_token"} {
		m := mechanism(t, "OAUTHBEARER", sasl.Credentials{Token: "T"})
		_, _ = m.Next(b64(challenge))
		if got := sasl.FailureStatus(m); got != want {
			t.Errorf("FailureStatus() after %s = %q, want %q", challenge, got, want)
		}
	}
	if got := sasl.FailureStatus(mechanism(t, "PLAIN", sasl.Credentials{})); got != "" {
		t.Errorf("FailureStatus() of PLAIN = %q, want none", got)
	}
}

func TestAuthAttributes(t *testing.T) {
	want := ` auth:service='oauth2' auth:client-uses-full-bind-result='true' xmlns:auth='http://www.google.com/talk/protocol/auth'`
	for google, want := range map[bool]string{true: want, false: ""} {
		m := mechanism(t, "X-OAUTH2", sasl.Credentials{User: "a", Token: "T", Google: google})
		if got := sasl.AuthAttributes(m); got != want {
			t.Errorf("AuthAttributes() with Google %v = %q, want %q", google, got, want)
		}
	}
}

func TestFacebookPlatformNeedsAChallenge(t *testing.T) {
	if err := mechanism(t, "X-FACEBOOK-PLATFORM", sasl.Credentials{}).Finish(""); err == nil {
		t.Error("Finish() before anything was sent: got no error, want one")
	}
}

// FuzzChallenge sends each mechanism what a server may send: it answers with base64 or an error,
// and SCRAM believes no success.
func FuzzChallenge(f *testing.F) {
	for i, s := range []string{"", "=", "!", b64(`{"status":"x"}`), b64("method=m&nonce=n"), b64("r=x,s=eA==,i=4096"), b64("v=AAAA"), b64("e=other-error")} {
		f.Add(i, s, s)
	}
	f.Fuzz(func(t *testing.T, i int, challenge, success string) {
		names := sasl.Names()
		name := names[(i&0x7fffffff)%len(names)]
		m := mechanism(t, name, sasl.Credentials{User: "alice", Domain: "a.test", Password: "secret", Token: "T", APIKey: "k"})
		if _, err := m.Start(); err != nil {
			t.Fatalf("%s: Start(): got error %v, want none", name, err)
		}
		for range 2 {
			text, err := m.Next(challenge)
			if err != nil {
				break
			}
			if text != "" && text != "=" {
				decode(t, text)
			}
		}
		if err := m.Finish(success); err == nil && strings.HasPrefix(name, "SCRAM-") {
			t.Fatalf("%s: Finish(%q) after the challenge %q = nil, want an error", name, success, challenge)
		}
	})
}
