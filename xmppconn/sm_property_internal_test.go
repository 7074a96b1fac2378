package xmppconn

import (
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"pgregory.net/rapid"
)

// streamModel is both ends of a stream as XEP-0198 means them, and the network between them:
// what was written, what arrived, and what is stored.
type streamModel struct {
	c *Conn

	// Inbound: the seq after each stanza that came, and what may be acknowledged at most.
	seqs      []uint64
	handled   uint64
	committed []byte // the newest state that is committed
	given     []byte // the newest state, and its seq
	seq       uint64

	// Outbound: ids in the order of writing, how many arrived, and how many are acknowledged.
	wrote   []string
	arrived int
	told    int
}

func newModel(t *rapid.T) *streamModel {
	d, err := NewDialer(Upstream{Domain: "a.test", Profile: ProfileStandard}, Options{})
	if err != nil {
		t.Fatalf("NewDialer(): got error %v, want none", err)
	}
	c := newConn(d, nil, perch.Account{}, false)
	c.login.JID = smSelf
	c.writing, c.started = true, true // no writer runs
	start := rapid.SampledFrom([]uint64{0, 7, 1<<32 - 3, 1<<33 - 2}).Draw(t, "start")
	c.sm = &management{id: "x", counting: true, in: start, h: start, out: start, base: start, acked: start, ackRequested: start}
	c.timer = newStoppedTimer()
	return &streamModel{c: c}
}

// TestStreamCountersProperty: whatever happens in whatever order, h claims no stanza that is not
// handled, and no more than the state that is committed; and a resumed stream writes again exactly
// what has not arrived.
func TestStreamCountersProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		base := m.c.sm.in
		durable := rapid.Bool().Draw(t, "durable")
		if durable {
			m.given = m.c.StreamStateAt(0)
			m.committed = m.given
		}
		t.Repeat(map[string]func(*rapid.T){
			"stanza": func(t *rapid.T) {
				n := rapid.IntRange(0, 3).Draw(t, "deliveries")
				m.c.count(n)
				m.c.delivered.Add(uint64(n))
				m.seqs = append(m.seqs, m.c.delivered.Load())
			},
			"state": func(t *rapid.T) {
				if durable && m.c.delivered.Load() > m.seq {
					m.seq = rapid.Uint64Range(max(m.seq, m.handled)+1, m.c.delivered.Load()+1).Draw(t, "seq")
					m.seq = min(m.seq, m.c.delivered.Load())
					m.given = m.c.StreamStateAt(m.seq)
				}
			},
			"handled": func(t *rapid.T) {
				m.handled = rapid.Uint64Range(m.handled, m.c.delivered.Load()).Draw(t, "handled")
				if durable {
					m.handled = m.seq // a batch is committed with its state
					m.committed = m.given
				}
				m.c.Handled(m.handled)
			},
			"send": func(t *rapid.T) {
				id := fmt.Sprint("m", len(m.wrote))
				if _, err := m.c.Send(&perch.MessageOut{ID: id, To: "bob@a.test", Body: id}); err != nil {
					t.Fatalf("m.c.Send(): got error %v, want none", err)
				}
				m.wrote = append(m.wrote, id)
			},
			"arrive": func(t *rapid.T) { m.arrived = rapid.IntRange(m.arrived, len(m.wrote)).Draw(t, "arrived") },
			"ack": func(t *rapid.T) {
				m.told = m.arrived
				m.c.mu.Lock()
				through, err := m.c.serverHas(uint32(base + uint64(m.told)))
				m.c.mu.Unlock()
				if err != nil || through > uint64(m.told) {
					t.Fatalf("through %d of %d, %v; want no error, at most %v", through, m.told, err, uint64(m.told))
				}
				if through > 0 {
					m.c.delivered.Add(1)
				}
			},
			"": func(t *rapid.T) { m.check(t, base, durable) },
		})
	})
}

func (m *streamModel) check(t *rapid.T, base uint64, durable bool) {
	m.c.mu.Lock()
	h := m.c.sm.h
	m.c.mu.Unlock()
	may := base
	for _, seq := range m.seqs {
		if seq > m.handled {
			break
		}
		may++
	}
	if h > may || !durable && h != may {
		t.Fatalf("h is %d, %d may be claimed; want at most %v, h %v", h, may, may, may)
	}
	if durable && h > parseStreamState(m.committed).In {
		t.Fatalf("h is %d, the state that is committed says %d; want at most %v", h, parseStreamState(m.committed).In, parseStreamState(m.committed).In)
	}
	blob := m.given
	if !durable {
		return // asking for a state would change what follows
	}
	m.checkResume(t, base, blob)
}

// checkResume resumes a state that was given out at some time: what it lacks of the messages
// was written later.
func (m *streamModel) checkResume(t *rapid.T, base uint64, blob []byte) {
	st := parseStreamState(blob)
	r, _ := st.restore(uint32(base + uint64(m.arrived)))
	if r == nil {
		t.Fatalf("%d arrived; refused: got %s, want it not refused", m.arrived, blob)
	}
	knows := int(st.Acked-base) + len(st.Unacked)
	var want []string
	for i := m.arrived; i < knows; i++ {
		want = append(want, m.wrote[i])
	}
	var got []string
	for _, u := range r.queue {
		got = append(got, u.id)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || r.surplus != (m.arrived > knows) || uint32(r.acked) != uint32(base+uint64(m.arrived)) {
		t.Fatalf("%d of %d arrived, the state knows %d: written again %v, want %v, surplus %v", m.arrived, len(m.wrote), knows, got, want, r.surplus)
	}
}

// newStoppedTimer is one that the model's connection may set, and that does nothing.
func newStoppedTimer() *time.Timer { return time.AfterFunc(time.Hour, func() {}) }
