package cache

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch/sessions"
)

// SetNow moves the clock by which a store trims logs. Call it before anything is committed.
func (r *Redis) SetNow(now func() time.Time) { r.now = now }

// Plant replaces parts of the scripts that commit, open and prove, to see that the suite
// notices. Call it before anything is committed.
func (r *Redis) Plant(t testing.TB, edits ...string) {
	t.Helper()
	scripts := []string{trimLua + commitLua, serverLua + relistLua + laterLua + openLua, serverLua + proveLua}
	for i := 0; i < len(edits); i += 2 {
		n := slices.IndexFunc(scripts, func(src string) bool { return strings.Contains(src, edits[i]) })
		if n < 0 {
			t.Fatalf("no script has %q: got %v, want at least 0", edits[i], n)
		}
		scripts[n] = strings.Replace(scripts[n], edits[i], edits[i+1], 1)
	}
	r.commit, r.opening, r.proof = redis.NewScript(scripts[0]), redis.NewScript(scripts[1]), redis.NewScript(scripts[2])
}

// Client is the connection of the store itself.
func (r *Redis) Client() redis.UniversalClient { return r.client }

// Sequences counts the sessions that the writer remembers.
func (r *Redis) Sequences() int {
	r.writer.mu.Lock()
	defer r.writer.mu.Unlock()
	return len(r.writer.sequences)
}

// Keys names a session's keys that live as long as it, the state first.
func (r *Redis) Keys(id sessions.ID) []string { return r.keys.data(id) }

// ParseURL is parseURL.
var ParseURL = parseURL

// Held counts what the memory store keeps of a session beside its tables: events, and the
// records that end by themselves.
func (m *Memory) Held(id sessions.ID) (events, timed int) {
	r := m.find(id)
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.log.entries), r.messages.Len() + r.once.Len()
}

// Size counts what the memory store has of all sessions.
func (m *Memory) Size() (records, tokens, leading int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.records), len(m.tokens), len(m.leading)
}

// Observed is what a round trip costs beside itself.
func (r *Redis) Observed(ctx context.Context, op string) {
	r.observe(op, time.Time{}, r.trace(ctx, op, 1), nil)
}

// NoteFormatAgain has the next Beat note what is written, as it does after an hour.
func (r *Redis) NoteFormatAgain() { r.format.forget() }
