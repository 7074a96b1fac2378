package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestNicknames: a nickname that a foreign client publishes (XEP-0172) is in its buddy at once, with an event for
// each, also one that was published while alice was away; and what is set here is read there.
func TestNicknames(t *testing.T) {
	for _, l := range roomLogins() {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			nicked := func(name, nick string) func(testkit.Frame) bool {
				return func(f testkit.Frame) bool {
					return f.Type == "roster.item" && f.Data.Str("jid") == w.bob.JID && f.Data.Str("nick") == nick && f.Data.Str("name") == name
				}
			}
			path := "/v1/buddies/" + testkit.Escape(w.bob.JID)
			w.peer.SetNick(t, "Bobby \U0001f431")
			stream.Expect(t, "a nickname", nicked("Bob", "Bobby \U0001f431"))
			w.api.Call(t, http.StatusOK, http.MethodPatch, path, map[string]string{"name": ""})
			stream.Expect(t, "no name in the roster", nicked("Bobby \U0001f431", "Bobby \U0001f431"))
			w.api.Call(t, http.StatusOK, http.MethodPatch, path, map[string]string{"name": "Robert"})
			stream.Expect(t, "the name of the roster", nicked("Robert", "Bobby \U0001f431"))
			w.peer.SetNick(t, "Bo")
			stream.Expect(t, "another nickname", nicked("Robert", "Bo"))
			w.peer.SetNick(t, "")
			stream.Expect(t, "none any more", nicked("Robert", ""))
			w.peer.SetNick(t, "B.")
			stream.Expect(t, "one again", nicked("Robert", "B."))
			if b := w.api.Get(t, path); b.Str("nick") != "B." || b.Str("name") != "Robert" {
				t.Errorf("got %v, want B. of Robert", b)
			}

			wants := func(want string) {
				t.Helper()
				testkit.Eventually(t, 10*time.Second, func() error {
					if nick, card := w.peer.Nick(t, w.alice.JID); nick != want || card != want {
						return fmt.Errorf("got the nickname %q and in the card %q, want %q in both", nick, card, want)
					}
					return nil
				})
			}
			w.api.Call(t, http.StatusNoContent, http.MethodPut, "/v1/vcards/me/nick", map[string]string{"nick": "Al & <Co>"})
			wants("Al & <Co>")
			if card := w.api.Get(t, "/v1/vcards/me"); card.Str("nickname") != "Al & <Co>" {
				t.Errorf("got the card %v, want the nickname", card)
			}
			w.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/vcards/me/nick", nil)
			wants("")

			w.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
			w.peer.SetNick(t, "Late Bob")
			w.api = l.signIn(t, w.app, w.server, w.alice)
			live(t, w.api, "") // ejabberd holds nicknames back while no client listens (XEP-0352)
			testkit.Eventually(t, 10*time.Second, func() error {
				if b := w.api.Get(t, path); b.Str("nick") != "Late Bob" || b.Str("name") != "Robert" {
					return fmt.Errorf("after a login: got %v, want the nickname that was set meanwhile", b)
				}
				return nil
			})
		})
	}
}
