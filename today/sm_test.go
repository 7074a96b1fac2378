package today_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

const nsSM = "urn:xmpp:sm:3"

func named(name string) func(xmpptest.Node) bool {
	return func(n xmpptest.Node) bool { return n.XMLName.Local == name }
}

// managed is online with stream management; it returns the id to resume by.
func managed(t *testing.T, s *today.Service, user, resource string) (c *xmpptest.Client, id string) {
	t.Helper()
	c = online(t, s, user, resource)
	return c, manage(c)
}

// manage turns stream management on, and returns the id to resume by.
func manage(c *xmpptest.Client) (id string) {
	c.T.Helper()
	c.Send("<enable xmlns='%s' resume='true'/>", nsSM)
	n := c.Find("the answer", func(n xmpptest.Node) bool { return n.XMLName.Space == nsSM })
	if n.XMLName.Local != "enabled" || n.Get("id") == "" || n.Get("max") == "" {
		c.T.Fatalf("enable: got %v, want enabled with an id and a time", n)
	}
	return n.Get("id")
}

// resume signs in again in the older way, and returns the answer to <resume/>.
func resume(t *testing.T, s *today.Service, user, id string, h int) (*xmpptest.Client, xmpptest.Node) {
	t.Helper()
	c := xmpptest.Dial(t, server(s))
	return c, resumeOver(c, user, id, h)
}

// resumeOver is resume on a connection of the test's own.
func resumeOver(c *xmpptest.Client, user, id string, h int) xmpptest.Node {
	c.T.Helper()
	c.Secure()
	c.Plain(user, canary.Mark+user)
	c.Open()
	c.Send("<resume xmlns='%s' previd='%s' h='%d'/>", nsSM, id, h)
	return c.Next()
}

// pipedOnline is online over a pipe.
func pipedOnline(t *testing.T, s *today.Service, user, resource string) *xmpptest.Client {
	t.Helper()
	c := piped(t, s).SignIn(user, canary.Mark+user, resource)
	c.IQ("get", "", "<query xmlns='jabber:iq:roster'/>")
	c.Send("<presence/>")
	c.Sync()
	return c
}

// soon is a service on the clock of synctest whose sessions can be resumed for a short while.
func soon(t *testing.T, change func(*today.Options), f func(*testing.T, *today.Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen, o.ListenHTTP, o.ResumeTimeout = today.Off, today.Off, 5*time.Second
		change(&o)
		f(t, start(t, o))
	})
}

func asItIs(*today.Options) {}

// lose drops a connection, and waits until the service has seen that.
func lose(c *xmpptest.Client) {
	c.Conn.Close()
	synctest.Wait()
}

func chat(to, id, body string) string {
	return fmt.Sprintf("<message type='chat' to='%s' id='%s'><body>%s</body></message>", to, id, body)
}

func texts(list []xmpptest.Node) string {
	var all []string
	for _, n := range xmpptest.Only(list, "message") {
		all = append(all, n.At("body").Text)
	}
	return strings.Join(all, " ")
}

// TestResume: what came while the connection was lost, and what was not acknowledged, comes on the next one; the
// contact has seen nothing.
func TestResume(t *testing.T) {
	s := start(t, world())
	ann, id := managed(t, s, "ann", "phone")
	ben := online(t, s, "ben", "desk")
	ann.Send("%s<r xmlns='%s'/>", chat(at("ben"), "1", "hello"), nsSM)
	if n := ann.Find("the count", named("a")); n.Get("h") != "1" {
		t.Errorf("got the count %s, want 1", n.Get("h"))
	}
	ben.Find("hello", named("message"))
	ben.Sync()
	ben.Send("%s", chat(at("ann"), "2", "before"))
	ann.Find("the message", named("message"))
	ann.Conn.Close()
	ben.Send("%s", chat(at("ann")+"/phone", "3", "after"))
	seen := ben.Sync()
	if got := xmpptest.Only(seen, "presence unavailable"); len(got) != 0 {
		t.Errorf("ben sees %v, want nothing", got)
	}
	// Ann has had the presence of ben, and not acknowledged the message.
	next, n := resume(t, s, "ann", id, 1)
	if n.XMLName.Local != "resumed" || n.Get("previd") != id || n.Get("h") != "1" {
		t.Fatalf("got %v, want it resumed with h=1", n)
	}
	if got := texts(next.Sync()); got != "before after" {
		t.Errorf("got the messages %q, want before and after", got)
	}
	next.Send("%s", chat(at("ben"), "4", "back"))
	if n := ben.Find("the message", named("message")); n.Get("from") != at("ann")+"/phone" {
		t.Errorf("from: got %s, want the resumed resource", n.Get("from"))
	}
}

