package web_test

import (
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// TestClient runs perch.js under node against the real gateway.
func TestClient(t *testing.T) {
	node(t, "client.mjs", newStage(t).env()...)
}

// TestStore runs the tests of perch.js's store, which need no gateway.
func TestStore(t *testing.T) {
	node(t, "store.mjs")
}

// TestSlices runs what a framework reads of the state, without a gateway.
func TestSlices(t *testing.T) {
	node(t, "slices.mjs")
}

// TestRelations gives edits, retractions, reactions, messages and pages of the archive to the store
// in every order, without a gateway.
func TestRelations(t *testing.T) {
	node(t, "relations.mjs")
}

// TestChanges runs what the account does to messages, without a gateway.
func TestChanges(t *testing.T) {
	node(t, "changes.mjs")
}

// TestConversations runs the list of conversations, without a gateway.
func TestConversations(t *testing.T) {
	node(t, "conversations.mjs")
}

// TestRooms runs rooms, who is in them and what is said there, without a gateway.
func TestRooms(t *testing.T) {
	node(t, "rooms.mjs")
}

// TestBlockedStore runs the block list in the store, without a gateway.
func TestBlockedStore(t *testing.T) {
	node(t, "blocked.mjs")
}

// TestUploads brings files to an upload service, straight and through a gateway that stands in.
func TestUploads(t *testing.T) {
	node(t, "uploads.mjs")
}

// pushed lets a gateway reach push services of the tests.
var pushed = []string{"--push-allow", "127.0.0.0/8", "--push-contact", "mailto:push@example.org"}

// TestPush has a push service, and a decoder that is not ours, see what the gateway sends.
func TestPush(t *testing.T) {
	node(t, "push.mjs", newStage(t, pushed...).env()...)
}

// TestPushAgain has a browser that stands in make another subscription, without a gateway.
func TestPushAgain(t *testing.T) {
	node(t, "push_again.mjs")
}

// TestStream runs the event stream on a clock of its own, without a gateway.
func TestStream(t *testing.T) {
	node(t, "stream.mjs")
}

// TestCommands runs what a page without a token sends, on a clock of its own, without a gateway.
func TestCommands(t *testing.T) {
	node(t, "commands.mjs")
}

// TestOutbox runs what waits to be sent on a clock of its own, without a gateway.
func TestOutbox(t *testing.T) {
	node(t, "outbox.mjs")
}

// TestClientOutages writes messages in 200 outages, on both transports at once.
func TestClientOutages(t *testing.T) {
	node(t, "outages.mjs", newStage(t).env()...)
}

// TestClientTorture cuts the streams of perch.js 500 times, on both transports.
func TestClientTorture(t *testing.T) {
	node(t, "torture.mjs", newStage(t).env()...)
}

// TestClientOverRestarts kills and stops the gateway under perch.js; Redis keeps the log.
func TestClientOverRestarts(t *testing.T) {
	redis := testkit.Redis(t, testkit.RedisOptions{})
	node(t, "restarts.mjs", newStage(t, "--redis-url", "redis://"+redis.Addr, "--secret", "a secret of the tests that is long enough").env()...)
}

// TestClientOverExpiry lets the log forget what perch.js has missed: a reset, and the
// archive fills the hole.
func TestClientOverExpiry(t *testing.T) {
	node(t, "expiry.mjs", newStage(t, "--retention-events", "5").env()...)
}
