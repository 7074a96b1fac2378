package xmppconn

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	offerSM = "<sm xmlns='" + nsSM + "'/><csi xmlns='" + nsCSI + "'/>"
	smSelf  = "me@a.test/r"
)

// smServer signs in on streams with stream management. Of each connection, the test gets the
// server as soon as it is up.
type smServer struct {
	*fakeNetwork
	connected chan *fakeServer
	answer    func(p *fakeServer, resume *xmlstream.Element) bool // to <resume/>; false: continue with bind
}

func newSMServer(t *testing.T) *smServer {
	up := messengerUp()
	up.Profile = ProfileStandard
	s := &smServer{fakeNetwork: newFakeNetwork(t, up), connected: make(chan *fakeServer, 8)}
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	s.serve("xmpp.a.test:5222", func(p *fakeServer) {
		s.login(p)
		s.connected <- p
		<-hold
	})
	return s
}

func (s *smServer) login(p *fakeServer) {
	p.startTLS()
	p.open(offerSASL("OAUTHBEARER"))
	p.expect(nsSASL, "auth")
	p.send(saslSuccess)
	p.open(offerBind + offerSM)
	first := p.next()
	if first.Is(nsSM, "resume") {
		if s.answer(p, first) {
			return
		}
		first = p.next()
	}
	p.result(first, "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
	p.result(p.expect(nsClient, "iq"), "<query xmlns='"+nsDiscoInfo+"'/>")
	carbons := p.expect(nsClient, "iq")
	if carbons.Child(nsCarbons, "enable") == nil {
		s.t.Errorf("no carbons: got %+v, want enable", carbons)
	}
	if el := p.expect(nsSM, "enable"); el.Attr("resume") != "true" {
		s.t.Error("no resumption is asked for, want resume true")
	}
	p.send("<iq type='error' id='" + carbons.Attr("id") + "'><error type='cancel'/></iq>" + // before <enabled/>: not counted
		"<enabled xmlns='" + nsSM + "' id='sm-1' resume='true' max='300'/>")
}

// connect dials, starts, and returns both ends.
func (s *smServer) connect(resume []byte) (*Conn, *recorder, *fakeServer) {
	s.t.Helper()
	acc := tokenAccount
	acc.JID = "me@a.test"
	c, err := s.d.Dial(context.Background(), acc, resume)
	if err != nil {
		s.t.Fatalf("s.d.Dial(): got error %v, want none", err)
	}
	s.t.Cleanup(func() {
		c.Abort()
		_ = c.join(context.Background())
	})
	b := &recorder{}
	c.Start(b.sink, func() {})
	p := <-s.connected
	synctest.Wait()
	return c, b, p
}

// ask sends <r/> and returns the answer.
func (p *fakeServer) ask() string {
	p.send("<r xmlns='" + nsSM + "'/>")
	return p.expect(nsSM, "a").Attr("h")
}

func (p *fakeServer) wantH(t *testing.T, want string) {
	t.Helper()
	if h := p.ask(); h != want {
		t.Errorf("h is %s, want %s", h, want)
	}
}

func chat(id, body string) string {
	return "<message from='bob@a.test/x' type='chat' id='" + id + "'><body>" + body + "</body></message>"
}

func say(t *testing.T, c *Conn, ids ...string) (last uint64) {
	t.Helper()
	for _, id := range ids {
		n, err := c.Send(&perch.MessageOut{ID: id, To: "bob@a.test", Kind: perch.ChatMessage, Body: "text of " + id})
		if err != nil {
			t.Fatalf("c.Send(): got error %v, want none", err)
		}
		last = n
	}
	return last
}

func smBubble(t *testing.T, name string, f func(t *testing.T, s *smServer)) {
	bubble(t, name, func(t *testing.T) { f(t, newSMServer(t)) })
}

func stateOf(t *testing.T, blob []byte) streamState {
	t.Helper()
	var st streamState
	if err := json.Unmarshal(blob, &st); err != nil {
		t.Fatalf("state %q: got %v, want no error", blob, err)
	}
	return st
}

func TestStreamInbound(t *testing.T) {
	smBubble(t, "h is what is handled, and self-made answers count in order", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		if l := c.Login(); l.Resumed || !l.Capabilities.StreamResume || !l.Capabilities.ClientState {
			t.Errorf("Login() = %+v, want a new stream that can be resumed, with client states", l)
		}
		p.wantH(t, "0")
		p.send("<iq type='get' id='1' from='a.test'><ping xmlns='" + nsPing + "'/></iq>")
		p.expect(nsClient, "iq")
		p.wantH(t, "1")
		p.send(chat("m1", "one"))
		if in := b.take(); len(in) != 1 {
			t.Fatalf("delivered %v, want one delivery", in)
		}
		p.wantH(t, "1") // delivered, and not yet handled
		p.send("<iq type='get' id='2' from='a.test'><ping xmlns='" + nsPing + "'/></iq>")
		p.expect(nsClient, "iq")
		p.wantH(t, "1") // the ping came after it
		c.Handled(1)
		if h := p.expect(nsSM, "a").Attr("h"); h != "3" {
			t.Errorf("after a late answer, h is %s; want h 3", h)
		}
		p.wantH(t, "3")
	})
	smBubble(t, "what yields several things is handled with the last", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		p.send("<message from='bob@a.test/x' type='chat' id='1'><body>x</body><active xmlns='" + nsChatStates + "'/></message>")
		synctest.Wait()
		c.Handled(1)
		p.wantH(t, "0")
		c.Handled(2)
		p.expect(nsSM, "a")
		p.wantH(t, "1")
	})
	smBubble(t, "skipped, forged and empty stanzas count", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		p.send("<message from='bob@a.test/x'><body>" + strings.Repeat("x", xmlstream.DefaultLimits().Stanza+1) + "</body></message>")
		p.send("<message from='bob@a.test/x'/><iq type='set' id='9' from='eve@a.test'><query xmlns='" + nsRoster + "'><item jid='x@a.test'/></query></iq>" +
			"<iq type='result' id='nobody-asked'/><presence from='bob@a.test/x'/>")
		n := len(b.take())
		c.Handled(uint64(n))
		p.wantH(t, "5")
		p.send("<features xmlns='" + nsStream + "'/><x xmlns='urn:x'/>")
		p.wantH(t, "5") // no stanzas
	})
	smBubble(t, "elements of stream management inside of a message do nothing", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		say(t, c, "a")
		p.expect(nsClient, "message")
		p.send("<message from='eve@a.test/x'><body>x</body><a xmlns='" + nsSM + "' h='1'/><r xmlns='" + nsSM + "'/><resumed xmlns='" + nsSM + "' h='9'/></message>")
		for _, in := range b.take() {
			if _, ok := in.(*perch.AckIn); ok {
				t.Error("acknowledged by a buddy, want none")
			}
		}
		c.mu.Lock()
		if c.sm.acked != 0 || c.out != nil {
			t.Errorf("got %+v, want acked 0, no out", c.sm)
		}
		c.mu.Unlock()
	})
	smBubble(t, "states that are given out hold h back", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		if st := stateOf(t, c.StreamState()); st.In != 0 || st.ID != "sm-1" || st.JID != smSelf || st.Max != 300 {
			t.Errorf("got %+v, want In 0, ID sm-1, JID %v, Max 300", st, smSelf)
		}
		p.send(chat("1", "x") + chat("2", "y"))
		synctest.Wait()
		c.Handled(1)
		p.wantH(t, "0") // no state says so
		if st := stateOf(t, c.StreamStateAt(2)); st.In != 2 {
			t.Errorf("got %+v, want In 2", st)
		}
		p.wantH(t, "0") // it is not committed yet
		c.Handled(2)
		p.expect(nsSM, "a")
		p.wantH(t, "2")
	})
}

