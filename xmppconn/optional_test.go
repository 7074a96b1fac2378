package xmppconn

import (
	"context"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// TestOptionalStepWithoutAnswer signs in on a server that never says, or says late, what the
// account has, and never answers to carbons: the login goes on without, in bounded time.
func TestOptionalStepWithoutAnswer(t *testing.T) {
	for _, late := range []bool{false, true} {
		name := "never"
		if late {
			name = "late, and cut in two by the deadline"
		}
		bubble(t, name, func(t *testing.T) {
			s := newSMServer(t)
			s.serve("xmpp.a.test:5222", func(p *peer) {
				p.startTLS()
				p.open(offerSASL("OAUTHBEARER"))
				p.expect(nsSASL, "auth")
				p.send(saslSuccess)
				p.open(offerBind + offerSM)
				p.result(p.next(), "<bind xmlns='"+nsBind+"'><jid>"+smSelf+"</jid></bind>")
				disco := p.expect(nsClient, "iq")
				rest := ""
				if late {
					answer := "<iq type='result' id='" + disco.attr("id") + "'><query xmlns='" + nsDiscoInfo + "'><feature var='" + nsMAM + "'/></query></iq>"
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
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Abort(); _ = c.join(context.Background()) })
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("the login took %v, want at most half a step", took)
			}
			if caps := c.Login().Capabilities; caps.Archive != "" || !caps.StreamResume {
				t.Errorf("got %+v, want no archive, but resumption", caps)
			}
			b := &box{}
			c.Start(b.sink)
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
		s.answer = func(p *peer, _ *element) bool {
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
