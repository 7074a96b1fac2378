package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// stanzaEvents is the part of a session that gives stanzas, which nothing else is made of, to the event
// streams that ask for them. The connection makes none while there is no such stream: what others ask of the
// account is refused at once then. They are never stored.
type stanzaEvents struct {
	host    interface{ stream() *link }
	subs    *subscribers
	journal journal
	allowed bool // by the operator
}

// attended is called whenever the number of subscribers, or what one of them asks for, may have changed.
func (se *stanzaEvents) attended() {
	l := se.host.stream()
	if l == nil {
		return
	}
	wanted := se.allowed && se.subs.asks(perch.EventStanza)
	conn, ok := l.conn.(StanzaConn)
	if !ok || l.listening == wanted {
		return
	}
	l.listening = wanted
	conn.ListenStanzas(wanted)
}

// apply implements part.
func (se *stanzaEvents) apply(in perch.Inbound, _ *link) bool {
	s, ok := in.(*perch.StanzaIn)
	if ok && se.subs.asks(perch.EventStanza) {
		se.journal.Ephemeral(perch.EventStanza, "", s.RawStanza)
	}
	return ok
}

// online implements part: a connection begins without anybody who listens.
func (se *stanzaEvents) online(bool) { se.attended() }

func (*stanzaEvents) restore(context.Context, *Saved) error { return nil }
func (*stanzaEvents) offline(*link)                         {}
func (*stanzaEvents) stop()                                 {}
