package passthrough_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/passthrough"
	"github.com/perch-im/perch/xmppconn/internal/raw"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const self = perch.JID("me@a.test/home")

// same reports whether what was written reads as what is in an element, whatever the order of attributes.
func same(t *testing.T, got string, want *xmlstream.Element) bool {
	t.Helper()
	return canonical(streamtest.Parse(t, "<s xmlns='jabber:client'>"+got+"</s>")) == canonical(want)
}

func canonical(el *xmlstream.Element) string {
	s := "{" + el.Space() + "}" + el.Local()
	for _, name := range []string{"from", "to", "type", "id", "node"} {
		s += "|" + el.Attr(name)
	}
	for _, c := range el.Children() {
		s += canonical(c)
	}
	return s + "(" + el.Text() + ")"
}

// listening is a Listener with what it has written and left out.
type listening struct {
	t *testing.T
	passthrough.Listener
	leftOut int

	mu  sync.Mutex
	out []string
}

// written is what was written until now.
func (l *listening) written() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.out)
}

func newListening(t *testing.T) *listening {
	l := &listening{t: t}
	l.listen(true)
	return l
}

func (l *listening) listen(on bool) {
	l.Listen(on, func(encode func([]byte) ([]byte, error)) { _ = l.queue(encode) }, func() { l.leftOut++ })
}

func (l *listening) queue(encode func([]byte) ([]byte, error)) error {
	b, err := encode(nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = append(l.out, string(b))
	return err
}

// arrives is what clients get of a message or presence.
func (l *listening) arrives(xml string) *perch.StanzaIn {
	l.t.Helper()
	f := streamtest.Frame(l.t, xml)
	d, err := stanza.Decode(&f, self, 0)
	if err != nil {
		l.t.Fatalf("Decode(%s): got error %v, want none", xml, err)
	}
	return l.Unshown(&f, &d)
}

// asks is what clients get of a request of j@b.test/x.
func (l *listening) asks(id, payload string) *perch.StanzaIn {
	l.t.Helper()
	el := streamtest.Parse(l.t, "<iq type='set' from='j@b.test/x' id='"+id+"'>"+payload+"</iq>")
	in, ok := stanza.ParseIQ(el)
	if !ok {
		l.t.Fatalf("ParseIQ(): got none, want the request %s", id)
	}
	return l.Request(el, in, "service-unavailable")
}

// answers has a client answer.
func (l *listening) answers(xml string) error {
	l.t.Helper()
	s, err := raw.Parse(xml, self)
	if err != nil {
		l.t.Fatalf("Parse(%s): got error %v, want none", xml, err)
	}
	return l.Answer(s, l.queue)
}

const jingle = "<jingle xmlns='urn:xmpp:jingle:1' sid='s'/>"

// TestUnshown: what nothing else is made of is given as it is; what is shown, is forged, or is of the gateway's own
// nodes is not. Nobody gets anything who does not listen.
func TestUnshown(t *testing.T) {
	const devices = "<message from='j@b.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='eu.siacs.conversations.axolotl.devicelist'><item id='current'><list xmlns='eu.siacs.conversations.axolotl'><device id='1'/></list></item></items></event></message>"
	for name, tt := range map[string]struct {
		xml   string
		given bool
	}{
		"an event of another node": {devices, true},
		"a call":                   {"<message from='j@b.test/x' type='chat' id='c'><propose xmlns='urn:xmpp:jingle-message:0' id='s'/><store xmlns='urn:xmpp:hints'/></message>", true},
		"the end of a call":        {"<message from='j@b.test/x' type='chat'><retract xmlns='urn:xmpp:jingle-message:0' id='s'/></message>", true},
		"an unknown feature":       {"<message from='j@b.test/x'><x xmlns='urn:x'/></message>", true},
		"an empty message":         {"<message from='j@b.test/x'/>", true},
		"a probe":                  {"<presence from='j@b.test' type='probe'/>", true},
		"a message":                {"<message from='j@b.test/x'><body>a</body></message>", false},
		"a chat state":             {"<message from='j@b.test/x' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", false},
		"presence":                 {"<presence from='j@b.test/x'/>", false},
		"an invitation":            {"<message from='j@b.test'><x xmlns='jabber:x:conference' jid='r@c.test'/></message>", false},
		"bookmarks":                {"<message from='me@a.test' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><purge node='urn:xmpp:bookmarks:1'/></event></message>", false},
		"a carbon of a stranger":   {"<message from='eve@b.test'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message from='j@b.test/x'><body>a</body></message></forwarded></received></message>", false},
		"a carbon beside a call":   {"<message from='eve@b.test'><propose xmlns='urn:xmpp:jingle-message:0' id='s'/><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message from='j@b.test/x'><body>a</body></message></forwarded></received></message>", false},
		"an archive beside a call": {"<message from='eve@b.test/x'><propose xmlns='urn:xmpp:jingle-message:0' id='s'/><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'/></message>", false},
		"an archive of a stranger": {"<message from='eve@b.test/x'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'/></message>", false},
		"an answer of the archive": {"<message from='me@a.test'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message from='j@b.test/x'><body>a</body></message></forwarded></result></message>", false},
		"a bounce of a message":    {"<message from='j@b.test' type='error' id='1'><error type='cancel'/></message>", false},
	} {
		l := newListening(t)
		in := l.arrives(tt.xml)
		if given := in != nil; given != tt.given {
			t.Errorf("%s: given %v, want %v", name, given, tt.given)
		}
		if in != nil {
			want := streamtest.Parse(t, "<s xmlns='jabber:client'>"+tt.xml+"</s>")
			if !strings.HasPrefix(string(in.From), "j@b.test") || !same(t, in.XML, want) || in.AnswerBy != 0 || in.LeftOut != 0 {
				t.Errorf("%s: got %+v, want the stanza", name, in)
			}
		}
		l.listen(false)
		if in := l.arrives(tt.xml); in != nil {
			t.Errorf("%s: got %+v with nobody who listens, want nothing", name, in)
		}
		if in := (&listening{t: t}).arrives(tt.xml); in != nil {
			t.Errorf("%s: got %+v with nobody who has ever listened, want nothing", name, in)
		}
	}
	if in := newListening(t).arrives("<message><x xmlns='urn:x'/></message>"); in == nil || in.From != "" {
		t.Errorf("from nobody: got %+v, want it without from", in)
	}
}

// TestUnshownIsBounded: how many there are, and how long. What was left out is counted, and the next one says it.
func TestUnshownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListening(t)
		const empty = "<message from='j@b.test/x'><x xmlns='urn:x'/></message>"
		for i := range passthrough.Burst {
			if l.arrives(empty) == nil {
				t.Fatalf("%d: got nothing, want the stanza", i)
			}
		}
		if l.arrives(empty) != nil || l.asks("1", jingle) != nil {
			t.Error("over the burst: got a stanza, want none")
		}
		time.Sleep(time.Second)
		if in := l.arrives(empty); in == nil || in.LeftOut != 2 || l.leftOut != 2 {
			t.Errorf("later: got %+v and %d counted, want 2 left out", in, l.leftOut)
		}
		for range passthrough.PerSecond - 1 {
			l.arrives(empty)
		}
		if l.arrives(empty) != nil {
			t.Errorf("got more than %d in a second, want no more", passthrough.PerSecond)
		}
		time.Sleep(time.Second)
		long := "<message from='j@b.test/x'><x xmlns='urn:x'>" + strings.Repeat("a", raw.MaxBytes) + "</x></message>"
		if l.arrives(long) != nil {
			t.Error("too long: got a stanza, want none")
		}
		if in := l.arrives(empty); in == nil || in.LeftOut != 2 {
			t.Errorf("after it: got %+v, want 2 left out", in)
		}
		if in := l.arrives(empty); in == nil || in.LeftOut != 0 {
			t.Errorf("after that: got %+v, want none left out", in)
		}
	})
}

