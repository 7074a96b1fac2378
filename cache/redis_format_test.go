package cache_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// dumps is everything in Redis, as bytes.
func (w *world) dumps(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, key := range w.keys(t) {
		if key == "perch:probe" || strings.HasPrefix(key, "perch:{check-") {
			continue
		}
		text, err := w.client.Dump(t.Context(), key).Result()
		if err != nil {
			t.Fatalf("DUMP %s: got error %v, want none", key, err)
		}
		all[key] = text
	}
	return all
}

// wantFormat is what the store notes of its records.
func (w *world) wantFormat(t *testing.T, want map[string]string) {
	t.Helper()
	got, err := w.client.HGetAll(t.Context(), "perch:format").Result()
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("perch:format: got %v, error %v, want %v", got, err, want)
	}
}

// written is what this program notes of itself.
func written(by string) map[string]string {
	return map[string]string{"contact": "1 " + by, "conversation": "1 " + by, "room": "1 " + by, "reader": "1 " + by, "log": "1 " + by, "keyspace": "1 " + by}
}

// wantLater is the error of what a later version has written.
func wantLater(t *testing.T, err error, want sessions.LaterVersionError) {
	t.Helper()
	got, ok := errors.AsType[*sessions.LaterVersionError](err)
	if !ok || got.Key != want.Key || got.Record != want.Record || got.Stored != want.Stored || got.By != want.By || !slices.Equal(got.Reads, want.Reads) {
		t.Errorf("got error %v, want %v in it", err, &want)
	}
	if kind := perch.KindOf(err); kind != perch.KindStorageUnavailable {
		t.Errorf("got the kind %s of %v, want %s: another node may serve it", kind, err, perch.KindStorageUnavailable)
	}
}

// TestRedisFormatIsNoted by a node that joins, and by no one who only looks; for all nodes it is one key,
// which lives as long as what it is about, and is there again after Redis was emptied.
func TestRedisFormatIsNoted(t *testing.T) {
	w := realRedis(t)
	a := w.open(t, cache.RedisOptions{Version: "1.0.0"})
	if all := w.dumps(t); len(all) > 0 {
		t.Errorf("NewRedis has written %v, want nothing before a node joins", slices.Collect(maps.Keys(all)))
	}
	if list, err := a.Raises(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("Raises of an empty Redis: got %v, error %v, want none", list, err)
	}
	beat(t, a, "a/1")
	w.wantFormat(t, written("1.0.0"))
	if ttl := w.client.PTTL(t.Context(), "perch:format").Val(); ttl <= 7*24*time.Hour || ttl > 7*24*time.Hour+3*time.Hour {
		t.Errorf("got a life of %v, want a little more than the 7 days of a session", ttl)
	}
	beat(t, w.open(t, cache.RedisOptions{Version: "1.1.0"}), "b/1")
	w.wantFormat(t, written("1.0.0")) // the first to write them
	if err := w.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatalf("FLUSHALL: got error %v, want none", err)
	}
	beat(t, a, "a/1") // learns it
	beat(t, a, "a/1")
	w.wantFormat(t, written("1.0.0"))
}

