package xmppconn

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// TestOptionalStepWithoutAnswer signs in on a server that never says, or says late, what the
// account has, and never answers to carbons: the login continues without, in bounded time.
func TestOptionalStepWithoutAnswer(t *testing.T) {
	for _, late := range []bool{false, true} {
		name := "never"
		if late {
			name = "late, and cut in two by the deadline"
		}
		bubble(t, name, func(t *testing.T) {
			s := newSMServer(t)
			s.serve("xmpp.a.test:5222", func(p *fakeServer) {
				p.startTLS()
				p.open(offerSASL("OAUTHBEARER"))
				p.expect(nsSASL, "auth")
				p.send(saslSuccess)
				p.open(offerBind + offerSM)
				p.result(p.next(), "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
				disco := p.expect(nsClient, "iq")
				rest := ""
				if late {
					answer := "<iq type='result' id='" + disco.Attr("id") + "'><query xmlns='" + nsDiscoInfo + "'><feature var='" + nsMAM + "'/></query></iq>"
					p.send(answer[:20])
					rest = answer[20:]
				}
				p.expect(nsClient, "iq") // carbons
				p.expect(nsSM, "enable")
				p.send(rest + "<enabled xmlns='" + nsSM + "' id='sm-1' resume='true'/><message from='bo@b.test/x' type='chat'><body>hi</body></message>")
				p.drain()
			})
			acc := tokenAccount
			acc.JID = "me@a.test"
			began := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			defer cancel()
			c, err := s.d.Dial(ctx, acc, nil)
			if err != nil {
				t.Fatalf("s.d.Dial(): got error %v, want none", err)
			}
			t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("the login took %v, want at most half a step", took)
			}
			if caps := c.Login().Capabilities; caps.Archive != "" || !caps.StreamResume {
				t.Errorf("got %+v, want no archive, but resumption", caps)
			}
			b := &recorder{}
			c.Start(b.sink, func() {})
			if in := b.take(); len(in) != 1 || in[0].(*perch.MessageIn).Body != "hi" {
				t.Errorf("got %+v, want one message", in)
			}
			stray := int64(0)
			if late {
				stray = 1
			}
			if n := s.d.counters; n.StepsSkipped.Load() != 1 || n.StrayAnswers.Load() != stray {
				t.Errorf("%d steps skipped, %d stray answers, want 1 and %d", n.StepsSkipped.Load(), n.StrayAnswers.Load(), stray)
			}
		})
	}
}

// TestReplayedChatState leaves chat states out of what a server sends again after a resume,
// also those that it puts no delay into. What comes after the replay is live.
func TestReplayedChatState(t *testing.T) {
	smBubble(t, "composing", func(t *testing.T, s *smServer) {
		const composing = "<message from='bo@b.test/x' type='chat'><composing xmlns='" + nsChatStates + "'/></message>"
		c, _, p := s.connect(nil)
		_ = p.conn.Close()
		<-c.Done()
		s.answer = func(p *fakeServer, _ *xmlstream.Element) bool {
			p.send("<resumed xmlns='" + nsSM + "' previd='sm-1' h='0'/>" + composing + chat("in-1", "again") + "<r xmlns='" + nsSM + "'/>")
			return true
		}
		c, b, p := s.connect(c.StreamState())
		p.expect(nsSM, "r")
		p.expect(nsSM, "a")
		in := b.take()
		if m, ok := in[0].(*perch.MessageIn); len(in) != 1 || !ok || m.Source != perch.SourceResumed {
			t.Errorf("got %+v, want the message alone", in)
		}
		c.Handled(1)
		p.expect(nsSM, "a")
		p.wantH(t, "2")
		p.send("<a xmlns='" + nsSM + "' h='0'/>" + composing)
		if in = b.take(); len(in) != 1 {
			t.Errorf("got %+v, want one live chat state", in)
		}
	})
}

