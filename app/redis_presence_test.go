package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestPresenceIsInRedis follows a buddy's presence into Redis, and reads it from there
// while the upstream is away.
func TestPresenceIsInRedis(t *testing.T) {
	l := loginNamed("prosody SCRAM-SHA-1")
	k := newRedisWorld(t, l)
	k.start(t)
	k.peer = k.server.SlixmppFor(t, k.bob)
	k.peer.Presence(t, "", "")
	k.api = l.signIn(t, k.app, k.server, k.alice)
	stream := live(t, k.api, "")
	k.befriend(t, stream)

	k.wantContact(t, "roster", k.bob.JID, `"subscription":"both"`, `"name":"Bob"`)
	k.wantContact(t, "presence", k.bob.JID, `"available":true`)
	k.peer.Presence(t, "dnd", "au travail 🎣")
	k.wantContact(t, "presence", k.bob.JID, `"available":true`, `"show":"dnd"`, "au travail 🎣")
	k.peer.Unavailable(t)
	k.wantContact(t, "presence", k.bob.JID, `"available":false`)
	second := k.server.SlixmppFor(t, k.bob)
	second.Presence(t, "xa", "")
	k.wantContact(t, "presence", k.bob.JID, `"show":"xa"`)
	k.peer.Presence(t, "dnd", "")
	k.wantContact(t, "presence", k.bob.JID, resource(k.peer.JID), resource(second.JID))
	stream.Expect(t, "bob busy", k.presence(true, "dnd"))

	k.proxy.Down()
	stream.Expect(t, "reconnecting", state("reconnecting"))
	k.wantStale(t)
	k.wantContact(t, "presence", k.bob.JID, `"available":true`, `"show":"dnd"`)
	if p := k.api.Get(t, "/v1/presence").Find("items", "jid", k.bob.JID); !p.Bool("stale") || len(p.List("resources")) != 2 {
		t.Errorf("without a link, GET /v1/presence: %v, want stale true and 2", p)
	}
	k.proxy.Up(t)
	k.wantFresh(t, "dnd")
	k.api.Call(t, http.StatusNoContent, http.MethodDelete, "/v1/session", nil)
	keys, err := k.keys.Keys(t.Context(), "perch:*{*").Result()
	keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, "perch:{nodes}:") })
	if err != nil || len(keys) != 0 {
		t.Errorf("signed out, and left %v %v, want no error and 0", keys, err)
	}
	if row := k.contact(t, "presence", k.bob.JID); row != "" {
		t.Errorf("signed out, and left %s, want %q", row, "")
	}
}

func resource(full string) string {
	_, name, _ := strings.Cut(full, "/")
	return name
}
