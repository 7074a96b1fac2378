package today

import (
	"strings"
	"time"

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
}

// BeforeTLS ends nothing: all that is offered there is STARTTLS.
func (st *stream) BeforeTLS() error { return nil }

// Deadline ends a stream that has sent no element for Options.IdleTimeout.
func (st *stream) Deadline(last time.Time) (time.Time, string) {
	return last.Add(st.s.o.IdleTimeout), "connection-timeout"
}

// Leave ends the session of a lost connection.
func (st *stream) Leave() {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if st.x != nil && st.x.conn == st.conn {
		st.s.signOut(st.x)
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
	if e.Name.Space != xmppserver.NSClient {
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
	return nil
}