// TestResumeWithTheLogin: in one step, over the head of a connection that still hangs.
func TestResumeWithTheLogin(t *testing.T) {
	s := start(t, world())
	ann, id := managed(t, s, "ann", "phone")
	ben := online(t, s, "ben", "desk")
	ben.Send("%s", chat(at("ann"), "1", "unread"))
	ben.Sync()
	c, _ := secured(t, s)
	n := authenticate(c, "ann", userAgent(agent)+"<resume xmlns='"+nsSM+"' previd='"+id+"' h='1'/>"+bindAll)
	if n.At("resumed").Get("previd") != id || n.At("bound").XMLName.Local != "" || n.At("authorization-identifier").Text != at("ann")+"/phone" {
		t.Fatalf("got %v, want the session resumed and nothing bound", n)
	}
	if f := c.Next(); f.XMLName.Local != "features" {
		t.Errorf("got %v, want the features", f)
	}
	if got := texts(c.Sync()); got != "unread" {
		t.Errorf("got the messages %q, want unread", got)
	}
	if condition, _ := ann.Ended(); condition != "conflict" {
		t.Errorf("the old connection: got %q, want conflict", condition)
	}
	c, _ = secured(t, s)
	n = authenticate(c, "ann", userAgent(agent)+"<resume xmlns='"+nsSM+"' previd='x' h='1'/>"+bindAll)
	if n.At("failed", "item-not-found").XMLName.Local == "" || n.At("bound", "enabled").Get("id") == "" {
		t.Errorf("got %v, want the refusal, and another session", n)
	}
}

// TestResumeIsRefused: the session belongs to its account, and its count is told once more after its end.
func TestResumeIsRefused(t *testing.T) {
	soon(t, asItIs, func(t *testing.T, s *today.Service) {
		ben := pipedOnline(t, s, "ben", "desk")
		ann := pipedOnline(t, s, "ann", "phone")
		id := manage(ann)
		if n := resumeOver(piped(t, s), "ben", id, 0); n.XMLName.Local != "failed" || n.Get("h") != "" {
			t.Errorf("by another account: got %v, want failed and nothing told", n)
		}
		if n := resumeOver(piped(t, s), "ann", id, 1000); n.Kids[0].XMLName.Local != "bad-request" {
			t.Errorf("with a count of more than was sent: got %v, want bad-request", n)
		}
		ann.Send("%s", chat(at("ben"), "1", "hello"))
		ann.Sync()
		lose(ann)
		ben.Find("the end of ann's presence", func(n xmpptest.Node) bool { return n.Get("type") == "unavailable" })
		if n := resumeOver(piped(t, s), "ann", id, 0); n.XMLName.Local != "failed" || n.Get("h") != "2" {
			t.Errorf("after the end: got %v, want failed with h=2, the message and a ping", n)
		}
	})
}

// TestWhatIsNotAcknowledged goes on when the session is over: messages to another device or the store, requests
// back to who sent them.
func TestWhatIsNotAcknowledged(t *testing.T) {
	soon(t, asItIs, func(t *testing.T, s *today.Service) {
		ben := pipedOnline(t, s, "ben", "desk")
		ann := pipedOnline(t, s, "ann", "phone")
		manage(ann)
		ann.Sync()
		lose(ann)
		ben.Send("%s", chat(at("ann")+"/phone", "1", "kept"))
		ben.Send("<message type='chat' to='%s'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", at("ann"))
		ben.Send("<iq type='get' id='v' to='%s/phone'><query xmlns='jabber:iq:version'/></iq>", at("ann"))
		if n := ben.Find("the answer", named("iq")); n.Condition() != "service-unavailable" {
			t.Errorf("the request: got %v, want service-unavailable", n)
		}
		back := piped(t, s).SignIn("ann", canary.Mark+"ann", "desk")
		back.Send("<presence/>")
		list := xmpptest.Only(back.Sync(), "message")
		if texts(list) != "kept" || len(list) != 1 || list[0].At("delay").Get("stamp") == "" {
			t.Errorf("got %v, want the message with the time that it was sent", list)
		}
	})
}

// TestWhatIsNotAcknowledgedGoesOn to a device that has had neither the message nor a copy.
func TestWhatIsNotAcknowledgedGoesOn(t *testing.T) {
	soon(t, asItIs, func(t *testing.T, s *today.Service) {
		ben := pipedOnline(t, s, "ben", "desk")
		plain, copied := pipedOnline(t, s, "ann", "plain"), pipedOnline(t, s, "ann", "copied")
		copied.IQ("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>")
		ann := pipedOnline(t, s, "ann", "phone")
		manage(ann)
		ann.Sync()
		lose(ann)
		ben.Send("%s", chat(at("ann")+"/phone", "1", "for the phone"))
		ben.Send("%s", chat(at("ann"), "2", "for all"))
		ben.Find("the end of ann's presence", func(n xmpptest.Node) bool {
			return n.Get("type") == "unavailable" && n.Get("from") == at("ann")+"/phone"
		})
		if got := texts(plain.Sync()); got != "for all for the phone" {
			t.Errorf("plain: got %q, want each message once", got)
		}
		if got := len(xmpptest.Only(copied.Sync(), "message")); got != 2 {
			t.Errorf("with copies: got %d messages, want each once", got)
		}
	})
}