// TestStreamManagementWithoutAnswer signs in on a server that offers stream management and does
// not answer to it. That stream is closed, and the next one works without what had no answer; an
// answer that comes late meets no client that believes in it.
func TestStreamManagementWithoutAnswer(t *testing.T) {
	earlier := (&streamState{Version: streamStateVersion, ID: "sm-0", JID: smSelf}).encoded()
	enabled := "<enabled xmlns='" + nsSM + "' id='sm-1' resume='true'/>"
	for _, tt := range []struct {
		name    string
		resume  []byte
		answer  func(connection int, request string) string // "" for none
		late    string                                      // what comes once the client has closed the stream
		want    []string
		managed bool // the stream that is used has stream management
	}{
		{name: "enable", want: []string{"1 bind", "1 enable", "1 end", "2 bind", "2 presence"}},
		{name: "enable, and late", late: enabled, want: []string{"1 bind", "1 enable", "1 end", "2 bind", "2 presence"}},
		{name: "resume", resume: earlier, managed: true, answer: func(n int, request string) string {
			if request == "enable" {
				return enabled
			}
			return ""
		}, want: []string{"1 resume", "1 end", "2 bind", "2 enable", "2 presence", "2 a"}},
		{name: "resume and enable", resume: earlier, want: []string{"1 resume", "1 end", "2 bind", "2 enable", "2 end", "3 bind", "3 presence"}},
		{name: "enable after a refusal to resume", resume: earlier, answer: func(n int, request string) string {
			if request == "resume" {
				return "<failed xmlns='" + nsSM + "'/>"
			}
			return ""
		}, want: []string{"1 resume", "1 bind", "1 enable", "1 end", "2 bind", "2 presence"}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			s := newSMServer(t)
			seen := s.silent(tt.answer, tt.late)
			acc := tokenAccount
			acc.JID = "me@a.test"
			began := time.Now()
			c, err := s.d.Dial(context.Background(), acc, tt.resume)
			if err != nil {
				t.Fatalf("s.d.Dial(): got error %v, want none", err)
			}
			t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
			if took := time.Since(began); took > s.d.up.SignInTimeout {
				t.Errorf("the login took %v, want less than %v", took, s.d.up.SignInTimeout)
			}
			if l := c.Login(); l.Resumed || l.Capabilities.StreamResume != tt.managed || l.Capabilities.Archive != "313" {
				t.Errorf("got login %+v, want a new stream with an archive, resumption %v", l, tt.managed)
			}
			if (c.StreamState() != nil) != tt.managed {
				t.Errorf("got stream state %q, want one: %v", c.StreamState(), tt.managed)
			}
			b := &recorder{}
			c.Start(b.sink, func() {})
			if _, err := c.Send(&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}}); err != nil {
				t.Fatalf("c.Send(): got error %v, want none", err)
			}
			if in := b.take(); len(in) != 1 || in[0].(*perch.MessageIn).Body != "hi" {
				t.Errorf("got %+v, want one message", in)
			}
			synctest.Wait()
			if got := seen(); !slices.Equal(got, tt.want) {
				t.Errorf("the server saw %q, want %q", got, tt.want)
			}
			ends := int64(strings.Count(strings.Join(tt.want, " "), "end"))
			if n := s.d.counters.StepsSkipped.Load(); n != ends || c.Err() != nil {
				t.Errorf("got %d steps skipped, connection ended with %v; want %d, nil", n, c.Err(), ends)
			}
		})
	}
}

func (st *streamState) encoded() []byte {
	b, err := json.Marshal(st)
	if err != nil {
		panic(err)
	}
	return b
}

// silent serves streams with an archive whose stream management says what answer says, and notes
// what was asked on each. After the presence it asks what was handled, and sends a message.
func (s *smServer) silent(answer func(int, string) string, late string) (seen func() []string) {
	var mu sync.Mutex
	var streams [][]string
	s.serve("xmpp.a.test:5222", func(p *fakeServer) {
		mu.Lock()
		streams = append(streams, nil)
		n := len(streams)
		mu.Unlock()
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			streams[n-1] = append(streams[n-1], fmt.Sprint(n, " ", what))
		}
		p.startTLS()
		p.open(offerSASL("OAUTHBEARER"))
		p.expect(nsSASL, "auth")
		p.send(saslSuccess)
		p.open(offerBind + offerSM)
		for {
			f, _ := p.frame()
			if f.Kind == xmlstream.KindEnd {
				note("end")
				p.send(late)
				return
			}
			el, err := f.Parse()
			if err != nil {
				s.t.Errorf("f.Parse(): got error %v, want none", err)
				return
			}
			switch {
			case el.Space() == nsSM:
				note(el.Local())
				if answer != nil {
					p.send(answer(n, el.Local()))
				}
			case el.Child(nsBind, "bind") != nil:
				note("bind")
				p.result(el, "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
			case el.Child(nsDiscoInfo, "query") != nil:
				p.result(el, "<query xmlns='"+nsDiscoInfo+"'><feature var='"+nsMAM+"'/></query>")
			case el.Is(nsClient, "presence"):
				note("presence")
				p.send("<r xmlns='" + nsSM + "'/>" + chat("m-1", "hi"))
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Concat(streams...)
	}
}
