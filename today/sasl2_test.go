package today_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

const agent = "d4565fa7-4d72-4749-b3d3-740edbf87770"

// authenticate sends a request of XEP-0388 with PLAIN, and what else is in it, and returns the answer.
func authenticate(c *xmpptest.Client, user, inner string) xmpptest.Node {
	c.T.Helper()
	c.Send("<authenticate xmlns='%s' mechanism='PLAIN'><initial-response>%s</initial-response>%s</authenticate>",
		nsSASL2, b64("\x00"+user+"\x00"+canary.Mark+user), inner)
	return c.Next()
}

func userAgent(id string) string { return "<user-agent id='" + id + "'/>" }

const bindAll = "<bind xmlns='urn:xmpp:bind:0'><tag>App</tag><enable xmlns='urn:xmpp:carbons:2'/><inactive xmlns='urn:xmpp:csi:0'/>" +
	"<enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>"

// TestBindInOneStep: the answer has all that was asked for, the resource stays, and an earlier session of the
// same client ends.
func TestBindInOneStep(t *testing.T) {
	s := start(t, world())
	c, _ := secured(t, s)
	n := authenticate(c, "ann", userAgent(agent)+bindAll)
	if n.XMLName.Local != "success" || n.At("bound", "enabled").Get("id") == "" || n.At("bound", "enabled").Get("resume") != "true" {
		t.Fatalf("got %v, want a success with a stream that can be resumed", n)
	}
	jid := n.At("authorization-identifier").Text
	if !strings.HasPrefix(jid, at("ann")+"/App/") || strings.Contains(jid, agent) {
		t.Errorf("got %s, want a resource with the tag, and without the id of the client", jid)
	}
	for _, k := range c.Next().Kids {
		if k.XMLName.Local == "bind" || k.XMLName.Local == "sm" {
			t.Errorf("features after the bind: got %s, want neither bind nor sm", k.XMLName.Local)
		}
	}
	again, _ := secured(t, s)
	if got := authenticate(again, "ann", userAgent(agent)+bindAll).At("authorization-identifier").Text; got != jid {
		t.Errorf("the second time: got %s, want %s", got, jid)
	}
	if condition, _ := c.Ended(); condition != "conflict" {
		t.Errorf("the first session: got %q, want conflict", condition)
	}
	other, _ := secured(t, s)
	if got := authenticate(other, "ann", userAgent("x")+bindAll).At("authorization-identifier").Text; got == jid {
		t.Errorf("another client: got %s, want another resource", got)
	}
}

// TestHeaderNamesTheAccount: a login in one step is for the account that the header of the stream names, if it
// names one (XEP-0388, 2.3).
func TestHeaderNamesTheAccount(t *testing.T) {
	s := start(t, world())
	for from, want := range map[string]string{
		"": "", at("ann"): "", "Ann@Perch.Localhost": "", at("ann") + "/phone": "", s.Domain(): "",
		at("ben"): "invalid-authzid", "ann@else.example": "invalid-authzid",
	} {
		c := xmpptest.Dial(t, server(s))
		c.From = from
		c.Secure()
		n := authenticate(c, "ann", bindAll)
		if got := n.Condition(); got != want || (n.XMLName.Local == "success") != (want == "") {
			t.Errorf("from %q: got %s %q, want %q", from, n.XMLName.Local, got, want)
		}
		if want != "" { // and the client may try again
			if n := authenticate(c, from[:3], ""); (n.XMLName.Local == "success") != (from == at("ben")) {
				t.Errorf("from %q, by that account: got %v, want it let in where it is ours", from, n)
			}
		}
		p, _, err := dial(t, s, "http://localhost", "xmpp")
		if err != nil {
			t.Fatalf("dial: got error %v, want none", err)
		}
		p.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='" + from + "' to='" + today.DefaultDomain + "' version='1.0'/>")
		p.next()
		p.next()
		p.send("<authenticate xmlns='" + nsSASL2 + "' mechanism='PLAIN'><initial-response>" + b64("\x00ann\x00"+canary.Mark+"ann") + "</initial-response></authenticate>")
		if got := p.next().Condition(); got != want {
			t.Errorf("from %q by a WebSocket: got %q, want %q", from, got, want)
		}
	}
	p, _, err := dial(t, s, "http://localhost", "xmpp")
	if err != nil {
		t.Fatalf("dial: got error %v, want none", err)
	}
	p.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='@' to='" + today.DefaultDomain + "' version='1.0'/>")
	p.next()
	if got := p.next().Condition(); got != "improper-addressing" {
		t.Errorf("no address: got %q, want improper-addressing", got)
	}
}

