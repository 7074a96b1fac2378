package cache_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// fifty is what a usual session keeps: fifty buddies, each with a device online.
func fifty(n int) *sessions.Commit {
	c := &sessions.Commit{Record: &sessions.Record{
		JID: "user.number.0001@messenger.example/phone", RosterVersion: "v42", RosterKnown: true, Own: perch.OwnPresence{Available: true},
	}}
	var list []*contacts.Contact
	for i := range 50 {
		jid := perch.JID(fmt.Sprintf("%010d.%06d@messenger.example", 1_000_000_000+i*7919, n))
		list = append(list, &contacts.Contact{
			Buddy: perch.Buddy{JID: jid, Name: fmt.Sprint("Buddy Number ", i), Groups: []string{"Friends"}, Subscription: perch.SubscriptionBoth},
			Presence: contacts.Aggregate(jid, []perch.Resource{{
				Resource: "phone.4f3a2b", Show: perch.ShowAway, Status: "In a meeting", UpdatedAt: 1_700_000_000_000,
			}}, "", 1_700_000_000_000),
		})
	}
	c.Contacts.Replace(contacts.Of(list))
	return c
}

// received is an event as most of a log is made of.
func received(epoch string, offset uint64) *perch.Event {
	return perch.NewEvent(perch.Position{Epoch: epoch, Offset: offset}, perch.EventMessageReceived, 1_700_000_000_000, perch.Message{
		ID: "3f0c6a52-8d1e", StanzaID: "1700000000000001", From: "1000000000.000001@messenger.example/phone", To: "user@messenger.example",
		Kind: perch.ChatMessage, Body: "See you at the station at half past six, will you?", Source: perch.SourceLive,
	})
}

// The figures of docs/redis.md come from here; the bound only says that they still hold
// roughly.
func TestRedisSizeOfASession(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL(), client: server.Client(t)}
	s := w.open(t, cache.RedisOptions{})
	before := used(t, w.client)
	const n = 200
	for i := range n {
		owned(t, s, sessions.ID(fmt.Sprintf("%032x", i))).ok(fifty(i))
	}
	each := (used(t, w.client) - before) / n
	o := owned(t, s, sessions.ID(fmt.Sprintf("%032x", 0)))
	before = used(t, w.client)
	const events = 1000
	for i := range uint64(events) {
		o.ok(&sessions.Commit{Events: []*perch.Event{received(o.Epoch, i+1)}})
	}
	event := (used(t, w.client) - before) / events
	o.ok(&sessions.Commit{
		Messages: []*perch.MessageRecord{{ID: "0123456789abcdef", To: "a@messenger.example", Status: perch.StatusAcked, History: make([]perch.StatusChange, 3)}},
		Once:     &sessions.Once{Key: "0123456789abcdef", Fingerprint: strings.Repeat("f", 64), Answer: "0123456789abcdef"},
	})
	if _, err := s.Bind(t.Context(), strings.Repeat("a", 64), sessions.Binding{ID: o.id, Upstream: "messenger", JID: "user@messenger.example", Sealed: make([]byte, 100)}); err != nil {
		t.Fatalf("s.Bind: got error %v, want none", err)
	}
	asNode(t, s, o)
	t.Logf("a session with 50 buddies: %d bytes; an event of %d bytes: %d bytes", each, len(received(o.Epoch, 1).Wire), event)
	for _, key := range w.keys(t) {
		if strings.Contains(key, string(o.id)) || !strings.Contains(key, "{") || strings.Contains(key, "{nodes}") {
			size, err := w.client.MemoryUsage(t.Context(), key, 0).Result()
			if err != nil {
				t.Fatalf("client.MemoryUsage: got error %v, want none", err)
			}
			t.Logf("%8d %s", size, key)
		}
	}
	if each > 8<<10 || event > 1<<10 {
		t.Errorf("docs/redis.md promises less, want at most %v and at most %v", 8<<10, 1<<10)
	}
}

