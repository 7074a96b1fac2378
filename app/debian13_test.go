//go:build debian13

package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// TestTokenInPlaceOfThePassword: a session that is restored signs in with the token that the server has given it,
// by SASL2, and not with its password; its stream is resumed with the same request.
func TestTokenInPlaceOfThePassword(t *testing.T) {
	for name, server := range map[string]func(testkit.TB) *testkit.Server{
		"prosody SCRAM-SHA-256":  func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
		"ejabberd SCRAM-SHA-512": testkit.Ejabberd,
	} {
		t.Run(name, func(t *testing.T) {
			l := loginNamed(name)
			l.server = server // it is started anew
			k := newRedisWorld(t, l)
			k.o.SealKeys = sealKeys(1)
			k.start(t)
			k.api.Token = k.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/session", map[string]string{"jid": k.alice.JID, "password": k.alice.Password}).JSON(t).Str("token")
			resource := k.api.Get(t, "/v1/session").Str("resource")
			k.shows(t, "perch_xmpp_token_sign_ins_total", 0)

			k.end(t)
			k.start(t)
			k.online(t)
			k.shows(t, "perch_xmpp_token_sign_ins_total", 1)
			k.shows(t, "perch_xmpp_tokens_refused_total", 0)
			k.shows(t, "perch_xmpp_resumes_total", 1)
			if got := k.api.Get(t, "/v1/session").Str("resource"); got != resource {
				t.Errorf("got the resource %q, want %q: the stream is the same", got, resource)
			}

			// A stream that the server knows no more is bound again in one step, by the next token.
			k.end(t)
			k.server.Restart(t)
			k.start(t)
			k.online(t)
			k.shows(t, "perch_xmpp_sign_ins_total", 1)
			k.shows(t, "perch_xmpp_token_sign_ins_total", 1)

			k.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
			k.shows(t, "perch_xmpp_tokens_refused_total", 0)
		})
	}
}

// TestModerationOfToday: a moderator takes back what somebody else has said, and everybody what he has said
// himself, by the versions of XEP-0424 and XEP-0425 that both servers have.
func TestModerationOfToday(t *testing.T) {
	for _, l := range roomLogins() {
		t.Run(l.name, func(t *testing.T) {
			r := newRoomWorld(t, newWorld(t, l, l.server(t)))
			rude := r.bobSays("m1", "rude")
			r.api.Call(t, http.StatusNoContent, http.MethodDelete, r.talk+"/"+rude.Str("ref")+"?reason=manners", nil)
			r.reaches("the moderation", "urn:xmpp:message-retract:1", "urn:xmpp:message-moderate:1", rude.Str("room_stanza_id"), "manners")
			if d := r.about("message.retracted", rude.Str("ref")); !d.Bool("moderated") || d.Str("reason") != "manners" {
				t.Errorf("got %v, want it retracted by the room, with the reason", d)
			}

			his := r.bobSays("m2", "not this")
			r.bobSends("m3", "<retract xmlns='urn:xmpp:message-retract:1' id='"+his.Str("room_stanza_id")+"'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/><body>I retract</body>")
			if d := r.about("message.retracted", his.Str("ref")); d.Bool("moderated") || d.Str("by") != r.room+"/Bob" {
				t.Errorf("got %v, want it retracted by Bob", d)
			}
			mine := r.aliceSays("m4", "nor this")
			r.verb(http.MethodDelete, mine.Str("ref"), nil)
			r.reaches("the retraction", "urn:xmpp:message-retract:1", `id="`+mine.Str("room_stanza_id")+`"`)
			r.about("message.retracted", mine.Str("ref"))

			// ejabberd takes what is retracted out of the archive of the room, and Prosody leaves a tombstone.
			testkit.Eventually(t, 20*time.Second, func() error {
				for _, body := range r.bodies() {
					if body == "rude" || body == "not this" || body == "nor this" {
						return fmt.Errorf("the history still shows %q", body)
					}
				}
				return nil
			})
		})
	}
}
