package xmppconn

import (
	"fmt"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/smwire"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// management is the stream management of one connection (XEP-0198). Conn.mu guards it. Both
// counters are kept in 64 bits; only their lower halves are on the wire, so that they
// continue past 2^32.
//
// Inbound, a stanza counts as handled when the session has handled everything that came of
// it, and of every stanza before it. Outbound, a stanza stays in the queue until the session
// has handled the AckIn that reported it: a stored state is then never older than the events
// that are stored with it.
type management struct {
	id       string
	location string // where the server would like us to resume
	max      int    // seconds that the server keeps the stream; 0 = not said
	counting bool   // what the reader sees from here on counts
	replay   bool   // until the first <a/> of a resumed stream

	in         uint64 // stanzas that came
	h          uint64 // of these, handled
	marks      []mark // of the stanzas that are not handled
	pins       []mark // h of the states that were given out, oldest first
	stateGiven bool   // states are given out: h never passes one that is stored
	ackOwed    uint64 // an <r/> was answered with less than this; 0 = none

	out            uint64 // stanzas that were queued
	base           uint64 // of these, no longer in the queue
	acked          uint64 // of these, the server has
	queue          []unacked
	bytes          int
	ackRequested   uint64        // out at the last <r/>
	ackRequestedAt time.Duration // of an <r/> that is not answered yet; 0 = none

	known   map[string]uint64 // the messages in the state that was resumed; see Conn.ResumedMessages
	surplus bool              // the server has more of the stream than that state
}

// refusedResume is what is known of a stream that could not be resumed: the messages that arrived.
type refusedResume struct {
	delivered map[string]uint64
	surplus   bool
}

// mark says that the first in stanzas are handled once everything up to seq is.
type mark struct{ in, seq uint64 }

// unacked is a stanza that the server may not have.
type unacked struct {
	xml []byte
	id  string // of a message

	stored string // what a state has in the place of xml, which no store may see; "": xml
	num    uint64 // of Send; 0: none, or one of an earlier connection
	ack    uint64 // seq of the AckIn that reported it; 0: not yet acknowledged
}

const (
	ackRequestEvery  = 5  // stanzas; then the server is asked at once what it has
	maxUnackedQueues = 4  // times MaxQueue may wait for an acknowledgement
	stateEvery       = 64 // stanzas that no stored state covers; then the session gets the occasion to store one
)

// count notes a stanza from the server of which deliveries things will be delivered. The
// reader calls it before it delivers them, so that a state as of the last one includes it.
func (c *Conn) count(deliveries int) {
	c.mu.Lock()
	defer c.unlock()
	m := c.sm
	if m == nil || !m.counting {
		return
	}
	m.in++
	seq := c.delivered.Load()
	if c.err == nil && !c.closing {
		seq += uint64(deliveries)
	}
	if n := len(m.marks); n > 0 && m.marks[n-1].seq == seq {
		m.marks[n-1].in = m.in
	} else {
		m.marks = append(m.marks, mark{m.in, seq})
	}
	c.advance()
}

// advance moves h on. The caller holds mu.
func (c *Conn) advance() {
	m := c.sm
	if !m.stateGiven {
		m.h = m.handledAt(c.handled.Load())
	}
	for len(m.marks) > 0 && m.marks[0].in <= m.h {
		m.marks = m.marks[1:]
	}
	if len(m.marks) == 0 {
		m.marks = nil
	}
	if m.ackOwed != 0 && m.h >= m.ackOwed {
		m.ackOwed = 0
		c.sendAck()
	}
}

// handledAt is h once everything up to seq is handled.
func (m *management) handledAt(seq uint64) uint64 {
	h := m.h
	for _, k := range m.marks {
		if k.seq > seq {
			break
		}
		h = max(h, k.in)
	}
	return h
}

// handledUpTo is what Handled means for the stream. The caller holds mu.
func (c *Conn) handledUpTo(seq uint64) {
	m := c.sm
	n := 0
	for n < len(m.pins) && m.pins[n].seq < seq {
		m.h = max(m.h, m.pins[n].in)
		n++
	}
	if n < len(m.pins) && m.pins[n].seq == seq {
		m.h = max(m.h, m.pins[n].in)
		n++
	}
	if m.pins = m.pins[n:]; len(m.pins) == 0 {
		m.pins = nil
	}
	m.drop(seq)
	c.advance()
}

// drop forgets what the session knows to be with the server.
func (m *management) drop(seq uint64) {
	n := 0
	for n < len(m.queue) && m.queue[n].ack != 0 && m.queue[n].ack <= seq {
		m.bytes -= len(m.queue[n].xml)
		n++
	}
	m.base += uint64(n)
	clear(m.queue[:n])
	if m.queue = m.queue[n:]; len(m.queue) == 0 {
		m.queue = nil
	}
}

// sendAck sends the count of what is handled. The caller holds mu.
func (c *Conn) sendAck() {
	h := uint32(c.sm.h)
	_ = c.enqueue(func(b []byte) ([]byte, error) { return smwire.AppendAck(b, h), nil })
}

// requestAck asks the server what it has. The caller holds mu.
func (c *Conn) requestAck() {
	m := c.sm
	if c.enqueue(func(b []byte) ([]byte, error) { return smwire.AppendRequest(b), nil }) != nil {
		return // a full queue means that a write is blocked; its deadline will end the connection
	}
	m.ackRequested, m.ackRequestedAt = m.out, c.d.now()
	c.ackRequestAt = 0
}

// enqueueStanza is enqueue for what XEP-0198 counts. The caller holds mu.
func (c *Conn) enqueueStanza(id string, num uint64, encode func([]byte) ([]byte, error)) error {
	m := c.sm
	if m == nil {
		return c.enqueue(encode)
	}
	if m.bytes >= maxUnackedQueues*c.d.up.MaxQueue {
		return perch.Errorf(perch.KindTryLater, "too many stanzas are not acknowledged by the XMPP server")
	}
	var xml []byte
	err := c.enqueue(func(b []byte) ([]byte, error) {
		n := len(b)
		b, err := encode(b)
		if err == nil {
			xml = append(xml, b[n:]...)
		}
		return b, err
	})
	if err != nil {
		return err
	}
	m.out++
	m.bytes += len(xml)
	m.queue = append(m.queue, unacked{xml: xml, id: id, num: num})
	c.scheduleAckRequest()
	return nil
}

// handleSM takes <r/> and <a/>; everything else of XEP-0198 is not expected here.
func (c *Conn) handleSM(el *xmlstream.Element) error {
	in, ok := smwire.Parse(el)
	var through uint64
	var deliver bool
	var err error
	switch {
	case ok && in.Kind == smwire.Request:
		through, deliver, ok = c.acknowledge()
	case ok && in.Kind == smwire.Ack:
		through, ok, err = c.acknowledged(in.H)
		deliver = through > 0
	default:
		ok = false
	}
	switch {
	case !ok:
		c.d.counters.Malformed.Add(1)
	case err != nil:
		return err
	case deliver:
		c.deliver(&perch.AckIn{Through: through})
	}
	return nil
}

// acknowledge answers <r/>. When many stanzas are handled that no stored state covers, an AckIn
// with nothing new in it is delivered: an occasion for the session to store one. Ok is false
// when the stream has no stream management.
func (c *Conn) acknowledge() (through uint64, deliver, ok bool) {
	c.mu.Lock()
	defer c.unlock()
	m := c.sm
	if m == nil {
		return 0, false, false
	}
	if m.h < m.in {
		m.ackOwed = m.in
	}
	c.sendAck()
	return c.acked, m.stateGiven && m.handledAt(c.handled.Load()) >= m.h+stateEvery, true
}

// acknowledged takes <a/>. Ok is false when the stream has no stream management.
func (c *Conn) acknowledged(h uint32) (through uint64, ok bool, err error) {
	c.mu.Lock()
	defer c.unlock()
	if c.sm == nil {
		return 0, false, nil
	}
	through, err = c.serverHas(h)
	return through, true, err
}

// serverHas takes the server's count. Through is what an AckIn, which the reader has to
// deliver next, may say; 0: nothing new. The caller holds mu.
func (c *Conn) serverHas(h uint32) (through uint64, err error) {
	m := c.sm
	m.replay = false
	if m.ackRequestedAt != 0 {
		c.rtt.Store(int64(c.d.now() - m.ackRequestedAt))
		m.ackRequestedAt = 0
	}
	c.pingAt = 0
	n := uint64(h - uint32(m.acked))
	if n > m.out-m.acked {
		return 0, &xmlstream.Error{
			Condition: "undefined-condition", Detail: "the server acknowledged more stanzas than were sent",
			More: fmt.Sprintf("<handled-count-too-high xmlns='"+nsSM+"' h='%d' send-count='%d'/>", h, uint32(m.out)),
		}
	}
	from := m.acked - m.base
	m.acked += n
	seq := c.delivered.Load() + 1
	for i := from; i < m.acked-m.base; i++ {
		m.queue[i].ack = seq
		through = max(through, m.queue[i].num)
	}
	if through <= c.acked {
		through = 0
		c.ackedWithoutEvent(seq)
	} else {
		c.acked = through
	}
	if m.acked == m.out {
		c.ackWanted, c.ackRequestAt = c.sent, 0
	}
	c.checkAlive()
	return through, nil
}

// ackedWithoutEvent is for acknowledgements that no AckIn reports: only what came before them has
// to be handled. The caller holds mu.
func (c *Conn) ackedWithoutEvent(seq uint64) {
	m := c.sm
	for i := range m.queue {
		if m.queue[i].ack == seq {
			m.queue[i].ack = max(seq-1, 1)
		}
	}
	m.drop(c.handled.Load())
	if seq == 1 {
		m.drop(1)
	}
}

// ResumedMessages returns the messages that were on the resumed stream already, by id: the number that
// AckIn will refer to, or 0 when the server has the message. They are written again as far as
// the server lacks them. When more is true the server has received stanzas beyond the state
// that was given to Dial, and a message that is not among these may be one of them.
//
// On a stream that was not resumed written is nil, unless the server has said with its
// refusal how much of the earlier one had arrived: then it has the messages that are with the
// server, and nothing of what it lacks is written again.
func (c *Conn) ResumedMessages() (written map[string]uint64, more bool) {
	c.mu.Lock()
	defer c.unlock()
	if c.sm == nil {
		return nil, false
	}
	return c.sm.known, c.sm.surplus
}
