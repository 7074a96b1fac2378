package xmppconn

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// The tests of this file use limits up to their edge, and once more. The numbers are those of
// docs/operations.md, or of the comment at the limit, never the constants of the code.

// TestArchivePageEdge: of one query 500 results are taken, whatever was asked and sent.
func TestArchivePageEdge(t *testing.T) {
	for _, tt := range []struct{ limit, sent, want int }{{600, 501, 500}, {0, 501, 500}, {500, 500, 500}, {10, 12, 10}} {
		bubble(t, fmt.Sprintf("%d of %d", tt.limit, tt.sent), func(t *testing.T) {
			_, c, _, p := online(t, messengerUp())
			c.login.Capabilities.Archive = "313"
			answer(p, func(iq *xmlstream.Element) string {
				var b strings.Builder
				for i := range tt.sent {
					fmt.Fprintf(&b, "<message><result xmlns='%s' queryid='%s' id='%d'><forwarded xmlns='%s'><message xmlns='jabber:client' from='bob@a.test/x' to='me@a.test'><body>b</body></message></forwarded></result></message>",
						nsMAM, iq.Children()[0].Attr("queryid"), i, nsForward)
				}
				return b.String() + resultOf(iq, "<fin xmlns='"+nsMAM+"'><set xmlns='"+nsRSM+"'><last>9</last></set></fin>")
			})
			page, err := c.Archive(context.Background(), perch.ArchiveQuery{With: "bob@a.test", Limit: tt.limit})
			if err != nil || len(page.Items) != tt.want {
				t.Errorf("%d items, %v; want %d", len(page.Items), err, tt.want)
			}
		})
	}
}

// TestEarlyEdge: 256 stanzas, or 1 MiB of them, are kept between bind and the end of a login.
func TestEarlyEdge(t *testing.T) {
	for _, tt := range []struct{ n, size int }{{256, 100}, {16, 1 << 16}} {
		l := &login{c: &Conn{}}
		f := &xmlstream.Frame{Kind: xmlstream.KindElement, Raw: make([]byte, tt.size)}
		for i := range tt.n {
			if err := l.holdEarly(f); err != nil {
				t.Fatalf("stanza %d of %d bytes: %v, want it kept", i+1, tt.size, err)
			}
		}
		if f.Raw = f.Raw[:1]; perch.KindOf(l.holdEarly(f)) != perch.KindLinkLost {
			t.Errorf("one more after %d of %d bytes is kept, want the end of the login", tt.n, tt.size)
		}
	}
}

// TestCloseEdge: a server that reads nothing has 2 seconds for the end of a stream.
func TestCloseEdge(t *testing.T) {
	bubble(t, "before Start", func(t *testing.T) {
		w := newFakeNetwork(t, messengerUp())
		hold := make(chan struct{})
		defer close(hold)
		w.serve("xmpp.a.test:5222", func(p *fakeServer) { p.login(); <-hold })
		c := w.dial()
		began := time.Now()
		_ = c.Close(context.Background())
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("closing took %v, want 2 s", took)
		}
	})
}

// TestRosterTimeEdges: a roster has 8 seconds, and four times as long while parts of it come.
func TestRosterTimeEdges(t *testing.T) {
	for name, tt := range map[string]struct {
		parts int
		want  time.Duration
	}{"no answer": {0, 8 * time.Second}, "an answer without end": {100, 32 * time.Second}} {
		bubble(t, name, func(t *testing.T) {
			_, c, _, p := online(t, messengerUp())
			done := p.script(func(p *fakeServer) {
				iq := p.expect(nsClient, "iq")
				if tt.parts > 0 {
					p.send("<iq type='result' id='" + iq.Attr("id") + "'><query xmlns='" + nsRoster + "'>" + streamtest.RosterItems(8000))
				}
				for range tt.parts {
					time.Sleep(7 * time.Second)
					p.send("<item jid='slow@a.test'/>")
				}
				p.drain()
			})
			began := time.Now()
			_, err := c.Roster(context.Background(), "")
			if took := time.Since(began); perch.KindOf(err) != perch.KindUpstreamTimeout || took != tt.want {
				t.Errorf("after %v: %v; want %s after %v", took, err, perch.KindUpstreamTimeout, tt.want)
			}
			c.Abort()
			_ = p.conn.Close()
			<-done
		})
	}
}