// TestLoginInTwoSteps: without a bind, the features ask for one, and the stream has not been restarted.
func TestLoginInTwoSteps(t *testing.T) {
	s := start(t, world())
	c, _ := secured(t, s)
	n := authenticate(c, "ann", "")
	if got := n.At("authorization-identifier").Text; got != at("ann") {
		t.Errorf("got %q, want the bare JID", got)
	}
	if f := c.Next(); f.At("bind").XMLName.Local == "" {
		t.Errorf("got the features %v, want bind", f)
	}
	if c.Bind("desk"); c.JID != at("ann")+"/desk" {
		t.Errorf("got %q, want the resource desk", c.JID)
	}
}

// token asks for a token of a mechanism with the password, and returns it.
func token(t *testing.T, s *today.Service, mechanism string) string {
	t.Helper()
	c, _ := secured(t, s)
	n := authenticate(c, "ann", userAgent(agent)+"<request-token xmlns='urn:xmpp:fast:0' mechanism='"+mechanism+"'/>")
	if n.At("token").Get("token") == "" || n.At("token").Get("expiry") == "" {
		t.Fatalf("got %v, want a token that expires", n.XMLName)
	}
	canary.Note(n.At("token").Get("token"))
	return n.At("token").Get("token")
}

// byToken signs in with a token, and returns the answer and the proof of the service that it should have.
func byToken(t *testing.T, s *today.Service, mechanism, id, secret, inner string) (answer xmpptest.Node, proof string) {
	t.Helper()
	c, _ := secured(t, s)
	var data []byte
	if strings.HasSuffix(mechanism, "-EXPR") {
		data = binding(t, c, "tls-exporter").Data
	}
	sum := func(of string) string {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(of))
		h.Write(data)
		return string(h.Sum(nil))
	}
	c.Send("<authenticate xmlns='%s' mechanism='%s'><initial-response>%s</initial-response>%s%s</authenticate>",
		nsSASL2, mechanism, b64("ann\x00"+sum("Initiator")), userAgent(id), inner)
	return c.Next(), base64.StdEncoding.EncodeToString([]byte(sum("Responder")))
}

func TestTokens(t *testing.T) {
	const fast = "<fast xmlns='urn:xmpp:fast:0'/>"
	s := start(t, world())
	for _, mechanism := range []string{"HT-SHA-256-EXPR", "HT-SHA-256-NONE"} {
		other := map[string]string{"HT-SHA-256-EXPR": "HT-SHA-256-NONE", "HT-SHA-256-NONE": "HT-SHA-256-EXPR"}[mechanism]
		t.Run(mechanism, func(t *testing.T) {
			secret := token(t, s, mechanism)
			for _, tt := range []struct{ name, mechanism, agent, secret, inner, want string }{
				{"another client", mechanism, "x", secret, fast, "not-authorized"},
				{"another mechanism", other, agent, secret, fast, "not-authorized"},
				{"another token", mechanism, agent, secret + "x", fast, "not-authorized"},
				{"not said to be one", mechanism, agent, secret, "", "invalid-mechanism"},
				{"the token", mechanism, agent, secret, fast, ""},
				{"the token again, with a bind", mechanism, agent, secret, fast + bindAll, ""},
				{"for the last time", mechanism, agent, secret, "<fast xmlns='urn:xmpp:fast:0' invalidate='true'/>", ""},
				{"once more", mechanism, agent, secret, fast, "not-authorized"},
			} {
				n, proof := byToken(t, s, tt.mechanism, tt.agent, tt.secret, tt.inner)
				if got := n.Condition(); n.XMLName.Local == "failure" && got != tt.want || n.XMLName.Local != "failure" && tt.want != "" {
					t.Errorf("%s: got %s %q, want %q", tt.name, n.XMLName.Local, got, tt.want)
				} else if tt.want == "" && n.At("additional-data").Text != proof {
					t.Errorf("%s: the service did not prove that it knows the token, want it to", tt.name)
				}
			}
		})
	}
}