// TestCleanEndIsNoLoss: a client that closes its stream is gone at once (XEP-0198, 6).
func TestCleanEndIsNoLoss(t *testing.T) {
	s := start(t, world())
	ben := online(t, s, "ben", "desk")
	ann, id := managed(t, s, "ann", "phone")
	ann.Send("</stream:stream>")
	ben.Find("the end of ann's presence", func(n xmpptest.Node) bool { return n.Get("type") == "unavailable" })
	if _, n := resume(t, s, "ann", id, 0); n.XMLName.Local != "failed" {
		t.Errorf("got %v, want failed", n)
	}
}

func TestMisuseOfStreamManagement(t *testing.T) {
	s := start(t, world())
	for name, tt := range map[string]struct{ send, answer, condition string }{
		"on twice":              {"<enable xmlns='" + nsSM + "'/>", "unexpected-request", ""},
		"resumed after a bind":  {"<resume xmlns='" + nsSM + "' previd='x' h='0'/>", "unexpected-request", ""},
		"more than was sent":    {"<a xmlns='" + nsSM + "' h='77'/>", "", "undefined-condition"},
		"no count":              {"<a xmlns='" + nsSM + "' h='-1'/>", "", "bad-format"},
		"something else of it":  {"<x xmlns='" + nsSM + "'/>", "", "unsupported-stanza-type"},
		"something else of CSI": {"<x xmlns='urn:xmpp:csi:0'/>", "", "unsupported-stanza-type"},
	} {
		t.Run(name, func(t *testing.T) {
			ann, _ := managed(t, s, "ann", "phone")
			ann.Send("%s", tt.send)
			if tt.condition != "" {
				if condition, clean := ann.Ended(); condition != tt.condition || !clean {
					t.Errorf("got %q and an end tag %v, want %q and one", condition, clean, tt.condition)
				}
				return
			}
			if n := ann.Find("the refusal", named("failed")); n.Kids[0].XMLName.Local != tt.answer {
				t.Errorf("got %v, want %s", n, tt.answer)
			}
		})
	}
}

// TestTooMuchWaits: a session that acknowledges nothing ends, and what it had not had is not lost.
func TestTooMuchWaits(t *testing.T) {
	o := world()
	o.QueueBytes = 64 << 10
	s := start(t, o)
	ben := online(t, s, "ben", "desk")
	ann, _ := managed(t, s, "ann", "phone")
	ann.Sync()
	ann.Conn.Close()
	body := strings.Repeat("x", 10<<10)
	for range 6 {
		ben.Send("%s", chat(at("ann"), "1", body))
	}
	ben.Find("the end of ann's presence", func(n xmpptest.Node) bool { return n.Get("type") == "unavailable" })
	ben.Sync() // the last of them has arrived
	back := signIn(t, s, "ann", "laptop")
	back.Send("<presence/>")
	if got := len(xmpptest.Only(back.Sync(), "message")); got != 6 {
		t.Errorf("got %d messages, want all 6", got)
	}
}

// TestLostSessionsGiveWay: who loses connection after connection is not locked out by the sessions that wait
// to be resumed; the one that has waited for the longest ends, which is not the one that was bound first.
func TestLostSessionsGiveWay(t *testing.T) {
	soon(t, func(o *today.Options) { o.MaxResources = 2 }, func(t *testing.T, s *today.Service) {
		first, second := pipedOnline(t, s, "ann", "1"), pipedOnline(t, s, "ann", "2")
		firstID, secondID := manage(first), manage(second)
		lose(second)
		time.Sleep(time.Second)
		lose(first)
		third := pipedOnline(t, s, "ann", "3")
		manage(third)
		if n := resumeOver(piped(t, s), "ann", secondID, 0); n.XMLName.Local != "failed" {
			t.Errorf("the one that was lost first: got %v, want failed", n)
		}
		if n := resumeOver(piped(t, s), "ann", firstID, 0); n.XMLName.Local != "resumed" {
			t.Errorf("the other one: got %v, want it resumed", n)
		}
		c := piped(t, s)
		c.Secure()
		c.Plain("ann", canary.Mark+"ann")
		c.Open()
		if got := c.Bind("4").Condition(); got != "resource-constraint" {
			t.Errorf("when all are connected: got %q, want resource-constraint", got)
		}
	})
}