// TestAddressEdge: six addresses of one host are tried, of each family three.
func TestAddressEdge(t *testing.T) {
	var r fixedResolver
	for i := range byte(10) {
		r = append(r, netip.AddrFrom4([4]byte{192, 0, 2, i + 1}), netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", i+1)))
	}
	d, err := NewDialer(Upstream{Domain: "a.test", Resolver: r}, Options{Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	if got, err := d.addresses(context.Background(), "a.test"); len(got) != 6 || err != nil {
		t.Errorf("%d addresses are tried, %v; want 6", len(got), err)
	}
}

// patient is a mechanism that has an answer to everything.
type patient struct{}

func (patient) Start() (string, error)      { return "", nil }
func (patient) Next(string) (string, error) { return "", nil }
func (patient) Finish(string) error         { return nil }

// TestSASLStepsEdge: after eight answers of the server authentication ends, decided or not.
func TestSASLStepsEdge(t *testing.T) {
	const challenge = "<challenge xmlns='" + nsSASL + "'/>"
	for challenges, want := range map[int]bool{7: true, 8: false} {
		bubble(t, fmt.Sprint(challenges), func(t *testing.T) {
			w := newFakeNetwork(t, messengerUp())
			w.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.frame()
				p.send(streamtest.Header)
				p.expect(nsSASL, "auth")
				for range challenges {
					p.send(challenge)
					p.expect(nsSASL, "response")
				}
				p.send(saslSuccess)
				p.drain()
			})
			raw, err := w.d.connect(context.Background(), target{host: "xmpp.a.test", port: 5222})
			if err != nil {
				t.Fatalf("w.d.connect(): got error %v, want none", err)
			}
			defer raw.Close()
			l := newLogin(context.Background(), w.d, tokenAccount, target{}, raw)
			if err := l.write(streamtest.Header); err != nil {
				t.Fatalf("l.write(): got error %v, want none", err)
			}
			if f, err := l.c.fr.Next(); err != nil || f.Kind != xmlstream.KindHeader {
				t.Fatalf("frame %d, %v; want no error, Kind %v", f.Kind, err, xmlstream.KindHeader)
			}
			if err := l.exchange().RFC6120("TEST", patient{}); (err == nil) != want {
				t.Errorf("%d challenges, then success: got %v, want it taken: %v", challenges, err, want)
			}
		})
	}
}

// TestStreamManagementEdges: the server is asked after five stanzas at once, and four queues of
// bytes may wait for its acknowledgement.
func TestStreamManagementEdges(t *testing.T) {
	smBubble(t, "asked after five, not before", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		began := time.Now()
		say(t, c, "1", "2", "3", "4")
		for range 4 {
			p.expect(nsClient, "message")
		}
		synctest.Wait()
		say(t, c, "5")
		p.expect(nsClient, "message")
		if p.expect(nsSM, "r"); time.Since(began) != 0 {
			t.Errorf("asked after %v, want at once", time.Since(began))
		}
	})
	smBubble(t, "an occasion to write the state down after 64 stanzas", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		c.StreamState() // from now on h waits for a state that is committed
		for _, tt := range []struct{ more, want int }{{63, 0}, {1, 1}} {
			p.send(strings.Repeat("<message from='bob@a.test/x'/>", tt.more))
			if p.ask(); len(b.take()) != tt.want {
				t.Errorf("after %d more stanzas without a trace: want %d occasions", tt.more, tt.want)
			}
		}
	})
	smBubble(t, "four queues wait", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		done := p.script((*fakeServer).drain)
		defer func() { c.Abort(); _ = p.conn.Close(); <-done }()
		const queue, body = 1 << 20, 100 << 10
		kept := 0
		var err error
		for i := 0; err == nil && kept < 6*queue; i++ {
			_, err = c.Send(&perch.MessageOut{ID: fmt.Sprint(i), To: "bob@a.test", Kind: perch.ChatMessage, Body: strings.Repeat("x", body)})
			if synctest.Wait(); err == nil {
				kept += body
			}
		}
		if perch.KindOf(err) != perch.KindTryLater || kept < 4*queue-2*body || kept > 4*queue+body {
			t.Errorf("%d bytes wait for the server, then %v; want 4 MiB and %s", kept, err, perch.KindTryLater)
		}
	})
}

// TestUpstreamTimesEdge: the times of an upstream that were left out.
func TestUpstreamTimesEdge(t *testing.T) {
	u := Upstream{Domain: "a.test"}.withDefaults()
	for name, tt := range map[string][2]time.Duration{
		"dial": {u.DialTimeout, 5 * time.Second}, "step": {u.StepTimeout, 10 * time.Second}, "sign-in": {u.SignInTimeout, 30 * time.Second},
		"request": {u.RequestTimeout, 20 * time.Second}, "write": {u.WriteTimeout, 20 * time.Second}, "keep-alive": {u.KeepAlive, 55 * time.Second},
		"ping": {u.PingTimeout, 20 * time.Second}, "acknowledgement": {u.AckDelay, 3 * time.Second},
	} {
		if tt[0] != tt[1] {
			t.Errorf("%s: %v, want %v", name, tt[0], tt[1])
		}
	}
	if u.MaxQueue != 1_048_576 {
		t.Errorf("%d bytes may wait to be written, want 1 MiB", u.MaxQueue)
	}
}