// TestTokenIsReplaced: one that was asked for and never used ends with the next one, and one that was used
// ends when its follower is.
func TestTokenIsReplaced(t *testing.T) {
	const mechanism, fast = "HT-SHA-256-NONE", "<fast xmlns='urn:xmpp:fast:0'/>"
	s := start(t, world())
	unused, first := token(t, s, mechanism), token(t, s, mechanism)
	if n, _ := byToken(t, s, mechanism, agent, unused, fast); n.Condition() != "not-authorized" {
		t.Errorf("a token that was never used: got %s, want not-authorized", n.XMLName.Local)
	}
	n, _ := byToken(t, s, mechanism, agent, first, fast+"<request-token xmlns='urn:xmpp:fast:0' mechanism='"+mechanism+"'/>")
	second := n.At("token").Get("token")
	canary.Note(second)
	for _, tt := range []struct{ name, secret, want string }{
		{"the first, while the second is unused", first, ""},
		{"the second", second, ""},
		{"the first, after it", first, "not-authorized"},
	} {
		if n, _ := byToken(t, s, mechanism, agent, tt.secret, fast); n.XMLName.Local == "failure" && n.Condition() != tt.want || n.XMLName.Local != "failure" && tt.want != "" {
			t.Errorf("%s: got %s %q, want %q", tt.name, n.XMLName.Local, n.Condition(), tt.want)
		}
	}
}

// TestBindTurnsOn what it asks for: copies come, presence is held, and what waited offline is in the archive. An
// earlier session of the client ends, by whatever name.
func TestBindTurnsOn(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben", "desk")
	ben.Send("%s", chat(at("ann"), "1", "offline"))
	ben.Sync()
	c, _ := secured(t, s)
	authenticate(c, "ann", userAgent(agent)+bindAll)
	c.Next()
	tab := signIn(t, s, "ann", "tab")
	tab.Send("<presence/>")
	if got := texts(tab.Sync()); got != "" {
		t.Errorf("got the message %q, want it in the archive alone", got)
	}
	c.Send("<presence/>")
	ben.Send("<presence><show>away</show></presence>")
	ben.Sync()
	tab.Send("%s", chat(at("ben"), "2", "copied"))
	n := c.Find("the copy", named("message"))
	if got := n.At("sent", "forwarded", "message", "body").Text; got != "copied" {
		t.Errorf("got %v, want the copy of what the other session has sent", n)
	}
	other, _ := secured(t, s)
	authenticate(other, "ann", userAgent(agent)+"<bind xmlns='urn:xmpp:bind:0'><tag>Other</tag></bind>")
	if condition, _ := c.Ended(); condition != "conflict" {
		t.Errorf("the earlier session: got %q, want conflict", condition)
	}
}

// TestBindInactive: the session begins in that state, so presence waits until a message comes.
func TestBindInactive(t *testing.T) {
	s := start(t, world())
	c, _ := secured(t, s)
	authenticate(c, "ann", "<bind xmlns='urn:xmpp:bind:0'><inactive xmlns='urn:xmpp:csi:0'/></bind>")
	c.Next()
	c.Send("<presence/>")
	c.Sync()
	ben := online(t, s, "ben", "desk")
	ben.Send("<presence><show>away</show></presence>")
	ben.Sync()
	ben.Send("%s", chat(at("ann"), "1", "hi"))
	c.Find("the message", named("message"))
	var shows []string
	for _, n := range xmpptest.Only(c.Sync(), "presence") {
		shows = append(shows, n.At("show").Text)
	}
	if len(shows) != 1 || shows[0] != "away" {
		t.Errorf("got the presence of Ben %d times, %q, want the last one alone", len(shows), shows)
	}
}
