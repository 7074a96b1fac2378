package xmppconn

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/streamtest"
	"pgregory.net/rapid"
)

// wrapModel is a server that knows the counters of XEP-0198 by their 32 bits alone, the wire
// between it and a Conn, and a session that handles what it gets. Ids count from 0.
type wrapModel struct {
	c *Conn

	// Of the server.
	got     []int  // messages that arrived
	in      uint32 // how many stanzas arrived
	pending []int  // stanzas that were sent and not acknowledged, oldest first
	base    uint32 // the last h
	next    int    // id of the next stanza

	wire    []string // written by the Conn and not arrived
	taken   []mark   // delivered on this connection and not handled: in is the id
	handled []int    // stanzas that the session has handled
	sent    int      // messages that the session has sent
}

// newWrapModel begins in the middle of a stream that has been up for a while.
func newWrapModel(t *rapid.T) *wrapModel {
	near := rapid.OneOf(rapid.Uint64Range(1<<32-6, 1<<32+2), rapid.Just(uint64(0)), rapid.Uint64Range(1<<33-4, 1<<33))
	in, out := near.Draw(t, "in"), near.Draw(t, "out")
	m := &wrapModel{in: uint32(out), base: uint32(in)}
	m.connect(t, &management{id: "x", counting: true, in: in, h: in, out: out, base: out, acked: out, ackRequested: out}, 0, false)
	return m
}

func (m *wrapModel) connect(t *rapid.T, sm *management, numbered uint64, resumed bool) {
	d, err := NewDialer(Upstream{Domain: "a.test", Profile: ProfileStandard}, Options{})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	c := newConn(d, nil, perch.Account{}, false)
	c.login.JID, c.login.Resumed = smSelf, resumed
	c.sm, c.sent, c.ackWanted = sm, numbered, numbered
	c.writing, c.started, c.timer = true, true, newStoppedTimer() // no writer runs
	m.c, m.wire, m.taken = c, nil, nil
	c.mu.Lock()
	c.resendUnacked()
	c.mu.Unlock()
}

var written = regexp.MustCompile(`<message [^>]*?\bid='(\d+)'|<(a) [^>]*h='(\d+)'|<(r) `)

// write puts what the Conn has written on the wire.
func (m *wrapModel) write() {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.c.out == nil {
		return
	}
	m.wire = append(m.wire, written.FindAllString(string(*m.c.out), -1)...)
	m.c.out = nil
}

// arrive lets the server take the next thing from the wire.
func (m *wrapModel) arrive(t *rapid.T) {
	thing := written.FindStringSubmatch(m.wire[0])
	m.wire = m.wire[1:]
	switch {
	case thing[1] != "":
		id, _ := strconv.Atoi(thing[1])
		m.got = append(m.got, id)
		m.in++
	case thing[2] != "":
		h, err := strconv.ParseUint(thing[3], 10, 32)
		if err != nil {
			t.Fatalf("got h='%s', want a number", thing[3])
		}
		m.acknowledge(t, uint32(h))
	default:
		m.answer(t)
	}
}

// acknowledge takes an h of the Conn as a server does: the difference is what counts.
func (m *wrapModel) acknowledge(t *rapid.T, h uint32) {
	n := int(h - m.base)
	if n > len(m.pending) {
		t.Fatalf("h=%d after %d, but only %d are on the way; want at most %v", h, m.base, len(m.pending), len(m.pending))
	}
	m.base, m.pending = h, m.pending[n:]
	if m.first() > len(m.handled) {
		t.Fatalf("got %d were acknowledged, %d are handled; want at most %v", m.first(), len(m.handled), len(m.handled))
	}
}

// first is how many stanzas the Conn has acknowledged.
func (m *wrapModel) first() int { return m.next - len(m.pending) }

// answer is an <a/> of the server.
func (m *wrapModel) answer(t *rapid.T) {
	m.c.mu.Lock()
	through, err := m.c.serverHas(m.in)
	m.c.mu.Unlock()
	if err != nil {
		t.Fatalf("got error %v, want none", err)
	}
	if through > 0 {
		m.deliver(-1)
	}
}

// deliver gives a stanza, or with -1 an acknowledgement, to the session.
func (m *wrapModel) deliver(id int) {
	if id >= 0 {
		m.c.count(1)
	}
	m.taken = append(m.taken, mark{in: uint64(id + 1), seq: m.c.delivered.Add(1)})
}

// handle lets the session handle the next thing.
func (m *wrapModel) handle() {
	k := m.taken[0]
	if m.taken = m.taken[1:]; k.in > 0 {
		m.handled = append(m.handled, int(k.in-1))
	}
	m.c.Handled(k.seq)
}

// cut loses what is on the wire and in the session's hands, and resumes the stream.
func (m *wrapModel) cut(t *rapid.T) {
	st := parseStreamState(m.c.StreamState())
	if st == nil {
		t.Fatal("there is nothing to resume, want a stream state")
	}
	m.acknowledge(t, uint32(st.In)) // <resume h=''/>
	sm, numbered := st.restore(m.in)
	if sm == nil {
		t.Fatalf("<resumed h='%d'/> is refused: got %+v, want it resumed", m.in, st)
	}
	m.connect(t, sm, numbered, true)
	for _, id := range m.pending {
		m.deliver(id)
	}
}

func (m *wrapModel) check(t *rapid.T) {
	for _, ids := range [][]int{m.got, m.handled} {
		for i, id := range ids {
			if i != id {
				t.Fatalf("lost or doubled: got %v, want %d first", ids, i)
			}
		}
	}
}

// TestStreamSurvivesTheWrap: across 2^32, in both directions and over any number of cuts,
// every stanza is handled once and in order, and every message arrives so.
func TestStreamSurvivesTheWrap(t *testing.T) {
	ackRequest := streamtest.Parse(t, "<r xmlns='"+nsSM+"'/>")
	rapid.Check(t, func(t *rapid.T) {
		m := newWrapModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"stanza": func(*rapid.T) {
				m.pending = append(m.pending, m.next)
				m.deliver(m.next)
				m.next++
			},
			"handle": func(t *rapid.T) {
				if len(m.taken) > 0 {
					m.handle()
				}
			},
			"send": func(t *rapid.T) {
				if _, err := m.c.Send(&perch.MessageOut{ID: fmt.Sprint(m.sent), To: "bob@a.test", Body: "x"}); err != nil {
					t.Fatalf("m.c.Send(): got error %v, want none", err)
				}
				m.sent++
			},
			"arrive": func(t *rapid.T) {
				if len(m.wire) > 0 {
					m.arrive(t)
				}
			},
			"asked": func(*rapid.T) {
				if err := m.c.handleSM(ackRequest); err != nil {
					t.Fatalf("m.c.handleSM(): got error %v, want none", err)
				}
			},
			"answer": func(t *rapid.T) { m.answer(t) },
			"cut":    func(t *rapid.T) { m.cut(t) },
			"":       func(t *rapid.T) { m.write(); m.check(t) },
		})
		m.cut(t)
		for m.write(); len(m.wire) > 0; m.write() {
			m.arrive(t)
		}
		for len(m.taken) > 0 {
			m.handle()
		}
		m.check(t)
		if len(m.got) != m.sent || len(m.handled) != m.next {
			t.Fatalf("got %d of %d messages arrived, %d of %d stanzas were handled; want %v and %v", len(m.got), m.sent, len(m.handled), m.next, m.sent, m.next)
		}
	})
}
