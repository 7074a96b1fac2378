package xmppconn

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/passthrough"
	"github.com/perch-im/perch/xmppconn/internal/raw"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// given are the stanzas for clients among what arrived.
func (b *recorder) given() (list []*perch.StanzaIn) {
	for _, in := range b.take() {
		if s, ok := in.(*perch.StanzaIn); ok {
			list = append(list, s)
		}
	}
	return list
}

// iq is the next iq, past requests for acknowledgements.
func (p *fakeServer) iq() *xmlstream.Element {
	for {
		if el := p.next(); el.Is(nsClient, "iq") {
			return el
		}
	}
}

func maySend() error { return nil }

const jingleRequest = "<iq type='set' from='bob@a.test/x' to='" + smSelf + "' id='j1'><jingle xmlns='urn:xmpp:jingle:1' sid='s'/></iq>"

// TestStanzasForClients: while clients listen they get what is nothing else, a request waits for their answer,
// and each is counted (XEP-0198) when it is handled. Else everything is as without them.
func TestStanzasForClients(t *testing.T) {
	smBubble(t, "they come and go", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		const event = "<message from='bob@a.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event></message>"
		p.send(event + jingleRequest)
		if iq := p.iq(); iq.Attr("type") != "error" {
			t.Errorf("nobody listens: got an iq of type %s, want the refusal", iq.Attr("type"))
		}
		p.wantH(t, "2")
		c.ListenStanzas(true)
		p.send(event)
		synctest.Wait()
		in := b.given()
		if len(in) != 1 || in[0].From != "bob@a.test" {
			t.Fatalf("got %+v, want the event", in)
		}
		c.Handled(c.delivered.Load())
		p.wantH(t, "3")
		if got := c.d.counters.Silent.Load(); got != 1 {
			t.Errorf("got %d silent stanzas, want 1", got)
		}
		p.send(jingleRequest)
		synctest.Wait()
		if in = b.given(); len(in) != 1 || in[0].AnswerBy == 0 {
			t.Fatalf("got %+v, want the request", in)
		}
		c.Handled(c.delivered.Load())
		p.wantH(t, "4")
		answer := "<iq type='result' id='j1' to='bob@a.test/x'/>"
		if _, err := c.SendStanza(context.Background(), answer, nil, func() error { t.Error("an answer is asked for, want it to pass"); return nil }); err != nil {
			t.Fatalf("SendStanza(): got error %v, want none", err)
		}
		if iq := p.iq(); iq.Attr("type") != "result" || iq.Attr("id") != "j1" || iq.Attr("to") != "bob@a.test/x" {
			t.Errorf("got %s %s to %s, want the answer of the client", iq.Attr("type"), iq.Attr("id"), iq.Attr("to"))
		}
		if _, err := c.SendStanza(context.Background(), answer, nil, maySend); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("a second answer: got %v, want %s", err, perch.KindNotFound)
		}
		c.ListenStanzas(false)
		p.send(jingleRequest)
		if iq := p.iq(); iq.Attr("type") != "error" {
			t.Errorf("nobody listens any more: got type %s, want the refusal", iq.Attr("type"))
		}
	})
	smBubble(t, "what every client answers", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		c.ListenStanzas(true)
		p.send("<iq type='get' from='bob@a.test/x' id='p1'><ping xmlns='" + nsPing + "'/></iq>")
		if iq := p.iq(); iq.Attr("type") != "result" {
			t.Errorf("got type %s, want the answer to a ping", iq.Attr("type"))
		}
		if in := b.given(); len(in) != 0 {
			t.Errorf("got %+v, want no stanza of a ping", in)
		}
	})
	bubble(t, "nobody answers", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		c.login.Capabilities.ChatOnly = false
		c.ListenStanzas(true)
		p.send(jingleRequest)
		began := time.Now()
		iq := p.iq()
		if e := iq.Child(nsClient, "error"); iq.Attr("id") != "j1" || iq.Attr("type") != "error" || len(e.Children()) != 1 || e.Children()[0].Local() != "service-unavailable" {
			t.Errorf("got %+v, want service-unavailable", iq)
		}
		if took := time.Since(began); took != passthrough.AnswerTime {
			t.Errorf("got it after %v, want %v", took, passthrough.AnswerTime)
		}
	})
	bubble(t, "on the Messenger profile", func(t *testing.T) {
		_, c, b, p := online(t, messengerUp())
		c.ListenStanzas(true)
		p.send("<iq type='set' from='bob@a.test/x' id='j1'><jingle xmlns='urn:xmpp:jingle:1'/></iq>")
		p.script(func(p *fakeServer) {
			if iq := p.iq(); iq.Attr("type") != "error" {
				t.Errorf("got type %s, want the refusal", iq.Attr("type"))
			}
		})
		synctest.Wait()
		if in := b.given(); len(in) != 0 {
			t.Errorf("got %+v, want nothing", in)
		}
	})
}

// TestLateAnswerToAClient: the answer to an iq that was given up comes as a stanza, with the id of the client.
func TestLateAnswerToAClient(t *testing.T) {
	smBubble(t, "after the time", func(t *testing.T, s *smServer) {
		c, b, p := s.connect(nil)
		c.ListenStanzas(true)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		failed := make(chan error, 1)
		go func() {
			_, err := c.SendStanza(ctx, "<iq type='get' id='mine' to='bob@a.test'><x xmlns='urn:x'/></iq>", nil, maySend)
			failed <- err
		}()
		iq := p.iq()
		if err := <-failed; perch.KindOf(err) != perch.KindUpstreamTimeout {
			t.Errorf("SendStanza(): got %v, want %s", err, perch.KindUpstreamTimeout)
		}
		p.send("<iq type='result' from='bob@a.test' id='" + iq.Attr("id") + "'><x xmlns='urn:x'>y</x></iq>")
		synctest.Wait()
		in := b.given()
		if len(in) != 1 || in[0].From != "bob@a.test" || in[0].AnswerBy != 0 {
			t.Fatalf("got %+v, want the late answer", in)
		}
		if _, err := raw.Parse(in[0].XML, smSelf); perch.KindOf(err) != perch.KindValidation { // it is from somebody
			t.Errorf("got %s, want an iq", in[0].XML)
		}
		p.wantH(t, "1")
	})
}

// TestAnswerWhileItIsGivenUp: an answer that comes when its request is just given up is neither late nor lost.
func TestAnswerWhileItIsGivenUp(t *testing.T) {
	smBubble(t, "at the last moment", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		iq := make(chan string, 1)
		go func() { iq <- p.iq().Attr("id") }()
		got, err := requestLarge(context.Background(), c, "stanza", "get", "bob@a.test", []byte("<x xmlns='urn:x'/>"),
			func(in stanza.IQ) (string, error) { return in.Payload.Text(), nil },
			asked{timeout: time.Second, givenUp: func(id string) {
				if sent := <-iq; sent != id {
					t.Errorf("got the request %s given up, want %s", id, sent)
				}
				p.send("<iq type='result' from='bob@a.test' id='" + id + "'><x xmlns='urn:x'>y</x></iq>")
				synctest.Wait()
			}})
		if got != "y" || err != nil {
			t.Errorf("got %q, %v; want the answer", got, err)
		}
	})
}
