package messenger_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/messenger"
)

// The tests of this file run on the clock of synctest, over pipes: a socket would stop
// that clock.

// piped signs in over a pipe.
func piped(t *testing.T, s *messenger.Service, token string) *client {
	t.Helper()
	return pipe(t, s).complete(token)
}

func pipe(t *testing.T, s *messenger.Service) *client {
	ours, theirs := net.Pipe()
	s.ServeConn(theirs)
	return newClient(t, s, ours)
}

// wait reads with the patience that a test of hours needs.
func (c *client) wait(patience time.Duration) (node, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	st, err := c.start0()
	if err != nil {
		return node{}, err
	}
	var n node
	return n, c.d.DecodeElement(&n, &st)
}

func TestM16IdleStreamsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen, o.IdleTimeout = "off", 90*time.Second
		s := start(t, o)
		c := piped(t, s, "ann")
		begin := time.Now()
		for range 4 { // stanzas keep it up
			time.Sleep(80 * time.Second)
			c.sync()
		}
		last := time.Now()
		for range 8 { // white space does not
			time.Sleep(10 * time.Second)
			c.send(" ")
		}
		n, err := c.wait(time.Hour)
		if err != nil || n.condition() != "connection-timeout" {
			t.Fatalf("got %v %v, want no error and %q", n, err, "connection-timeout")
		}
		if d := time.Since(last); d != 90*time.Second {
			t.Errorf("dropped after %v of silence, %v in all, want %v", d, time.Since(begin), 90*time.Second)
		}
		if _, err := c.wait(time.Minute); err != io.EOF {
			t.Errorf("no end tag: %v, want %v", err, io.EOF)
		}
		c.conn.Close()
	})
}

func TestM16NoTimeoutUnlessAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen = "off"
		s := start(t, o)
		c := piped(t, s, "ann")
		time.Sleep(48 * time.Hour)
		c.sync()
		c.conn.Close()
	})
}

func TestM17TokensExpire(t *testing.T) {
	for _, closes := range []bool{false, true} {
		t.Run(fmt.Sprintf("CloseOnExpiry=%v", closes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := world()
				o.Listen, o.CloseOnExpiry = "off", closes
				s := start(t, o)
				token, err := s.IssueToken("ann", 0)
				if err != nil {
					t.Fatalf("s.IssueToken: got error %v, want none", err)
				}
				c := piped(t, s, token)
				time.Sleep(time.Hour - time.Millisecond)
				c.sync()
				piped(t, s, token).conn.Close()
				time.Sleep(time.Millisecond) // 3600 s
				late := pipe(t, s)
				late.secure()
				if n := late.auth(token); n.condition() != "not-authorized" {
					t.Errorf("an expired token: %v, want %q", n, "not-authorized")
				}
				late.conn.Close()
				if !closes {
					c.sync() // it signed in when the token was valid
				} else if cond, clean := c.ended(); cond != "not-authorized" || !clean {
					t.Errorf("ended with %q, clean %v, want %q and clean true", cond, clean, "not-authorized")
				}
				c.conn.Close()
			})
		})
	}
}

func TestSignInHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen = "off"
		s := start(t, o)
		c := pipe(t, s)
		c.open()
		begin := time.Now()
		if _, err := c.wait(time.Hour); err == nil {
			t.Fatal("the connection is still open, want an error")
		}
		if d := time.Since(begin); d != 30*time.Second {
			t.Errorf("dropped after %v, want %v", d, 30*time.Second)
		}
	})
}

// A client that does not read is cut; those who write to it do not notice.
func TestSlowClientIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen, o.QueueBytes = "off", 10_000
		s := start(t, o)
		ben := piped(t, s, "ben")
		ben.send("<presence/>")
		synctest.Wait() // and ben never reads again
		ann := piped(t, s, "ann")
		ann.send("<presence/>")
		for range 20 {
			ann.send("<message type='chat' to='%s'><body>%s</body></message>", at("ben"), strings.Repeat("x", 1000))
			ann.sync()
		}
		if n := s.Stats().Slow; n != 1 {
			t.Errorf("%d clients cut, want 1", n)
		}
		synctest.Wait()
		if got := s.Resources("ben"); len(got) != 0 {
			t.Errorf("ben is still bound: %v, want 0", got)
		}
		ann.conn.Close()
	})
}

// A write that the client does not read ends the connection too.
func TestStalledWriteEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world()
		o.Listen = "off"
		s := start(t, o)
		ben := piped(t, s, "ben")
		ben.send("<presence/>")
		time.Sleep(11 * time.Second)
		if got := s.Resources("ben"); len(got) != 0 {
			t.Errorf("ben is still bound: %v, want 0", got)
		}
	})
}

