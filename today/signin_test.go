package today_test

import (
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

const (
	nsSASL  = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsSASL2 = "urn:xmpp:sasl:2"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func unb64(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		t.Fatalf("base64 of %q: got error %v, want none", s, err)
	}
	return string(b)
}

// secured is a client that has the features inside of TLS.
func secured(t testing.TB, s *today.Service) (*xmpptest.Client, xmpptest.Node) {
	t.Helper()
	c := xmpptest.Dial(t, server(s))
	return c, c.Secure()
}

// auth sends a first message, and returns the answer.
func auth(c *xmpptest.Client, mechanism, message string) xmpptest.Node {
	c.T.Helper()
	c.Send("<auth xmlns='%s' mechanism='%s'>%s</auth>", nsSASL, mechanism, b64(message))
	return c.Next()
}

// hashes of SCRAM, by mechanism.
var hashes = map[string]scram.HashGeneratorFcn{
	"SCRAM-SHA-256": scram.SHA256, "SCRAM-SHA-512": scram.SHA512, "SCRAM-SHA-256-PLUS": scram.SHA256, "SCRAM-SHA-512-PLUS": scram.SHA512,
}

// binding makes the channel binding of that type; "": none.
func binding(t testing.TB, c *xmpptest.Client, kind string) scram.ChannelBinding {
	t.Helper()
	if kind == "" {
		return scram.ChannelBinding{}
	}
	state := c.Conn.(*tls.Conn).ConnectionState()
	b, err := scram.NewTLSExporterBinding(&state)
	if kind == "tls-server-end-point" {
		b, err = scram.NewTLSServerEndpointBinding(&state)
	}
	if err != nil {
		t.Fatalf("%s: got error %v, want none", kind, err)
	}
	return b
}

// runSCRAM is a login in three messages; it returns the last answer.
func runSCRAM(t testing.TB, c *xmpptest.Client, mechanism, user, password, authzid string, b scram.ChannelBinding) xmpptest.Node {
	t.Helper()
	client, err := hashes[mechanism].NewClient(user, password, authzid)
	if err != nil {
		t.Fatalf("NewClient: got error %v, want none", err)
	}
	conv := client.NewConversation()
	if b.IsSupported() {
		conv = client.NewConversationWithChannelBinding(b)
	}
	first, err := conv.Step("")
	if err != nil {
		t.Fatalf("first step: got error %v, want none", err)
	}
	n := auth(c, mechanism, first)
	if n.XMLName.Local != "challenge" {
		return n
	}
	final, err := conv.Step(unb64(t, n.Text))
	if err != nil {
		t.Fatalf("step: got error %v, want none", err)
	}
	c.Send("<response xmlns='%s'>%s</response>", nsSASL, b64(final))
	n = c.Next()
	if n.XMLName.Local == "success" {
		if _, err := conv.Step(unb64(t, n.Text)); err != nil {
			t.Errorf("the proof of the service: got error %v, want none", err)
		}
	}
	return n
}

func TestSCRAM(t *testing.T) {
	s := start(t, world())
	secret := canary.Mark + "ann"
	for _, tt := range []struct{ name, mechanism, user, password, authzid, binding, want string }{
		{"256", "SCRAM-SHA-256", "ann", secret, "", "", "success"},
		{"512", "SCRAM-SHA-512", "ann", secret, at("ann"), "", "success"},
		{"a name of other case", "SCRAM-SHA-256", "Ann", secret, "", "", "success"},
		{"256 bound to the connection", "SCRAM-SHA-256-PLUS", "ann", secret, "", "tls-exporter", "success"},
		{"512 bound to the certificate", "SCRAM-SHA-512-PLUS", "ann", secret, "", "tls-server-end-point", "success"},
		{"another password", "SCRAM-SHA-256", "ann", canary.Mark + "ben", "", "", "not-authorized"},
		{"nobody", "SCRAM-SHA-256", "nobody", secret, "", "", "not-authorized"},
		{"for somebody else", "SCRAM-SHA-256", "ann", secret, at("ben"), "", "invalid-authzid"},
		{"bound, by a mechanism without", "SCRAM-SHA-256", "ann", secret, "", "tls-exporter", "malformed-request"},
		{"not bound, by a mechanism with", "SCRAM-SHA-256-PLUS", "ann", secret, "", "", "malformed-request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := secured(t, s)
			n := runSCRAM(t, c, tt.mechanism, tt.user, tt.password, tt.authzid, binding(t, c, tt.binding))
			got := n.XMLName.Local
			if got == "failure" {
				got = n.Condition()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestNamesAreNotTold: a name without an account is asked for the same, with a salt that stays.
func TestNamesAreNotTold(t *testing.T) {
	s := start(t, world())
	salt := map[string]string{}
	for _, user := range []string{"ann", "nobody", "nobody"} {
		c, _ := secured(t, s)
		n := auth(c, "SCRAM-SHA-256", "n,,n="+user+",r=abcdef")
		if n.XMLName.Local != "challenge" {
			t.Fatalf("%s: got %v, want a challenge", user, n)
		}
		parts := strings.Split(unb64(t, n.Text), ",")
		if len(parts) != 3 || parts[2] != "i=4096" {
			t.Errorf("%s: got the challenge %q, want a nonce, a salt and i=4096", user, parts)
		}
		if before, ok := salt[user]; ok && before != parts[1] {
			t.Errorf("%s: got another salt, want the one of before", user)
		}
		salt[user] = parts[1]
	}
	if salt["ann"] == salt["nobody"] || len(salt["ann"]) != len(salt["nobody"]) {
		t.Errorf("got the salts %v, want two of one length", salt)
	}
}

// TestDowngradeIsSeen: a client that could bind, and was shown no -PLUS, has seen another offer than ours.
func TestDowngradeIsSeen(t *testing.T) {
	s := start(t, world())
	c, _ := secured(t, s)
	if n := auth(c, "SCRAM-SHA-256", "y,,n=ann,r=abcdef"); n.Condition() != "not-authorized" {
		t.Errorf("got %v, want not-authorized", n)
	}
}

func TestPlainAndBearer(t *testing.T) {
	s := start(t, world())
	secret, token := canary.Mark+"ann", canary.Mark+"token-ann"
	bearer := func(header, auth string) string { return header + "\x01" + auth + "\x01\x01" }
	for _, tt := range []struct{ name, mechanism, message, want string }{
		{"plain", "PLAIN", "\x00ann\x00" + secret, "success"},
		{"plain, for itself", "PLAIN", at("ann") + "\x00ann\x00" + secret, "success"},
		{"plain, for somebody else", "PLAIN", at("ben") + "\x00ann\x00" + secret, "invalid-authzid"},
		{"plain, another password", "PLAIN", "\x00ann\x00x", "not-authorized"},
		{"plain, nobody", "PLAIN", "\x00nobody\x00" + secret, "not-authorized"},
		{"plain, no password", "PLAIN", "\x00ann\x00", "malformed-request"},
		{"plain, not of three parts", "PLAIN", "ann", "malformed-request"},
		{"bearer", "OAUTHBEARER", bearer("n,,", "auth=Bearer "+token), "success"},
		{"bearer, named", "OAUTHBEARER", bearer("n,a="+at("ann")+",", "host=x\x01port=1\x01auth=bearer "+token), "success"},
		{"bearer, for somebody else", "OAUTHBEARER", bearer("n,a="+at("ben")+",", "auth=Bearer "+token), "invalid-authzid"},
		{"bearer, no token", "OAUTHBEARER", "n,,\x01\x01", "challenge"},
		{"bearer, not whole", "OAUTHBEARER", "n,,\x01auth=Bearer " + token + "\x01", "malformed-request"},
		{"bearer, bound", "OAUTHBEARER", bearer("p=tls-exporter,,", "auth=Bearer "+token), "malformed-request"},
		{"bearer, another token", "OAUTHBEARER", bearer("n,,", "auth=Bearer x"), "challenge"},
		{"bearer, another scheme", "OAUTHBEARER", bearer("n,,", "auth=Basic "+token), "challenge"},
		{"not offered", "DIGEST-MD5", "x", "invalid-mechanism"},
		{"a token of FAST by the older profile", "HT-SHA-256-NONE", "ann\x00x", "invalid-mechanism"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := secured(t, s)
			n := auth(c, tt.mechanism, tt.message)
			got := n.XMLName.Local
			if got == "failure" {
				got = n.Condition()
			}
			if got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
			if got != "challenge" {
				return
			}
			if text := unb64(t, n.Text); !strings.Contains(text, `"status":"invalid_token"`) {
				t.Errorf("got %s, want the status invalid_token", text)
			}
			c.Send("<response xmlns='%s'>AQ==</response>", nsSASL)
			if n := c.Next(); n.Condition() != "not-authorized" {
				t.Errorf("after the answer: got %v, want not-authorized", n)
			}
		})
	}
}

// TestAttempts are how a login can go otherwise, and that one stream has five of them.
func TestAttempts(t *testing.T) {
	s := start(t, world())
	c, _ := secured(t, s)
	for _, tt := range []struct{ send, want string }{
		{"<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>*</auth>", "incorrect-encoding"},
		{"<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>=</auth>", "malformed-request"},
		{"<auth xmlns='" + nsSASL + "' mechanism='PLAIN'/>", ""},
		{"<abort xmlns='" + nsSASL + "'/>", "aborted"},
		{"<authenticate xmlns='" + nsSASL2 + "' mechanism='PLAIN'><initial-response/></authenticate>", "malformed-request"},
		{"<authenticate xmlns='" + nsSASL2 + "' mechanism='HT-SHA-256-NONE'/>", "invalid-mechanism"},
	} {
		c.Send("%s", tt.send)
		if n := c.Next(); n.Condition() != tt.want {
			t.Errorf("%s: got %v, want %q", tt.send, n, tt.want)
		}
	}
	if condition, clean := c.Ended(); condition != "policy-violation" || !clean {
		t.Errorf("after five attempts: got %q and an end tag %v, want policy-violation and one", condition, clean)
	}
}

// TestOffer: what is offered is what the connection has.
func TestOffer(t *testing.T) {
	s := start(t, world())
	c, features := secured(t, s)
	names := func(n xmpptest.Node) string {
		var list []string
		for _, k := range n.Kids {
			if k.XMLName.Local == "mechanism" {
				list = append(list, k.Text)
			}
		}
		return strings.Join(list, " ")
	}
	const want = "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512 SCRAM-SHA-256 OAUTHBEARER PLAIN"
	if got := names(features.At("mechanisms")); got != want {
		t.Errorf("RFC 6120: got %s, want %s", got, want)
	}
	if got := names(features.At("authentication")); got != want {
		t.Errorf("XEP-0388: got %s, want %s", got, want)
	}
	if got := names(features.At("authentication", "inline", "fast")); got != "HT-SHA-256-EXPR HT-SHA-256-NONE" {
		t.Errorf("tokens: got %s, want both", got)
	}
	var types []string
	for _, k := range features.At("sasl-channel-binding").Kids {
		types = append(types, k.Get("type"))
	}
	if got := strings.Join(types, " "); got != "tls-exporter tls-server-end-point" {
		t.Errorf("bindings: got %s, want both", got)
	}
	c.Plain("ann", canary.Mark+"ann")
	features = c.Open()
	var rest []string
	for _, k := range features.Kids {
		rest = append(rest, k.XMLName.Local)
	}
	if got := strings.Join(rest, " "); got != "bind session sm csi" {
		t.Errorf("after the login: got %s, want bind session sm csi", got)
	}
}