// TestRedisFormatOfALaterVersion is refused at the start, with words, and nothing is changed. Kinds that
// this program does not know are not for it to judge.
func TestRedisFormatOfALaterVersion(t *testing.T) {
	w := realRedis(t)
	set := func(record, row string) {
		if err := w.client.HSet(t.Context(), "perch:format", record, row).Err(); err != nil {
			t.Fatalf("HSET: got error %v, want none", err)
		}
	}
	late := w.open(t, cache.RedisOptions{}) // has looked before that version came
	for _, tt := range []struct {
		record, row string
		want        sessions.LaterVersionError
	}{
		{"contact", "2 9.9.9", sessions.LaterVersionError{Stored: 2, Reads: []int{0, 1}, By: "9.9.9"}},
		{"keyspace", "7", sessions.LaterVersionError{Stored: 7, Reads: []int{1}}},
	} {
		set(tt.record, tt.row)
		before := w.dumps(t)
		tt.want.Key, tt.want.Record = "perch:format", tt.record
		_, err := cache.NewRedis(t.Context(), cache.RedisOptions{URL: w.url})
		wantLater(t, err, tt.want)
		for _, word := range []string{"perch:format", tt.record, "nothing was changed", "docs/upgrade.md", tt.want.By} {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("got error %v, want %q in it", err, word)
			}
		}
		_, err = late.Beat(t.Context(), sessions.Node{ID: "late/1"})
		wantLater(t, err, tt.want)
		if after := w.dumps(t); !maps.Equal(after, before) {
			t.Errorf("got %v, want nothing changed of %v", after, before)
		}
		w.client.Del(t.Context(), "perch:format")
	}
	set("contact", "two")
	if _, err := cache.NewRedis(t.Context(), cache.RedisOptions{URL: w.url}); err == nil || !strings.Contains(err.Error(), "perch:format") {
		t.Errorf("got error %v, want the key named that Perch did not write", err)
	}
	w.client.Del(t.Context(), "perch:format")
	set("holograms", "3 9.9.9")
	beat(t, w.open(t, cache.RedisOptions{Version: "1.0.0"}), "a/1")
	want := written("1.0.0")
	want["holograms"] = "3 9.9.9"
	w.wantFormat(t, want)
}

// TestRedisFormatIsRaised by the first node that writes a later version, which says so; a node of the
// version before that is there already keeps its lease, and says once what to do.
func TestRedisFormatIsRaised(t *testing.T) {
	w := realRedis(t)
	if err := w.client.HSet(t.Context(), "perch:format", "contact", "0 0.9.0", "log", "1 0.9.0").Err(); err != nil {
		t.Fatalf("HSET: got error %v, want none", err)
	}
	var log bytes.Buffer
	s := w.open(t, cache.RedisOptions{Version: "1.0.0", Logger: canary.Logger(slog.NewTextHandler(&log, nil))})
	if list, err := s.Raises(t.Context()); err != nil || !slices.Equal(list, []cache.Raised{{Record: "contact", From: 0, To: 1}}) {
		t.Errorf("Raises: got %v, error %v, want contact from 0 to 1", list, err)
	}
	beat(t, s, "a/1")
	want := written("1.0.0")
	want["log"] = "1 0.9.0"
	w.wantFormat(t, want)
	if text := log.String(); strings.Count(text, "records are written in a later version") != 1 || !strings.Contains(text, "record=contact from=0 to=1") {
		t.Errorf("got the log %s, want one line about contacts", text)
	}
	if err := w.client.HSet(t.Context(), "perch:format", "room", "2 1.1.0").Err(); err != nil {
		t.Fatalf("HSET: got error %v, want none", err)
	}
	for range 3 {
		s.NoteFormatAgain()
		beat(t, s, "a/1")
	}
	if text := log.String(); strings.Count(text, "finish the upgrade") != 1 || !strings.Contains(text, "record=room version=2 by=1.1.0") {
		t.Errorf("got the log %s, want one line about rooms", text)
	}
}

// TestRedisFormatMustAnswer: a node joins only once what it writes is noted.
func TestRedisFormatMustAnswer(t *testing.T) {
	w := mini(t)
	s := w.open(t, cache.RedisOptions{})
	if err := w.client.Set(t.Context(), "perch:format", "x", 0).Err(); err != nil {
		t.Fatalf("SET: got error %v, want none", err)
	}
	if _, err := s.Beat(t.Context(), sessions.Node{ID: "a/1"}); perch.KindOf(err) != perch.KindStorageUnavailable {
		t.Errorf("got error %v, want one of the store", err)
	}
	if n := w.client.Exists(t.Context(), "perch:{nodes}:beats").Val(); n != 0 {
		t.Error("got a beat of the node, want none")
	}
	w.client.Del(t.Context(), "perch:format")
	beat(t, s, "a/1")
	if err := w.client.Set(t.Context(), "perch:format", "x", 0).Err(); err != nil {
		t.Fatalf("SET: got error %v, want none", err)
	}
	s.NoteFormatAgain()
	beat(t, s, "a/1") // its lease does not depend on it
}