func TestStreamOutbound(t *testing.T) {
	smBubble(t, "asked after five, or after a while", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		last := say(t, c, "1", "2", "3", "4", "5")
		for range 5 {
			p.expect(nsClient, "message")
		}
		p.expect(nsSM, "r")
		p.send("<a xmlns='" + nsSM + "' h='5'/>")
		if in := b.take(); len(in) != 1 || in[0].(*perch.AckIn).Through != last {
			t.Errorf("got %v, want one delivery, Through %v", in, last)
		}
		say(t, c, "6")
		p.expect(nsClient, "message")
		began := time.Now()
		p.expect(nsSM, "r")
		if took := time.Since(began); took == 0 || took > 5*time.Second {
			t.Errorf("asked after %v, want some took, at most 5 s", took)
		}
		p.send("<a xmlns='" + nsSM + "' h='6'/>")
		if in := b.take(); len(in) != 1 || in[0].(*perch.AckIn).Through != last+1 {
			t.Errorf("got %v, want one delivery, Through %v", in, last+1)
		}
		c.Handled(2)
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.sm.queue) != 0 || c.sm.bytes != 0 {
			t.Errorf("still queued: got %+v, want an empty queue, bytes 0", c.sm.queue)
		}
	})
	smBubble(t, "a state has no acknowledgement that is not handled", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		say(t, c, "1")
		p.expect(nsClient, "message")
		p.send("<a xmlns='" + nsSM + "' h='1'/>")
		if in := b.take(); len(in) != 1 {
			t.Fatalf("got %v, want one delivery", in)
		}
		if st := stateOf(t, c.StreamStateAt(0)); st.Acked != 0 || len(st.Unacked) != 1 || st.Unacked[0].ID != "1" {
			t.Errorf("before it is handled: got %+v, want Acked 0, 1 unacknowledged, ID 1", st)
		}
		if st := stateOf(t, c.StreamStateAt(1)); st.Acked != 1 || len(st.Unacked) != 0 {
			t.Errorf("with it: got %+v, want Acked 1, 0 unacknowledged", st)
		}
	})
}

