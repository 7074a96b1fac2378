package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// PhotoConn is what a Conn may have besides: the own picture, as an avatar (XEP-0084) and in the own card
// (XEP-0054), as far as the server has them. The error is of perch.KindFeatureUnsupported where it has neither, and
// nothing is sent.
type PhotoConn interface {
	// SetPhoto sets it; without data there is none.
	SetPhoto(ctx context.Context, data []byte) error
}

// SetPhoto gives the account of a session a picture, PNG, JPEG, GIF or WebP, or without data none. It waits for
// the upstream. Contacts hear of it by the next presence (XEP-0153), which is sent at once.
func SetPhoto(ctx context.Context, s *Session, data []byte) error {
	conn, err := s.request(ctx, "store photos", func(c perch.Capabilities) bool { return !c.ChatOnly })
	if err != nil {
		return err
	}
	photos, ok := conn.(PhotoConn)
	if !ok {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store photos")
	}
	if err := photos.SetPhoto(ctx, data); err != nil {
		return err
	}
	own := perch.JID("")
	if err := s.call(ctx, func() {
		own = s.state.JID.Bare()
		if s.state.Own.Available {
			_ = s.conn.Send(&perch.PresenceOut{OwnPresence: s.idle.presence()}) // without a stream the next login sends it
		}
	}); err != nil {
		return err
	}
	_, _ = s.VCard(ctx, own, true) // the cache has the new one; when it cannot be read now, later
	return nil
}