// TestRedisSizeOfConversations: the figure of docs/redis.md, with all that a conversation has.
func TestRedisSizeOfConversations(t *testing.T) {
	const n, most = 200, 1000
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL(), client: server.Client(t)}
	o := owned(t, w.open(t, cache.RedisOptions{}), sessions.ID(fmt.Sprintf("%032x", 0)))
	o.ok(&sessions.Commit{Conversations: chats(n)})
	each := w.size(t, ":conversations") / n
	t.Logf("a conversation: %d bytes", each)
	if each > most {
		t.Errorf("got %d bytes a conversation, want at most %d", each, most)
	}
}

// usual is a room as most are: joined, bookmarked, and read up to its last message.
func usual(i int) *sessions.StoredRoom {
	return &sessions.StoredRoom{
		JID:    perch.JID(fmt.Sprintf("room.number.%04d@rooms.messenger.example", i)),
		Wanted: sessions.RoomWanted{Bookmark: true, Nick: "User Number 1"},
		State:  perch.RoomStateJoined, Nick: "User Number 1", Role: perch.RoleParticipant, Affiliation: perch.AffiliationMember, Name: "What the team talks about",
		Features:  perch.RoomFeatures{Archive: true, OccupantIDs: true, MembersOnly: true, RealJIDs: true, Persistent: true},
		Bookmark:  &sessions.StoredBookmark{Bookmark: perch.Bookmark{AutoJoin: true, Name: "Team", Nick: "User Number 1", Store: "0402"}},
		ArchiveID: "1700000000000001", ArchiveAt: 1_700_000_000_000, JoinedAt: 1_600_000_000_000, LastSeenAt: 1_700_000_000_000,
	}
}

// TestRedisSizeOfRooms: the figure of docs/redis.md. A session without rooms has not one byte of them.
func TestRedisSizeOfRooms(t *testing.T) {
	const n, most = 100, 700
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL(), client: server.Client(t)}
	o := owned(t, w.open(t, cache.RedisOptions{}), sessions.ID(fmt.Sprintf("%032x", 0)))
	o.ok(fifty(0))
	for _, key := range w.keys(t) {
		if strings.HasSuffix(key, ":rooms") {
			t.Errorf("got the key %s, want none without a room", key)
		}
	}
	c := &sessions.Commit{}
	for i := range n {
		c.Rooms.Put = append(c.Rooms.Put, usual(i))
	}
	o.ok(c)
	each := w.size(t, ":rooms") / n
	t.Logf("a room: %d bytes", each)
	if each > most {
		t.Errorf("got %d bytes a room, want at most %d", each, most)
	}
}

// TestRedisSizeOfReaders: the figure of docs/redis.md. A session without readers has not one byte of them.
func TestRedisSizeOfReaders(t *testing.T) {
	const n, most = sessions.MaxReaders, 800
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL(), client: server.Client(t)}
	o := owned(t, w.open(t, cache.RedisOptions{}), sessions.ID(fmt.Sprintf("%032x", 0)))
	o.ok(fifty(0))
	if keys := w.keys(t); slices.ContainsFunc(keys, func(key string) bool { return strings.HasSuffix(key, ":readers") }) {
		t.Errorf("got the keys %q, want none of readers without one", keys)
	}
	c := &sessions.Commit{}
	for i := range n {
		c.Readers.Put = append(c.Readers.Put, &sessions.StoredReader{
			Kind: perch.WebhookReader, ID: fmt.Sprintf("bot-%02d", i), Sealed: make([]byte, 180), Created: 1_700_000_000_000, By: "abcdefghijklmnop",
			Spec:   perch.ReaderSpec{Types: []string{"message.*"}, When: perch.ReadAlways, Include: perch.IncludeFull},
			Cursor: perch.Position{Epoch: "abcdefghij", Offset: 123_456}, Sending: 123_556, Last: perch.ReaderAttempt{At: 1_700_000_000_000, Status: 200},
		})
	}
	o.ok(c)
	each := w.size(t, ":readers") / n
	t.Logf("a reader: %d bytes", each)
	if each > most {
		t.Errorf("got %d bytes a reader, want at most %d", each, most)
	}
}

