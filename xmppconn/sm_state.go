package xmppconn

import (
	"cmp"
	"encoding/json"

	"github.com/perch-im/perch"
)

// streamState is what resuming a stream needs: Conn.StreamState as JSON. A blob of another
// version is not resumed.
type streamState struct {
	Version  int                `json:"v"`
	ID       string             `json:"id"`
	Location string             `json:"location,omitempty"`
	Max      int                `json:"max,omitempty"`
	JID      perch.JID          `json:"jid"`
	Caps     perch.Capabilities `json:"caps"`
	Versions bool               `json:"versions,omitempty"` // of the roster
	In       uint64             `json:"in"`                 // inbound stanzas that are handled
	Acked    uint64             `json:"acked"`              // outbound stanzas that are with the server for sure
	Unacked  []unackedState     `json:"unacked,omitempty"`
}

type unackedState struct {
	XML string `json:"x"`
	ID  string `json:"id,omitempty"`
}

const streamStateVersion = 1

// parseStreamState returns nil for what cannot be resumed.
func parseStreamState(blob []byte) *streamState {
	var st streamState
	if len(blob) == 0 || json.Unmarshal(blob, &st) != nil || st.Version != streamStateVersion ||
		st.ID == "" || st.JID.Resource() == "" {
		return nil
	}
	return &st
}

// StreamState is StreamStateAt for what the session has handled.
func (c *Conn) StreamState() []byte { return c.StreamStateAt(c.handled.Load()) }

// StreamStateAt is what resuming the stream needs (XEP-0198, 5), as it will be once everything
// that was delivered up to seq is handled. Nil: this stream cannot be resumed.
//
// From the first call on, no more is acknowledged than a state has that was given out and then
// covered by a call of Handled with its seq: a resumption from the newest stored state misses no
// stanza.
func (c *Conn) StreamStateAt(seq uint64) []byte {
	c.mu.Lock()
	defer c.unlock()
	m := c.sm
	if m == nil || c.closing || c.streamClosed {
		return nil
	}
	st := streamState{
		Version: streamStateVersion, ID: m.id, Location: m.location, Max: m.max, JID: c.login.JID,
		Caps: c.login.Capabilities, Versions: c.rosterVer, In: m.handledAt(seq), Acked: m.base,
	}
	st.Caps.Search = st.Caps.Search || c.SearchesArchive()
	m.stateGiven = true
	if n := len(m.pins); n == 0 || m.pins[n-1] != (mark{st.In, seq}) {
		m.pins = append(m.pins, mark{st.In, seq})
	}
	for _, u := range m.queue {
		if u.ack != 0 && u.ack <= seq {
			st.Acked++
			continue
		}
		st.Unacked = append(st.Unacked, unackedState{cmp.Or(u.stored, string(u.xml)), u.id})
	}
	blob, err := json.Marshal(&st)
	if err != nil {
		return nil
	}
	return blob
}

// restore makes the stream of a state, of which the server has received h stanzas, and says
// how many of them have a number. Nil: the server has less than it said before.
func (st *streamState) restore(h uint32) (m *management, numbered uint64) {
	has := uint64(h - uint32(st.Acked))
	if has >= 1<<31 {
		return nil, 0
	}
	m = &management{
		id: st.ID, location: st.Location, max: st.Max, counting: true, replay: true,
		in: st.In, h: st.In, base: st.Acked + has, acked: st.Acked + has, known: map[string]uint64{},
	}
	m.out = max(m.acked, st.Acked+uint64(len(st.Unacked)))
	// More was written than the state has when the process ended before one could be stored.
	m.surplus = has > uint64(len(st.Unacked))
	for i, u := range st.Unacked {
		var num uint64
		if uint64(i) >= has {
			if u.ID != "" {
				numbered++
				num = numbered
			}
			m.queue = append(m.queue, unacked{xml: []byte(u.XML), id: u.ID, num: num})
			m.bytes += len(u.XML)
		}
		if u.ID != "" {
			m.known[u.ID] = num
		}
	}
	m.ackRequested = m.acked
	return m, numbered
}