func TestStreamKeepAlive(t *testing.T) {
	smBubble(t, "a silent server is asked in place of a ping, and lost", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		p.expect(nsSM, "r")
		p.send("<a xmlns='" + nsSM + "' h='0'/>")
		p.expect(nsSM, "r")
		<-c.Done()
		if perch.KindOf(c.Err()) != perch.KindLinkLost || c.StreamState() == nil {
			t.Errorf("got %v, want %s, a stream state", c.Err(), perch.KindLinkLost)
		}
	})
	smBubble(t, "the client state is no stanza", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		if _, err := c.Send(&perch.ClientStateOut{}); err != nil {
			t.Fatalf("c.Send(): got error %v, want none", err)
		}
		p.expect(nsCSI, "inactive")
		if st := stateOf(t, c.StreamState()); len(st.Unacked) != 0 {
			t.Errorf("got %+v, want 0 unacknowledged", st)
		}
	})
}

func TestStreamEndsWithManagement(t *testing.T) {
	smBubble(t, "too high a count", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		say(t, c, "1")
		p.expect(nsClient, "message")
		p.send("<a xmlns='" + nsSM + "' h='2'/>")
		el := p.expect(nsStream, "error")
		if el.Child(nsStreams, "undefined-condition") == nil || el.Child(nsSM, "handled-count-too-high").Attr("send-count") != "1" {
			t.Errorf("got %+v, want undefined-condition and handled-count-too-high with send-count 1", el)
		}
		<-c.Done()
		if c.StreamState() != nil {
			t.Error("a stream that was closed is to be resumed, want no stream state")
		}
	})
	smBubble(t, "a stream that is closed is gone, one that is dropped is not", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		done := p.script((*fakeServer).silence)
		c.Abort()
		<-done
		if c.StreamState() == nil {
			t.Error("dropped, and not to be resumed; want a stream state")
		}
		c, _, p = s.connect(nil)
		p.send("</stream:stream>")
		p.script((*fakeServer).drain)
		<-c.Done()
		if c.StreamState() != nil {
			t.Error("closed by the server, want no stream state")
		}
		c, _, p = s.connect(nil)
		p.script((*fakeServer).drain)
		_ = c.Close(context.Background())
		if c.StreamState() != nil {
			t.Error("signed out, want no stream state")
		}
	})
}

func TestStreamResumes(t *testing.T) {
	smBubble(t, "in one segment", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		p.send(chat("in-1", "handled") + chat("in-2", "not handled"))
		synctest.Wait()
		c.Handled(1)
		say(t, c, "a", "b", "c")
		for range 3 {
			p.expect(nsClient, "message")
		}
		_ = p.conn.Close()
		<-c.Done()
		s.answer = func(p *fakeServer, resume *xmlstream.Element) bool {
			if resume.Attr("h") != "1" || resume.Attr("previd") != "sm-1" {
				t.Errorf("got %+v, want h 1, previd sm-1", resume)
			}
			p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='1'/>" + chat("in-2", "not handled") + "<r xmlns='" + nsSM + "'/>")
			return true
		}
		c, b, p := s.connect(c.StreamState())
		if l := c.Login(); !l.Resumed || l.JID != smSelf || !l.Capabilities.StreamResume {
			t.Errorf("got %+v, want Resumed, JID %v, StreamResume", l, smSelf)
		}
		if w, more := c.ResumedMessages(); fmt.Sprint(w) != "map[a:0 b:1 c:2]" || more {
			t.Errorf("known %v %v, want map[a:0 b:1 c:2], nothing more", w, more)
		}
		for _, id := range []string{"b", "c"} {
			if got := p.expect(nsClient, "message").Attr("id"); got != id {
				t.Errorf("written again: %s, want %s", got, id)
			}
		}
		p.expect(nsSM, "r")
		if h := p.expect(nsSM, "a").Attr("h"); h != "1" {
			t.Errorf("h=%s before the replay is handled, want h 1", h)
		}
		in := b.take()
		if len(in) != 1 || in[0].(*perch.MessageIn).Source != perch.SourceResumed {
			t.Errorf("got %+v, want one delivery, Source %v", in, perch.SourceResumed)
		}
		c.Handled(1)
		p.expect(nsSM, "a")
		p.wantH(t, "2")
		p.send("<a xmlns='" + nsSM + "' h='3'/>" + chat("in-3", "new"))
		in = b.take()
		if len(in) != 2 || in[0].(*perch.AckIn).Through != 2 || in[1].(*perch.MessageIn).Source != perch.SourceLive {
			t.Errorf("got %+v, want 2 deliveries, Through 2, Source %v", in, perch.SourceLive)
		}
	})
}

