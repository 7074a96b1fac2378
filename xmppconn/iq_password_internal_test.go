package xmppconn

import (
	"context"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
)

// TestPasswordOnTheWire: the request goes to the server of the account, and while it waits for its answer
// the state of the stream has a question in its place: no store sees the password.
func TestPasswordOnTheWire(t *testing.T) {
	smBubble(t, "changed", func(t *testing.T, s *smServer) {
		c, _, p := s.connect(nil)
		secret := canary.Secret()
		say(t, c, "m-1")
		p.expect(nsClient, "message")
		changed := make(chan error, 1)
		go func() { changed <- c.ChangePassword(context.Background(), perch.NewSecret(secret)) }()
		iq := p.expect(nsClient, "iq")
		query := iq.Child("jabber:iq:register", "query")
		if iq.Attr("to") != "a.test" || iq.Attr("type") != "set" || query.ChildText("jabber:iq:register", "username") != "me" || query.ChildText("jabber:iq:register", "password") != secret {
			t.Errorf("got a request to %q of type %q, want it to a.test with name and password", iq.Attr("to"), iq.Attr("type"))
		}
		blob := c.StreamState()
		if st := stateOf(t, blob); strings.Contains(string(blob), secret) || len(st.Unacked) != 2 || !strings.Contains(st.Unacked[1].XML, nsPing) {
			t.Errorf("got a state of %d stanzas, want two, and no password in it", len(st.Unacked))
		}
		p.result(iq, "")
		if err := <-changed; err != nil {
			t.Errorf("ChangePassword(): got error %v, want none", err)
		}
	})
	bubble(t, "on an upstream without passwords", func(t *testing.T) {
		_, c, _, p := online(t, messengerUp())
		if err := c.ChangePassword(context.Background(), perch.NewSecret(canary.Secret())); perch.KindOf(err) != perch.KindFeatureUnsupported {
			t.Errorf("ChangePassword(): got %v, want %s", err, perch.KindFeatureUnsupported)
		}
		c.Abort()
		if said := p.rest(); said != "" {
			t.Errorf("the client sent %d bytes, want nothing", len(said))
		}
	})
}
