package sessions

import (
	"context"

	"github.com/perch-im/perch"
)

// NickConn is what a Conn may have besides: the nickname of the account, which its contacts hear of (XEP-0172), and
// that of its card (XEP-0054), as far as the server has them. The error is of perch.KindFeatureUnsupported where it
// has neither, and nothing is sent.
type NickConn interface {
	// SetNick sets it; "" takes it back.
	SetNick(ctx context.Context, nick string) error
}

// SetNick gives the account of a session a nickname, or with "" none. It waits for the upstream.
func SetNick(ctx context.Context, s *Session, nick string) error {
	conn, err := s.request(ctx, "store nicknames", func(c perch.Capabilities) bool { return !c.ChatOnly })
	if err != nil {
		return err
	}
	nicks, ok := conn.(NickConn)
	if !ok {
		return perch.Errorf(perch.KindFeatureUnsupported, "this upstream cannot store nicknames")
	}
	if err := nicks.SetNick(ctx, nick); err != nil {
		return err
	}
	own := perch.JID("")
	if err := s.call(ctx, func() { own = s.state.JID.Bare() }); err != nil {
		return err
	}
	_, _ = s.VCard(ctx, own, true) // the cache has the new one; when it cannot be read now, later
	return nil
}

// applyNick keeps the nickname of a contact; another one is an event. Of who is no contact nothing is kept. Servers
// say it with each login, and some of them twice.
func (ro *roster) applyNick(in *perch.NickIn) {
	k := ro.contacts.Get(in.From.Bare())
	if k == nil || !ro.setText(k, &k.Nick, clipTo(in.Nick, maxName), maxName) {
		return
	}
	ro.keep(k)
	ro.journal.Durable(perch.EventRosterItem, k.View())
}
