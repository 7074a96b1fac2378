package xmppconn

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/perch-im/perch/xmppconn/internal/smwire"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// FuzzStreamManagement reads anything as an element of XEP-0198, and gives what counts to a
// stream in the middle of its life: nothing may panic, and no count passes what was sent.
func FuzzStreamManagement(f *testing.F) {
	for _, s := range []string{
		"<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true' max='60' location='h:1'/>", "<resumed xmlns='urn:xmpp:sm:3' previd='x' h='3'/>",
		"<failed xmlns='urn:xmpp:sm:3' h='4294967296'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
		"<r xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='2'/>", "<a xmlns='urn:xmpp:sm:3' h='-1'/>",
	} {
		f.Add([]byte(s), uint64(1)<<32)
	}
	f.Fuzz(func(t *testing.T, raw []byte, out uint64) {
		fr := streamtest.Frame(t, "<presence/>")
		fr.Raw = bytes.Clone(raw)
		el, err := fr.Parse()
		if err != nil {
			return
		}
		in, ok := smwire.Parse(el)
		if ok && in.Kind == 0 {
			t.Fatalf("smwire.Parse() of %s = %+v, true; want a kind", raw, in)
		}
		if !ok || in.Kind != smwire.Ack {
			return
		}
		m := &management{out: out + 3, base: out, acked: out, queue: make([]unacked, 3)}
		c := &Conn{d: &Dialer{}, sm: m, closing: true}
		if _, err := c.serverHas(in.H); m.acked > m.out || (err == nil) != (uint64(in.H-uint32(out)) <= 3) {
			t.Fatalf("<a h='%d'/> with %d to %d sent: acknowledged %d, %v; want at most %v, taken: %v", in.H, out, m.out, m.acked, err, m.out, (uint64(in.H-uint32(out)) <= 3))
		}
	})
}

// FuzzStreamState resumes from anything that a store may give back: nothing may panic, and what
// is restored can be stored and restored again.
func FuzzStreamState(f *testing.F) {
	for _, s := range []string{
		`{"v":1,"id":"x","jid":"me@a.test/home","caps":{},"in":3,"acked":5,"unacked":[{"x":"<message/>","id":"1"},{"x":"<presence/>"}]}`,
		`{"v":2,"id":"x","jid":"me@a.test/home"}`, `{"v":1,"id":"x","jid":"me@a.test"}`, `{`, ``,
		`{"v":1,"id":"x","jid":"me@a.test/home","acked":18446744073709551615,"unacked":[{"x":"","id":"1"}]}`,
	} {
		f.Add([]byte(s), uint32(6))
	}
	f.Fuzz(func(t *testing.T, blob []byte, h uint32) {
		st := parseStreamState(blob)
		if st == nil {
			return
		}
		m, numbered := st.restore(h)
		if m == nil {
			return
		}
		if numbered > uint64(len(m.queue)) || len(m.queue) > len(st.Unacked) {
			t.Fatalf("restore(%d) of %s: %d numbered of %d that wait, want no more than the %d of the state", h, blob, numbered, len(m.queue), len(st.Unacked))
		}
		c := &Conn{d: &Dialer{}, sm: m}
		c.login.JID = st.JID
		again := parseStreamState(c.StreamState())
		if again == nil || again.ID != st.ID || again.In != st.In || len(again.Unacked) != len(m.queue) {
			t.Fatalf("the state after restore(%d) of %s is %+v, want %d stanzas that wait", h, blob, again, len(m.queue))
		}
	})
}

// FuzzSignInAnswers reads what a server may send in place of the answer to a request of a
// login: it is the answer, is held for later, or ends the login.
func FuzzSignInAnswers(f *testing.F) {
	for _, s := range []string{
		"<iq type='result' id='1'/>", "<iq type='error' id='1' from='a.test'/>", "<iq type='result' id='1' from='eve@b.test'/>", "<message/>",
		"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[::1]:5222</see-other-host></stream:error>", "</stream:stream>", "<a></b>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		up := Upstream{Domain: "a.test"}.withDefaults()
		l := &login{d: &Dialer{up: up, counters: &Counters{}}}
		l.c = &Conn{d: l.d}
		l.c.login.JID = testSelf
		fr := xmlstream.NewFramer(io.MultiReader(strings.NewReader(streamtest.Header), bytes.NewReader(raw)), xmlstream.DefaultLimits())
		if _, err := fr.Next(); err != nil {
			t.Fatalf("Next() = %v, want the header", err)
		}
		frame, err := fr.Next()
		if err != nil {
			return
		}
		held := len(l.c.early)
		answer, ok, err := l.answer(&frame, "1", "")
		switch {
		case ok && (answer.ID != "1" || !stanza.AnswersFor(testSelf, "", answer.From) || err != nil):
			t.Fatalf("answer() of %s = %+v, %v; want the id 1 and a sender that may answer", raw, answer, err)
		case ok && len(l.c.early) != held:
			t.Fatalf("answer() of %s is the answer and held, want one of them", raw)
		}
	})
}