// TestRequestIsAnswered: by a client within the time, once and by nobody but to whom has asked; else it is
// refused as it would have been.
func TestRequestIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListening(t)
		for _, id := range []string{"1", "2", "3"} {
			in := l.asks(id, jingle)
			if in == nil || in.AnswerBy != perch.At(time.Now().Add(passthrough.AnswerTime)) || in.From != "j@b.test/x" || !strings.Contains(in.XML, "urn:xmpp:jingle:1") {
				t.Fatalf("%s: got %+v, want the request and its time", id, in)
			}
		}
		if in := l.asks("1", jingle); in != nil {
			t.Errorf("the id that is open: got %+v, want it refused", in)
		}
		l.listen(false) // what is open stays so: a stream may be on its way back
		time.Sleep(passthrough.AnswerTime - time.Second)
		for xml, want := range map[string]perch.Kind{
			"<iq type='result' id='1' to='J@B.test/x'/>":                          "",
			"<iq type='error' id='2' to='j@b.test/x'><error type='cancel'/></iq>": "",
			"<iq type='result' id='3' to='eve@b.test/x'/>":                        perch.KindNotFound,
			"<iq type='result' id='4' to='j@b.test/x'/>":                          perch.KindNotFound,
			"<iq type='result' id='3'/>":                                          perch.KindNotFound,
		} {
			if err := l.answers(xml); err == nil && want != "" || err != nil && perch.KindOf(err) != want {
				t.Errorf("%s: got %v, want kind %q", xml, err, want)
			}
		}
		if err := l.answers("<iq type='result' id='1' to='j@b.test/x'/>"); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("a second answer: got %v, want %s", err, perch.KindNotFound)
		}
		if len(l.written()) != 2 {
			t.Errorf("got %q, want two answers", l.written())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want := "<iq id='3' type='error' to='j@b.test/x'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
		if got := l.written(); len(got) != 3 || !same(t, got[2], streamtest.Parse(t, "<s xmlns='jabber:client'>"+want+"</s>")) {
			t.Errorf("got %q after the time, want %s as the third", got, want)
		}
		if err := l.answers("<iq type='result' id='3' to='j@b.test/x'/>"); perch.KindOf(err) != perch.KindNotFound {
			t.Errorf("too late: got %v, want %s", err, perch.KindNotFound)
		}
	})
}