func TestDemoBehaviour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := messenger.Demo()
		o.Listen = "off"
		s := start(t, o)
		alice := piped(t, s, "demo-alice")
		items := alice.roster()
		if len(items) != 4 {
			t.Errorf("%d contacts, want 4", len(items))
		}
		alice.send("<presence/>")
		got := alice.sync()
		if subs := only(got, "presence subscribe"); len(subs) != 2 || subs[0].at("nick").Text != "Mary from accounting" {
			t.Errorf("invitations %v, want 2 and %q", subs, "Mary from accounting")
		}
		for _, user := range []string{"bob", "echo", "wanda", "oscar"} {
			card := alice.iq("get", string(s.JID(user)), vcardGet).at("vCard")
			if card.at("FN").Text == "" || len(card.at("PHOTO", "BINVAL").Text) < 100 {
				t.Errorf("card of %s: %v, want some text and at least 100", user, card)
			}
		}
		if chat := alice.iq("get", "", retrieve(string(s.JID("bob")), 10)).at("chat"); len(chat.Kids) != 4 {
			t.Errorf("archive %v: got %v, want 4", chat, len(chat.Kids))
		}

		// Echo composes, then answers.
		alice.sync()
		echo := string(s.JID("echo"))
		alice.send("<message type='chat' to='%s'><body>hello</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>", echo)
		first, err := alice.wait(time.Second)
		if err != nil || first.at("composing").XMLName.Local == "" || first.at("body").Text != "" {
			t.Fatalf("got %v %v, want no error and some text and %q", first, err, "")
		}
		second, err := alice.wait(5 * time.Second)
		if err != nil || second.at("body").Text != "You said: hello" || second.get("id") == "" || !strings.HasPrefix(second.get("from"), echo+"/") {
			t.Fatalf("got %v %v, want no error and %q and some text and %q at its beginning", second, err, "You said: hello", echo+"/")
		}
		if chat := alice.iq("get", "", retrieve(echo, 2)).at("chat"); len(chat.Kids) != 2 || chat.Kids[1].at("body").Text != "You said: hello" {
			t.Errorf("archive of the talk: %v, want 2 and %q", chat, "You said: hello")
		}

		// Wanda changes by herself.
		var shown []string
		for len(shown) < 6 {
			n, err := alice.wait(time.Minute)
			if err != nil {
				t.Fatalf("alice.wait: got error %v, want none", err)
			}
			if strings.HasPrefix(n.get("from"), string(s.JID("wanda"))) {
				shown = append(shown, n.get("type")+n.at("show").Text)
			}
		}
		if want := []string{"away", "dnd", "xa", "unavailable", "chat", ""}; !slices.Equal(shown, want) {
			t.Errorf("wanda showed %q, want %q", shown, want)
		}

		// Dora is found by her account id and accepts at once.
		dora := alice.iq("get", "dora@contoso.com", "<getjid xmlns='jidlookup'/>").at("getjid", "jid").Text
		alice.iq("set", "", add(dora, "name='Dora'", ""))
		alice.send("<presence type='subscribe' to='%s'/>", dora)
		got = alice.sync()
		if p := only(got, "presence"); len(p) < 2 || p[0].get("type") != "subscribed" || p[1].at("status").Text != "The door is open" {
			t.Errorf("dora: %v, want at least 2 and %q and %q", got, "subscribed", "The door is open")
		}
		alice.conn.Close()
	})
}

// TestScissorsCut: an account that writes "cut" loses all of its connections, and no other
// account does.
func TestScissorsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := messenger.Demo()
		o.Listen = "off"
		s := start(t, o)
		alice, bob := piped(t, s, "demo-alice"), piped(t, s, "demo-bob")
		scissors := alice.iq("get", "scissors@contoso.com", "<getjid xmlns='jidlookup'/>").at("getjid", "jid").Text
		alice.send("<message type='chat' to='%s'><body>do not cut</body></message>", scissors)
		alice.sync()
		time.Sleep(time.Minute)
		if len(s.Resources("alice")) != 1 {
			t.Fatal("cut by a message that asked for nothing, want 1")
		}
		alice.send("<message type='chat' to='%s'><body>cut</body></message>", scissors)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(s.Resources("alice")) != 0 || len(s.Resources("bob")) != 1 {
			t.Errorf("after the cut: alice %v, bob %v, want 0 and 1", s.Resources("alice"), s.Resources("bob"))
		}
		alice.conn.Close()
		bob.conn.Close()
	})
}

func TestSetPresenceOfABot(t *testing.T) {
	s := start(t, messenger.Load(3, 2))
	a, b := online(t, s, "load-0"), online(t, s, "load-2")
	if len(a.roster()) != 2 {
		t.Errorf("roster %v, want 2", a.roster())
	}
	if err := s.SetPresence("bot-1", perch.OwnPresence{Available: true, Show: perch.ShowDND, Status: "<new>", Priority: 3}); err != nil {
		t.Fatalf("s.SetPresence: got error %v, want none", err)
	}
	for _, c := range []*client{a, b} {
		p := only(c.sync(), "presence")
		if len(p) != 1 || p[0].at("show").Text != "dnd" || p[0].at("status").Text != "<new>" || p[0].at("priority").Text != "3" {
			t.Errorf("got %v, want 1 and %q and %q and %q", p, "dnd", "<new>", "3")
		}
	}
	if err := s.SetPresence("bot-1", perch.OwnPresence{}); err != nil {
		t.Fatalf("s.SetPresence: got error %v, want none", err)
	}
	if p := only(a.sync(), "presence unavailable"); len(p) != 1 {
		t.Errorf("got %v, want 1", p)
	}
}