// chats are conversations as most are, with a last message, and read by both sides.
func chats(n int) (c conversations.Change) {
	for i := range n {
		s := conversations.State{
			JID: perch.JID(fmt.Sprintf("user.number.%04d@messenger.example", i)), Kind: perch.ChatConversation, Notify: perch.NotifyAll,
			At: 1_700_000_000_000, Last: 1, Unread: 3, Read: 2, ReadID: 3, ReadAt: 1_699_999_000_000, PeerRead: 4, PeerReadAt: 1_699_999_000_000,
		}
		last := string(perch.Message{ID: "3f0c6a52-8d1e", Ref: "iM2YwYzZhNTItOGQxZQ", StanzaID: "1700000000000001", From: s.JID + "/phone", To: "user@messenger.example",
			Kind: perch.ChatMessage, Body: "See you at the station at half past six, will you?", Source: perch.SourceLive}.AppendJSON(nil))
		read := `{"ref":"iM2YwYzZhNTItOGQxZQ","time":"2023-11-14T22:13:20.000Z","stanza_id":"1700000000000001"}`
		c.Note(c.Table.Put(&s), s.Key(), &conversations.Details{Last: &last, Read: &read, PeerRead: &read})
	}
	return c
}

// TestMemoryStoreSharesConversations: the store adds the details to what the session has, and no other
// copy of the states.
func TestMemoryStoreSharesConversations(t *testing.T) {
	const n, sessionsOf, most = 200, 50, 16 // bytes for each state, were it not for the table
	var c conversations.Change
	for s := range chats(n).Table.All() {
		c.Note(c.Table.Put(&s), s.Key(), nil)
	}
	m := cache.NewMemory(cache.MemoryOptions{})
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	var before, after runtime.MemStats
	var fences [sessionsOf]uint64
	id := func(i int) sessions.ID { return sessions.ID(fmt.Sprintf("%032x", i)) }
	for i := range fences {
		saved, err := m.Open(t.Context(), id(i), sessions.OpenOptions{})
		if err != nil {
			t.Fatalf("m.Open: got error %v, want none", err)
		}
		fences[i] = saved.Fence
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i, fence := range fences {
		if r := m.CommitNow(id(i), &sessions.Commit{Fence: fence, Conversations: c}); r.Err != nil {
			t.Fatalf("m.CommitNow: got error %v, want none", r.Err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / sessionsOf / n; each > most {
		t.Errorf("got %.1f bytes a conversation beside those of the session, want at most %d", each, most)
	}
	runtime.KeepAlive(c)
}

// owned opens a session on behalf of a node with a name as containers have them.
func owned(t *testing.T, s *cache.Redis, id sessions.ID) *owner {
	t.Helper()
	saved, err := s.Open(t.Context(), id, sessions.OpenOptions{Owner: aNode})
	if err != nil {
		t.Fatalf("s.Open: got error %v, want none", err)
	}
	return &owner{saved, t, s, id}
}

const aNode sessions.NodeID = "perch-7d4b9c6f5-x2x9z:8080/k3q5j2m8x1"

// asNode leaves one of everything that nodes keep.
func asNode(t *testing.T, s *cache.Redis, o *owner) {
	t.Helper()
	given := owned(t, s, sessions.ID(strings.Repeat("f", 32)))
	given.ok(&sessions.Commit{Release: true})
	for _, id := range []sessions.NodeID{aNode, aNode[:len(aNode)-1] + "2"} {
		if _, err := s.Beat(t.Context(), sessions.Node{ID: id, URL: "https://perch-7d4b9c6f5-x2x9z.perch.svc:8443"}); err != nil {
			t.Fatalf("s.Beat: got error %v, want none", err)
		}
	}
	k := sessions.Ticket{Session: o.id, Origin: "https://chat.example.com", Expires: perch.At(time.Now().Add(time.Minute))}
	if err := s.PutTicket(t.Context(), strings.Repeat("a", 64), k, time.Minute); err != nil {
		t.Fatalf("s.PutTicket: got error %v, want none", err)
	}
}

// size is what the keys with a suffix take. What the server needs for itself, its script engine for example, is
// not in it: Redis 8 counts that as used, too.
func (w *world) size(t testing.TB, suffix string) (bytes int64) {
	t.Helper()
	for _, key := range w.keys(t) {
		if !strings.HasSuffix(key, suffix) {
			continue
		}
		n, err := w.client.MemoryUsage(t.Context(), key, 0).Result()
		if err != nil {
			t.Fatalf("client.MemoryUsage: got error %v, want none", err)
		}
		bytes += n
	}
	if bytes == 0 {
		t.Fatalf("no key ends with %s, want one", suffix)
	}
	return bytes
}

func used(t testing.TB, c redis.UniversalClient) int64 {
	info, err := c.Info(context.Background(), "memory").Result()
	if err != nil {
		t.Fatalf("c.Info: got error %v, want none", err)
	}
	_, line, _ := strings.Cut(info, "used_memory:")
	n, err := strconv.ParseInt(strings.TrimSpace(strings.SplitN(line, "\r\n", 2)[0]), 10, 64)
	if err != nil {
		t.Fatalf("strconv.ParseInt: got error %v, want none", err)
	}
	return n
}

// What the memory store adds to a session whose rows exist anyway.
func BenchmarkMemoryStorePerSession(b *testing.B) {
	s := cache.NewMemory(cache.MemoryOptions{})
	rows := fifty(0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range b.N {
		id := sessions.ID(fmt.Sprintf("%032x", n))
		saved, err := s.Open(context.Background(), id, sessions.OpenOptions{})
		if err != nil {
			b.Fatalf("s.Open: got error %v, want none", err)
		}
		c := *rows
		c.Fence = saved.Fence
		s.Commit(id, &c, func(sessions.Result) {})
	}
	if err := s.Close(context.Background()); err != nil {
		b.Fatalf("s.Close: got error %v, want none", err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/session")
	runtime.KeepAlive(s)
}

// Commits of messages as they come in: an event and the record, 200 sessions at once.
func BenchmarkCommit(b *testing.B) {
	b.Run("memory", func(b *testing.B) { commits(b, cache.NewMemory(cache.MemoryOptions{})) })
	b.Run("redis", func(b *testing.B) {
		w := realRedis(b)
		before := calls(b, w)
		commits(b, w.open(b, cache.RedisOptions{MaxQueue: 1 << 20, MaxBytes: 1 << 30}))
		b.ReportMetric(float64(calls(b, w)-before)/float64(b.N), "commands/op")
	})
}

func commits(b *testing.B, s sessions.Store) {
	const n = 200
	var owners [n]*sessions.Saved
	for i := range owners {
		var err error
		if owners[i], err = s.Open(b.Context(), sessions.ID(fmt.Sprint("a", i)), sessions.OpenOptions{}); err != nil {
			b.Fatalf("s.Open: got error %v, want none", err)
		}
	}
	b.ResetTimer()
	slots := make(chan struct{}, 4*n) // in flight
	for i := range b.N {
		o := owners[i%n]
		o.Tip++
		slots <- struct{}{}
		s.Commit(sessions.ID(fmt.Sprint("a", i%n)), &sessions.Commit{
			Fence: o.Fence, Events: []*perch.Event{received(o.Epoch, o.Tip)}, Record: &sessions.Record{JID: "me@x/r", Handled: o.Tip},
		}, func(r sessions.Result) {
			if r.Err != nil {
				b.Errorf("Commit: got error %v, want none", r.Err)
			}
			<-slots
		})
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	b.StopTimer()
}

func calls(b *testing.B, w *world) int64 {
	info, err := w.client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		b.Fatalf("client.Info: got error %v, want none", err)
	}
	var n int64
	for line := range strings.Lines(info) {
		if strings.HasPrefix(line, "cmdstat_evalsha:") {
			_, _ = fmt.Sscanf(line, "cmdstat_evalsha:calls=%d", &n)
		}
	}
	return n
}
