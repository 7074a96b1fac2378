package xmppconn

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"net/url"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"mellium.im/sasl"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestSASLBytes holds each mechanism against the bytes that its documents show.
func TestSASLBytes(t *testing.T) {
	c := credentials{user: "alice", domain: "a.test", password: "pa ss\u00a0w\u00f6rd", token: "T.0k=", apiKey: "key&1"}
	for _, tt := range []struct {
		name      string
		make      func(credentials) mechanism
		first     string
		challenge string
		answer    string
	}{
		{"X-MESSENGER-OAUTH2", newMessengerOAuth2, "T.0k=", "", ""},
		{"PLAIN", newPlain, b64("\x00alice\x00pa ss w\u00f6rd"), "", ""},
		{"X-OAUTH2", newXOAuth2, b64("\x00alice\x00T.0k="), "", ""},
		{"X-GOOGLE-TOKEN", newGoogleToken, b64("\x00alice@a.test\x00T.0k="), "", ""},
		{"OAUTHBEARER", newOAuthBearer, b64("n,a=alice@a.test,\x01auth=Bearer T.0k=\x01\x01"),
			b64(`{"status":"invalid_token","scope":"x"}`), "AQ=="},
		{"X-FACEBOOK-PLATFORM", newFacebookPlatform, "", b64("version=1&method=auth.xmpp_login&nonce=A%3D1"),
			b64("method=auth.xmpp_login&nonce=A%3D1&api_key=key%261&access_token=T.0k%3D&call_id=0&v=1.0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.make(c)
			if got, err := m.start(); got != tt.first || err != nil {
				t.Fatalf("start = %q, %v; want %q", got, err, tt.first)
			}
			if tt.challenge == "" {
				if _, err := m.next(b64("more")); err == nil {
					t.Error("a challenge was answered by a mechanism that has none")
				}
				return
			}
			if got, err := m.next(tt.challenge); got != tt.answer || err != nil {
				t.Fatalf("next = %q, %v; want %q", got, err, tt.answer)
			}
			if _, err := m.next(tt.challenge); err == nil {
				t.Error("the same challenge was answered twice")
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
		if got, err := newMessengerOAuth2(credentials{token: tt.token}).start(); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, bad := range []string{"a%zz", "a b", "a%0ab", "a\u00e9"} {
		if _, err := newMessengerOAuth2(credentials{token: bad}).start(); err == nil {
			t.Errorf("token %q was taken", bad)
		}
	}
}

func TestSASLDetails(t *testing.T) {
	t.Run("no account named", func(t *testing.T) {
		got, _ := newOAuthBearer(credentials{token: "T"}).start()
		if got != b64("n,,\x01auth=Bearer T\x01\x01") {
			t.Errorf("%q", got)
		}
	})
	t.Run("escapes in the account", func(t *testing.T) {
		got, _ := newOAuthBearer(credentials{user: "a,b=c", domain: "d", token: "T"}).start()
		if got != b64("n,a=a=2Cb=3Dc@d,\x01auth=Bearer T\x01\x01") {
			t.Errorf("%q", got)
		}
	})
	t.Run("bearer status", func(t *testing.T) {
		m := newOAuthBearer(credentials{token: "T"})
		_, _ = m.next(b64("not json"))
		if got := m.(explaining).failureStatus(); got != "refused" {
			t.Errorf("%q", got)
		}
	})
	t.Run("google", func(t *testing.T) {
		m := newXOAuth2(credentials{user: "a", token: "T", google: true})
		want := ` auth:service='oauth2' auth:client-uses-full-bind-result='true' xmlns:auth='http://www.google.com/talk/protocol/auth'`
		if got := m.(attributed).authAttributes(); got != want {
			t.Errorf("%q", got)
		}
	})
	t.Run("facebook without a challenge", func(t *testing.T) {
		if newFacebookPlatform(credentials{}).finish("") == nil {
			t.Error("success was believed before anything was sent")
		}
	})
}

// scramServer is mellium's side of SCRAM with a password of ours.
func scramServer(m sasl.Mechanism, h func() hash.Hash, password string, rounds int) *sasl.Negotiator {
	salt := []byte("0123456789abcdef")
	return sasl.NewServer(m, func(*sasl.Negotiator) bool { return true },
		sasl.SaltedCredentials(func(user, _ []byte, _ string) ([]byte, []byte, int64, error) {
			if string(user) != "alice" {
				return nil, nil, 0, sasl.ErrAuthn
			}
			key, err := pbkdf2.Key(h, password, salt, rounds, h().Size())
			return salt, key, int64(rounds), err
		}))
}

func TestSCRAM(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server sasl.Mechanism
		hash   func() hash.Hash
		make   func(credentials) mechanism
	}{
		{"SHA-1", sasl.ScramSha1, sha1.New, newScramSHA1}, {"SHA-256", sasl.ScramSha256, sha256.New, newScramSHA256},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := func(password string, rounds int) (mechanism, string, error) {
				s := scramServer(tt.server, tt.hash, "secret", rounds)
				m := tt.make(credentials{user: "alice", password: password})
				text, err := m.start()
				for err == nil {
					var data, resp []byte
					if data, err = decode64(text); err != nil {
						break
					}
					var more bool
					if more, resp, err = s.Step(data); err != nil {
						break
					}
					if !more {
						return m, encode64(string(resp)), nil
					}
					text, err = m.next(encode64(string(resp)))
				}
				return m, "", err
			}
			m, final, err := run("secret", 4096)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.finish(final); err != nil {
				t.Errorf("the server's signature: %v", err)
			}
			m, _, _ = run("secret", 4096)
			if err := m.finish(""); !errors.Is(err, errServerNotProven) {
				t.Errorf("success without a signature: %v", err)
			}
			m, final, _ = run("secret", 4096)
			if err := m.finish(strings.ToLower(final)); err == nil {
				t.Error("a wrong signature was believed")
			}
			m, final, _ = run("secret", 4096)
			if text, err := m.next(final); text != "" || err != nil || m.finish("") != nil {
				t.Errorf("the signature as a challenge: %q, %v", text, err)
			}
			if _, _, err := run("wrong", 4096); err == nil {
				t.Error("a wrong password passed")
			}
			if _, _, err := run("secret", 100); err == nil {
				t.Error("100 rounds were accepted")
			}
		})
	}
	if err := checkRounds([]byte("r=x,s=eA==,i=2000000000")); err == nil {
		t.Error("two thousand million rounds were accepted")
	}
	if err := checkRounds([]byte("r=x,s=eA==")); err == nil {
		t.Error("no rounds were accepted")
	}
	m := newScramSHA1(credentials{user: "a,b=c", password: "b"})
	text, _ := m.start()
	if first, _ := decode64(text); !strings.HasPrefix(string(first), "n,,n=a=2Cb=3Dc,r=") {
		t.Errorf("the first message: %q", first)
	}
	if err := m.finish(""); err == nil {
		t.Error("success before any step was believed")
	}
}

// TestChooseMechanism is the rule that a token never goes where it should not.
func TestChooseMechanism(t *testing.T) {
	tok := perch.Account{Token: perch.NewSecret("T")}
	named := perch.Account{JID: "alice@a.test", Token: perch.NewSecret("T")}
	pass := perch.Account{JID: "alice@a.test", Password: perch.NewSecret("p")}
	with := func(a perch.Account, m string) perch.Account { a.Mechanism = m; return a }
	all := append([]string{"EXTERNAL", "SCRAM-SHA-1-PLUS"}, knownMechanisms...)
	for _, tt := range []struct {
		name    string
		up      Upstream
		acc     perch.Account
		offered []string
		want    string
		kind    perch.Kind
	}{
		{"the best for a password", Upstream{}, pass, all, "SCRAM-SHA-256", ""},
		{"the next best", Upstream{}, pass, []string{"PLAIN", "SCRAM-SHA-1"}, "SCRAM-SHA-1", ""},
		{"plain when nothing else", Upstream{}, pass, []string{"PLAIN"}, "PLAIN", ""},
		{"a bearer", Upstream{}, tok, all, "OAUTHBEARER", ""},
		{"a bearer with a name", Upstream{}, named, []string{"PLAIN", "X-OAUTH2"}, "X-OAUTH2", ""},
		{"a bearer never as password", Upstream{}, named, []string{"PLAIN", "SCRAM-SHA-1"}, "", perch.KindUpstreamConfig},
		{"unless the upstream says so", Upstream{TokenAsPassword: true}, named, []string{"PLAIN", "SCRAM-SHA-1"}, "PLAIN", ""},
		{"a password never as token", Upstream{}, pass, []string{"X-OAUTH2", "OAUTHBEARER"}, "", perch.KindUpstreamConfig},
		{"needs a name", Upstream{}, tok, []string{"X-OAUTH2"}, "", perch.KindValidation},
		{"the Messenger profile", Upstream{Profile: ProfileMessenger}, tok, all, "X-MESSENGER-OAUTH2", ""},
		{"closed networks only by name", Upstream{}, named, []string{"X-FACEBOOK-PLATFORM", "X-GOOGLE-TOKEN"}, "", perch.KindUpstreamConfig},
		{"by name", Upstream{Mechanisms: []string{"X-GOOGLE-TOKEN"}}, named, all, "X-GOOGLE-TOKEN", ""},
		{"the account's wish", Upstream{}, with(named, "X-OAUTH2"), all, "X-OAUTH2", ""},
		{"a wish outside of the list", Upstream{Mechanisms: []string{"OAUTHBEARER"}}, with(tok, "X-OAUTH2"), all, "", perch.KindValidation},
		{"a wish is not widened", Upstream{}, with(pass, "SCRAM-SHA-256"), []string{"PLAIN"}, "", perch.KindUpstreamConfig},
		{"no credential", Upstream{}, perch.Account{}, all, "", perch.KindValidation},
		{"two credentials", Upstream{}, perch.Account{Token: tok.Token, Password: pass.Password}, all, "", perch.KindValidation},
		{"a separator inside", Upstream{}, perch.Account{JID: "a@b", Password: perch.NewSecret("a\x00b")}, all, "", perch.KindValidation},
		{"nothing offered", Upstream{}, tok, nil, "", perch.KindUpstreamConfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.up.Domain = "a.test"
			up := tt.up.withDefaults()
			got, m, err := chooseMechanism(&up, tt.acc, tt.offered)
			if got != tt.want || (err == nil) != (m != nil) {
				t.Fatalf("%q, %v; want %q", got, err, tt.want)
			}
			if tt.kind != "" && perch.KindOf(err) != tt.kind {
				t.Errorf("kind %s, want %s", perch.KindOf(err), tt.kind)
			}
		})
	}
	up := Upstream{Domain: "a.test", TokenAsPassword: true}.withDefaults()
	_, m, err := chooseMechanism(&up, named, []string{"PLAIN"})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := m.start(); got != b64("\x00alice\x00T") {
		t.Errorf("a token as password: %q", got)
	}
	_, _, err = chooseMechanism(&up, tok, []string{"<script>", strings.Repeat("A", 50), "GSSAPI"})
	if !strings.Contains(err.Error(), "(it has GSSAPI)") {
		t.Errorf("foreign words in the error: %v", err)
	}
}
