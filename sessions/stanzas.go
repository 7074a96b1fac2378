package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// Stanzas are what clients of a session write themselves, past all that it keeps: nothing of it is in the
// outbox, and nothing is sent again.
type Stanzas struct{ s *Session }

// StanzasOf are those of a session.
func StanzasOf(s *Session) Stanzas { return Stanzas{s} }

// Send sends one, and returns the answer of an iq; see StanzaConn, also for maySend.
func (st Stanzas) Send(ctx context.Context, xml string, maySend func() error) (answer string, err error) {
	conn, err := st.s.request(ctx, "take stanzas of clients", func(c perch.Capabilities) bool { return !c.ChatOnly })
	if err != nil {
		return "", err
	}
	sc, ok := conn.(StanzaConn)
	if !ok {
		return "", perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot take stanzas of clients")
	}
	return sc.SendStanza(ctx, xml, func(to perch.JID) error { return st.mayEnter(ctx, to) }, maySend)
}

// mayEnter refuses presence to a room: it would join or leave, of which the session knows nothing.
func (st Stanzas) mayEnter(ctx context.Context, to perch.JID) error {
	return st.s.callErr(ctx, func() error {
		if roomsOf(st.s).isRoomArchive(to.Bare()) {
			return perch.Errorf(perch.KindForbidden, "presence is sent to rooms by PUT and DELETE /v1/rooms/{jid}")
		}
		return nil
	})
}