// TestRedisLaterSession: what a later version has written of a session is left as it is, to the last
// byte, and the next session is served.
func TestRedisLaterSession(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	row := map[string]any{"bob@x": string([]byte{0xc0, 1, 2})}
	for _, tt := range []struct {
		part   string
		put    func(key string) error
		record string
		want   sessions.LaterVersionError
	}{
		{"roster", func(key string) error { return w.client.HSet(t.Context(), key, row).Err() }, "contact", sessions.LaterVersionError{Stored: 2, Reads: []int{0, 1}}},
		{"conversations", func(key string) error {
			return w.client.HSet(t.Context(), key, "sbob@x", "\x09", "mbob@x", "\x09").Err()
		}, "conversation", sessions.LaterVersionError{Stored: 9, Reads: []int{1}}},
		{"rooms", func(key string) error { return w.client.HSet(t.Context(), key, "r@x", `{"v":2,"jid":"r@x"}`).Err() }, "room", sessions.LaterVersionError{Stored: 2, Reads: []int{1}}},
		{"readers", func(key string) error {
			return w.client.HSet(t.Context(), key, "webhook/a", `{"v":2,"id":"a"}`).Err()
		}, "reader", sessions.LaterVersionError{Stored: 2, Reads: []int{1}}},
		{"log", func(key string) error {
			w.client.Del(t.Context(), key)
			return w.client.ZAdd(t.Context(), key, redis.Z{Score: 1, Member: "event"}).Err()
		}, "log", sessions.LaterVersionError{Stored: 2, Reads: []int{0, 1}}},
	} {
		id := sessions.ID("later-" + tt.part)
		o := own(t, s, id)
		o.ok(&sessions.Commit{Events: o.event(1, "1"), Record: &sessions.Record{}, Contacts: contacts.Change{Whole: true, Table: named("carol@x")},
			Conversations: conversations.Change{Whole: true, Table: conversations.Of([]conversations.State{{JID: "carol@x"}})},
			Rooms:         sessions.Delta[sessions.StoredRoom]{Put: []*sessions.StoredRoom{{JID: "s@x"}}}})
		tt.want.Key, tt.want.Record = "perch:{"+string(id)+"}:"+tt.part, tt.record
		if err := tt.put(tt.want.Key); err != nil {
			t.Fatalf("%s: got error %v, want none", tt.part, err)
		}
		before := w.dumps(t)
		for _, as := range []sessions.OpenOptions{{}, {Owner: "a/1"}} {
			_, err := s.Open(context.Background(), id, as)
			wantLater(t, err, tt.want)
		}
		w.restart(t) // the end of the log is not proved: it would be dropped
		_, err := w.open(t, cache.RedisOptions{}).Open(t.Context(), id, sessions.OpenOptions{Owner: "b/1"})
		wantLater(t, err, tt.want)
		if after := w.dumps(t); !maps.Equal(after, before) {
			t.Errorf("%s: what is stored has changed, want it as it was", tt.part)
		}
	}
	own(t, s, "another").ok(&sessions.Commit{Record: &sessions.Record{}})
}

// TestRedisLaterSessionIsHeld: while its owner lives, that is what others learn.
func TestRedisLaterSessionIsHeld(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	if _, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "new/1"}); err != nil {
		t.Fatalf("Open: got error %v, want none", err)
	}
	if err := w.client.HSet(t.Context(), "perch:{a1}:roster", "bob@x", "\xc0").Err(); err != nil {
		t.Fatalf("HSET: got error %v, want none", err)
	}
	_, err := s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "old/1"})
	if held, ok := errors.AsType[*sessions.HeldError](err); !ok || held.Owner != "new/1" {
		t.Errorf("got error %v, want that new/1 has it", err)
	}
	_, err = s.Open(t.Context(), "a1", sessions.OpenOptions{Owner: "old/1", TakeoverFrom: "new/1"})
	wantLater(t, err, sessions.LaterVersionError{Key: "perch:{a1}:roster", Record: "contact", Stored: 2, Reads: []int{0, 1}})
}
