package cache_test

import (
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/sessions"
)

// named is a table of contacts that have nothing but a JID.
func named(jids ...string) contacts.Table {
	var list []*contacts.Contact
	for _, jid := range jids {
		list = append(list, &contacts.Contact{Buddy: perch.Buddy{JID: perch.JID(jid)}})
	}
	return contacts.Of(list)
}

// Rows as earlier versions wrote them: JSON, the presence in a hash of its own, and the oldest
// under the text of a JID.
var (
	oldRoster = map[string]any{
		"bob@example.net":   `{"jid":"Bob@example.net","name":"Bob","groups":["b","a"],"subscription":"both","ask":null,"approved":true}`,
		"carol@example.net": `{"jid":"carol@example.net","name":"","groups":[],"subscription":"to","ask":"subscribe","approved":false,"mutual":true}`,
		"EVE@example.net":   `{"jid":"EVE@example.net","name":"Eve","groups":null,"subscription":"none","ask":null,"approved":false}`,
	}
	oldPresence = map[string]any{
		"bob@example.net": `{"jid":"bob@example.net","available":true,"show":"away","priority":3,"stale":false,"status":"out",
			"resources":[{"resource":"r","show":"away","priority":3,"status":"out","updated_at":"2024-05-01T10:00:00.123Z"}],"updated_at":"2024-05-01T10:00:01.000Z"}`,
		"gone@example.net": `{"jid":"gone@example.net","available":false,"show":null,"priority":0,"stale":false,"status":"","resources":[],"updated_at":null}`,
	}
)

// oldContacts is what those rows say.
func oldContacts() contacts.Table {
	said := perch.At(time.Date(2024, 5, 1, 10, 0, 0, 123_000_000, time.UTC))
	return contacts.Of([]*contacts.Contact{
		{
			Buddy: perch.Buddy{JID: "Bob@example.net", Name: "Bob", Groups: []string{"b", "a"}, Subscription: perch.SubscriptionBoth, Approved: true},
			Presence: &perch.Presence{JID: "Bob@example.net", Available: true, Show: perch.ShowAway, Priority: 3, Status: "out", UpdatedAt: said + 877,
				Resources: []perch.Resource{{Resource: "r", Show: perch.ShowAway, Priority: 3, Status: "out", UpdatedAt: said}}},
		},
		{Buddy: perch.Buddy{JID: "carol@example.net", Groups: []string{}, Subscription: perch.SubscriptionTo, Ask: perch.AskSubscribe, Mutual: true}},
		{Buddy: perch.Buddy{JID: "EVE@example.net", Name: "Eve", Groups: []string{}, Subscription: perch.SubscriptionNone}},
	})
}

// old writes rows of an earlier version.
func (w *world) old(t *testing.T, roster, presence map[string]any) {
	t.Helper()
	for part, rows := range map[string]map[string]any{"roster": roster, "presence": presence} {
		if len(rows) == 0 {
			continue
		}
		if err := w.client.HSet(t.Context(), "perch:{a1}:"+part, rows).Err(); err != nil {
			t.Fatalf("HSet: got error %v, want none", err)
		}
	}
}

// TestRedisOldRows: rows of earlier versions are read, alone and beside those of this one, and
// the owner is told to write them anew; then they are packed, and the hash of the presence is gone.
func TestRedisOldRows(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	own(t, s, "a1")
	w.old(t, oldRoster, oldPresence)
	o := own(t, s, "a1")
	if !o.OldRows || !o.Contacts.Equal(oldContacts()) {
		t.Errorf("got old rows %v and %d contacts, want all of them, and to be told", o.OldRows, o.Contacts.Len())
	}
	dave := o.Contacts.Put(&contacts.Contact{Buddy: perch.Buddy{JID: "dave@example.net"}})
	o.ok(&sessions.Commit{Contacts: contacts.Change{Table: dave, Keys: []perch.JID{"dave@example.net"}}})
	if o = own(t, s, "a1"); !o.OldRows || !o.Contacts.Equal(dave) {
		t.Errorf("beside a row of this version: got old rows %v and %d contacts, want four", o.OldRows, o.Contacts.Len())
	}
	o.ok(&sessions.Commit{Contacts: contacts.Change{Whole: true, Table: dave}})
	if o = own(t, s, "a1"); o.OldRows || !o.Contacts.Equal(dave) {
		t.Errorf("written anew: got old rows %v and %d contacts, want none and four", o.OldRows, o.Contacts.Len())
	}
	rows, err := w.client.HGetAll(t.Context(), "perch:{a1}:roster").Result()
	if err != nil || len(rows) != 4 {
		t.Errorf("got rows %q, error %v, want four", rows, err)
	}
	for key, row := range rows {
		if c, err := contacts.ParseRow(perch.JID(key), row); err != nil || string(c.Key()) != key {
			t.Errorf("row of %s: got %+v, error %v, want a packed contact", key, c, err)
		}
	}
	if n, err := w.client.Exists(t.Context(), "perch:{a1}:presence").Result(); err != nil || n != 0 {
		t.Errorf("the hash of the presence: got %d, error %v, want it gone", n, err)
	}
}

// TestRedisRespellsRows: a row under another text than the key of its JID is an old one, too.
func TestRedisRespellsRows(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	own(t, s, "a1")
	w.old(t, map[string]any{"Bob@example.net": string(contacts.AppendRow(nil, &contacts.Contact{Buddy: perch.Buddy{JID: "bob@example.net"}}))}, nil)
	if o := own(t, s, "a1"); !o.OldRows || o.Contacts.Get("bob@example.net") == nil {
		t.Errorf("got old rows %v, %d contacts, want bob, and to be told", o.OldRows, o.Contacts.Len())
	}
}

// TestRedisRefusesForeignRows: what no version has written fails the opening; of a later one
// TestRedisLaterSession knows.
func TestRedisRefusesForeignRows(t *testing.T) {
	w := realRedis(t)
	s := w.open(t, cache.RedisOptions{})
	for name, row := range map[string]string{"cut off": "\x80", "a text": "bob", "half of JSON": `{"jid"`} {
		own(t, s, "a1")
		w.old(t, map[string]any{"bob@example.net": row}, nil)
		if _, err := s.Open(t.Context(), "a1", sessions.OpenOptions{}); perch.KindOf(err) != perch.KindInternal {
			t.Errorf("%s: got error %v, want the kind %v", name, err, perch.KindInternal)
		}
		if err := s.Forget(t.Context(), "a1"); err != nil {
			t.Fatalf("Forget: got error %v, want none", err)
		}
	}
}
