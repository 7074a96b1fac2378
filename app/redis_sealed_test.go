package app_test

import (
	"bytes"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
)

func sealKeys(keys ...byte) (list [][]byte) {
	for _, k := range keys {
		list = append(list, bytes.Repeat([]byte{k}, 32))
		canary.Note(string(list[len(list)-1]))
	}
	return list
}

// TestSealedSessionsAreRestored restarts a gateway that may keep credentials: alice is
// online again before her client has asked for anything, also after her key was replaced, and
// her buddies see nothing of it.
func TestSealedSessionsAreRestored(t *testing.T) {
	l := loginNamed("prosody SCRAM-SHA-256")
	k := newRedisWorld(t, l)
	k.peer = k.server.SlixmppFor(t, k.bob)
	k.peer.Presence(t, "", "")
	k.o.SealKeys = sealKeys(1)
	k.start(t)
	k.api.Token = l.signIn(t, k.app, k.server, k.alice).Token
	stream := live(t, k.api, "")
	k.befriend(t, stream)
	stream.Close()
	var client ledger
	client.open(t, k.api)
	client.until(t, "live", func(f testkit.Frame) bool { return f.Type == "live" })

	var sent []string
	for i, c := range []struct {
		name  string
		keys  [][]byte
		start func(*testing.T)
	}{
		{"a second key", sealKeys(2, 1), k.start},
		{"the second alone, killed in the end", sealKeys(2), func(t *testing.T) { k.startProgram(t, syscall.SIGKILL) }},
		{"after kill -9", sealKeys(2), k.start},
	} {
		t.Log("===", c.name)
		body := c.name + ", unterwegs"
		k.peer.Discard()
		k.end(t)
		client.stream.Close()
		k.peer.Presence(t, []string{"away", "xa"}[i%2], "")
		k.peer.Message(t, k.alice.JID, body)
		sent = append(sent, body)
		k.o.SealKeys = c.keys
		c.start(t)
		k.wantLogins(t, i+2) // no client has asked for it
		client.open(t, k.api)
		client.received(t, body)
		k.wantFresh(t, []string{"away", "xa"}[i%2])
		k.wantLogins(t, i+2)
		for _, e := range k.peer.Discard() {
			if e.Event == "presence" && strings.HasPrefix(e.From, k.alice.JID) {
				t.Errorf("the stream was resumed, but bob saw alice come or go: %+v, want none", e)
			}
		}
	}

	t.Log("=== a foreign key opens nothing")
	k.end(t)
	client.stream.Close()
	k.o.SealKeys = sealKeys(3)
	k.start(t)
	wantProblem(t, k.api.Call(t, http.StatusUnauthorized, http.MethodGet, "/v1/presence", nil), "unauthorized")
	l.signIn(t, k.app, k.server, k.alice)
	client.open(t, k.api) // the old token is good again, and so is the cursor
	k.peer.Message(t, k.alice.JID, "and now?")
	client.received(t, "and now?")
	k.wantLogins(t, 5)
	client.wantWhole(t, append(sent, "and now?"))
}