func TestStreamResumesAcrossTheWrap(t *testing.T) {
	smBubble(t, "across 2^32", func(t *testing.T, s *smServer) {
		const low = math.MaxUint32 - 1
		blob, _ := json.Marshal(streamState{Version: 1, ID: "sm-1", JID: smSelf, In: low, Acked: low,
			Unacked: []unackedState{{"<message id='x'/>", "x"}, {"<message id='y'/>", "y"}, {"<message id='z'/>", "z"}}})
		s.answer = func(p *fakeServer, resume *xmlstream.Element) bool {
			if resume.Attr("h") != "4294967294" {
				t.Errorf("h=%s, want h 4294967294", resume.Attr("h"))
			}
			p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='4294967295'/>")
			return true
		}
		c, b, p := s.connect(blob)
		p.expect(nsClient, "message")
		p.expect(nsClient, "message")
		p.expect(nsSM, "r")
		p.send("<a xmlns='" + nsSM + "' h='1'/>" + chat("1", "a") + chat("2", "b") + chat("3", "c"))
		if in := b.take(); len(in) != 4 || in[0].(*perch.AckIn).Through != 2 {
			t.Errorf("got %v, want 4 deliveries, Through 2", in)
		}
		c.Handled(4)
		p.wantH(t, "1")
		if st := stateOf(t, c.StreamState()); st.In != 1<<32+1 || st.Acked != 1<<32+1 || len(st.Unacked) != 0 {
			t.Errorf("got %+v, want In 1<<32 + 1, Acked 1<<32 + 1, 0 unacknowledged", st)
		}
	})
}

func TestStreamResumesFromAnOldState(t *testing.T) {
	smBubble(t, "the server has more than was committed", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		say(t, c, "a")
		p.expect(nsClient, "message")
		old := c.StreamState()
		s.answer = func(p *fakeServer, _ *xmlstream.Element) bool {
			p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='3'/>")
			return true
		}
		c, _, p = s.connect(old)
		if w, more := c.ResumedMessages(); !more || fmt.Sprint(w) != "map[a:0]" {
			t.Errorf("known %v %v, want more, map[a:0]", w, more)
		}
		p.expect(nsSM, "r")
		say(t, c, "b")
		p.expect(nsClient, "message")
		p.send("<a xmlns='" + nsSM + "' h='4'/>")
		synctest.Wait()
		if c.Err() != nil {
			t.Errorf("got %v, want no error", c.Err())
		}
	})
}

func TestStreamIsNotResumed(t *testing.T) {
	for name, answer := range map[string]func(p *fakeServer, _ *xmlstream.Element) bool{
		"failed": func(p *fakeServer, _ *xmlstream.Element) bool {
			p.send("<failed xmlns='" + nsSM + "'><item-not-found xmlns='" + nsStanzas + "'/></failed>")
			return false
		},
		"the server hangs up": func(*fakeServer, *xmlstream.Element) bool { panic(errClientGone) },
		"the server closes":   func(p *fakeServer, _ *xmlstream.Element) bool { p.send("</stream:stream>"); panic(errClientGone) },
		"an impossible count": func(p *fakeServer, _ *xmlstream.Element) bool {
			p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='4294967295'/>")
			panic(errClientGone)
		},
	} {
		smBubble(t, name, func(t *testing.T, s *smServer) {
			c, _, p := s.connect(nil)
			say(t, c, "a")
			p.expect(nsClient, "message")
			_ = p.conn.Close()
			<-c.Done()
			s.answer = answer
			c, _, p = s.connect(c.StreamState())
			if l := c.Login(); l.Resumed || l.JID != smSelf || !l.Capabilities.StreamResume {
				t.Errorf("Login() = %+v, want %s on a new stream that can be resumed", l, smSelf)
			}
			if w, _ := c.ResumedMessages(); w != nil || s.d.counters.ResumesFailed.Load() != 1 {
				t.Errorf("known %v, %d failed; want none known, ResumesFailed 1", w, s.d.counters.ResumesFailed.Load())
			}
			p.wantH(t, "0")
		})
	}
}

func TestParseStreamStateRefuses(t *testing.T) {
	smBubble(t, "a state that is not one", func(t *testing.T, s *smServer) {
		for _, blob := range []string{"", "x", `{"v":2,"id":"a","jid":"me@a.test/r"}`, `{"v":1,"jid":"me@a.test/r"}`, `{"v":1,"id":"a"}`} {
			if parseStreamState([]byte(blob)) != nil {
				t.Errorf("got %q is taken for a state, want no parseStreamState([]byte(blob))", blob)
			}
		}
	})
}
