package today_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
)

// TestSameClientHasRoom: a client that binds again takes the place of its earlier session (XEP-0386, 4).
func TestSameClientHasRoom(t *testing.T) {
	o := world()
	o.MaxResources = 1
	s := start(t, o)
	for _, tag := range []string{"A", "B", "A"} { // by whatever name
		c, _ := secured(t, s)
		if n := authenticate(c, "ann", userAgent(agent)+"<bind xmlns='urn:xmpp:bind:0'><tag>"+tag+"</tag></bind>"); n.XMLName.Local != "success" {
			t.Errorf("the same client: got %v, want the place of its earlier session", n)
		}
	}
	c, _ := secured(t, s)
	if n := authenticate(c, "ann", userAgent("x")+bindAll); n.Condition() != "temporary-auth-failure" {
		t.Errorf("another client: got %v, want temporary-auth-failure", n)
	}
}

// TestResourceIsPrepared as RFC 7622 says (3.4), and one that cannot be is refused (RFC 6120, 7.7.2.1).
func TestResourceIsPrepared(t *testing.T) {
	s := start(t, world())
	c, _ := secured(t, s)
	c.Plain("ann", canary.Mark+"ann")
	c.Open()
	for _, bad := range []string{strings.Repeat("x", 1024), "a\u0085b", "a\u2028b"} {
		if got := c.Bind(bad).Condition(); got != "bad-request" {
			t.Errorf("%q: got %q, want bad-request", bad, got)
		}
	}
	if c.Bind("my\u3000desk"); c.JID != at("ann")+"/my desk" {
		t.Errorf("got %q, want %s", c.JID, at("ann")+"/my desk")
	}
	ben := online(t, s, "ben", "desk")
	ben.Send("%s", chat(at("ann")+"/my desk", "1", "hello"))
	c.Find("the message", named("message"))
	c, _ = secured(t, s)
	n := authenticate(c, "ann", "<bind xmlns='urn:xmpp:bind:0'><tag>a&#x85;b</tag></bind>")
	if jid := n.At("authorization-identifier").Text; !strings.HasPrefix(jid, at("ann")+"/") || strings.Contains(jid, "b/") {
		t.Errorf("with a tag that cannot be: got %v, want a resource without it", n)
	}
}

// TestBindKeepsWhatNoArchiveHas: what waits offline comes, when the account wants no archive.
func TestBindKeepsWhatNoArchiveHas(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann", "desk")
	ann.IQ("set", "", "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>"+at("cat")+"</jid></always><never/></prefs>")
	ann.Conn.Close()
	ben, cat := online(t, s, "ben", "desk"), online(t, s, "cat", "desk")
	cat.Send("%s", chat(at("ann"), "1", "archived"))
	cat.Sync()
	ben.Send("%s", chat(at("ann"), "2", "offline"))
	ben.Sync()
	c, _ := secured(t, s)
	authenticate(c, "ann", userAgent(agent)+bindAll)
	c.Next()
	c.Send("<presence/>")
	if got := texts(xmpptest.Only(c.Sync(), "message")); got != "offline" {
		t.Errorf("got the messages %q, want the one that no archive has", got)
	}
}