// TestRequestsAreBounded: of more than so many the others are refused at once, and nothing is left of an ended
// connection.
func TestRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListening(t)
		for i := range passthrough.MaxOpen {
			if l.asks(strconv.Itoa(i), jingle) == nil {
				t.Fatalf("%d: got nothing, want the request", i)
			}
		}
		if in := l.asks("more", jingle); in != nil || l.leftOut != 1 {
			t.Errorf("got %+v and %d left out, want it refused and counted", in, l.leftOut)
		}
		l.Close()
		time.Sleep(2 * passthrough.AnswerTime)
		if l.listen(true); l.arrives("<message from='j@b.test/x'/>") != nil || l.answers("<iq type='result' id='1' to='j@b.test/x'/>") == nil || len(l.written()) != 0 {
			t.Errorf("after the end: got %q written, want nothing, and nobody who listens", l.written())
		}
		never := &listening{t: t}
		never.Close()
		if never.listen(true); never.arrives("<message from='j@b.test/x'/>") != nil {
			t.Error("got a stanza of a connection that ended before anybody listened, want none")
		}
	})
}

// TestLateAnswer: the answer to a request that was given up is an event, with the id of the client, if who was
// asked gives it, within the time.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListening(t)
		s, err := raw.Parse("<iq type='get' id='mine' to='b@b.test'><x xmlns='urn:x'/></iq>", self)
		if err != nil {
			t.Fatalf("Parse(): got error %v, want none", err)
		}
		l.Expect("ours-1", s)
		l.Expect("ours-2", s)
		answer := func(id string, from perch.JID) *perch.StanzaIn {
			return l.Late(stanza.IQ{ID: id, Type: "result", From: from, To: self, Payload: streamtest.Parse(t, "<x xmlns='urn:x'>y</x>")}, self, nil)
		}
		if in := answer("ours-1", "eve@b.test"); in != nil {
			t.Errorf("by another: got %+v, want nothing", in)
		}
		in := answer("ours-1", "b@b.test")
		if in == nil || in.From != "b@b.test" || !same(t, in.XML, streamtest.Parse(t, "<s xmlns='jabber:client'><iq type='result' id='mine' from='b@b.test' to='"+string(self)+"'><x xmlns='urn:x'>y</x></iq></s>")) {
			t.Errorf("got %+v, want the answer with the id of the client", in)
		}
		l.Expect("ours-4", s)
		refusal := "<iq type='error' id='%s' from='b@b.test' to='" + string(self) + "'><x xmlns='urn:x'/><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
		refused, ok := stanza.ParseIQ(streamtest.Parse(t, fmt.Sprintf(refusal, "ours-4")))
		if in := l.Late(refused, self, nil); !ok || in == nil || !same(t, in.XML, streamtest.Parse(t, "<s xmlns='jabber:client'>"+fmt.Sprintf(refusal, "mine")+"</s>")) {
			t.Errorf("an error: got %+v, want it with what it says", in)
		}
		if again, other := answer("ours-1", "b@b.test"), answer("ours-3", "b@b.test"); again != nil || other != nil {
			t.Errorf("got %+v and %+v, want each answer once, and none that nobody has asked for", again, other)
		}
		time.Sleep(passthrough.LateTime)
		if in := answer("ours-2", "b@b.test"); in != nil {
			t.Errorf("after the time: got %+v, want nothing", in)
		}
		for i := range passthrough.MaxLate + 1 {
			l.Expect("n"+strconv.Itoa(i), s)
		}
		got := []bool{answer("n"+strconv.Itoa(passthrough.MaxLate-1), "b@b.test") != nil, answer("n"+strconv.Itoa(passthrough.MaxLate), "b@b.test") != nil}
		if diff := cmp.Diff([]bool{true, false}, got); diff != "" {
			t.Errorf("the last that is remembered, and one more, -want +got:\n%s", diff)
		}
	})
}
