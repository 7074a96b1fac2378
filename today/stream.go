package today

import (
	"strings"
	"time"

	"github.com/xdg-go/scram"
	wire "mellium.im/xmpp/stream"

	"github.com/perch-im/perch/internal/xmppserver"
)

// stream is one connection to the service: an xmppserver.Handler. Its fields belong to the goroutine
// that reads the connection.
type stream struct {
	s    *Service
	conn *xmppserver.Conn
	acct *account // after SASL
	x    *session // after bind

	bindings map[string]scram.ChannelBinding // by type
}

// BeforeTLS ends nothing: all that is offered there is STARTTLS.
func (st *stream) BeforeTLS() error { return nil }

// Deadline ends a stream that has sent no element for Options.IdleTimeout.
func (st *stream) Deadline(last time.Time) (time.Time, string) {
	return last.Add(st.s.o.IdleTimeout), "connection-timeout"
}

// Leave ends the session of a connection, or keeps it for a while if it can be resumed.
func (st *stream) Leave() {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	switch x := st.x; {
	case x == nil || x.conn != st.conn:
	case x.sm != nil && x.sm.id != "" && st.conn.Lost():
		x.park()
	default:
		st.s.signOut(x)
	}
}

// Element handles one stanza.
func (st *stream) Element(e *xmppserver.Element) error {
	s, x := st.s, st.x
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.conn != st.conn { // ended while the element was on its way
		return nil
	}
	switch e.Name.Space {
	case xmppserver.NSClient:
	case nsSM:
		return x.manage(e)
	case nsCSI:
		return x.setState(e)
	default:
		return wire.UnsupportedStanzaType
	}
	if f := e.Get("from"); f != "" && f != x.Full && !strings.EqualFold(f, x.acct.Bare) {
		return wire.InvalidFrom
	}
	switch e.Name.Local {
	case "message":
		s.message(x, e)
	case "presence":
		s.presence(x, e)
	case "iq":
		s.iq(x, e)
	default:
		return wire.UnsupportedStanzaType
	}
	if x.sm != nil {
		x.sm.in++
	}
	return nil
}
