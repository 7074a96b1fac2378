package sessions

import (
	"slices"

	"github.com/perch-im/perch"
)

// maxDeltaSearch bounds the search for an earlier change of the same row: beyond it the row is
// simply written twice, and the last one counts all the same.
const maxDeltaSearch = 256

// put and del note one change of a table. A batch gathers what several calls change, so the last one
// about a key counts: Del is applied before Put.
func put[T any](d *Delta[T], key func(*T) string, v *T) {
	k := key(v)
	if len(d.Put) > maxDeltaSearch {
		d.Put = append(d.Put, v)
		return
	}
	d.Del = slices.DeleteFunc(d.Del, func(x string) bool { return x == k })
	d.Put = slices.DeleteFunc(d.Put, func(x *T) bool { return key(x) == k })
	d.Put = append(d.Put, v)
}

func del[T any](d *Delta[T], key func(*T) string, k string) {
	d.Put = slices.DeleteFunc(d.Put, func(x *T) bool { return key(x) == k })
	if len(d.Del) > maxDeltaSearch || !slices.Contains(d.Del, k) {
		d.Del = append(d.Del, k)
	}
}

// The keys of the tables are those by which the Store keeps their rows.

func invitationKey(i *perch.Invitation) string { return string(i.JID.Key()) }
func vcardKey(v *perch.VCard) string           { return string(v.JID.Key()) }
func outboxKey(e *OutboxEntry) string          { return e.ID }
func readerKey(r *StoredReader) string         { return r.Key() }
func messageKey(m *perch.MessageRecord) string { return m.ID }

// putMessage notes the newest form of a message's record.
func putMessage(c *Commit, m *perch.MessageRecord) {
	if i := slices.IndexFunc(c.Messages, func(x *perch.MessageRecord) bool { return messageKey(x) == m.ID }); i >= 0 {
		c.Messages[i] = m
		return
	}
	c.Messages = append(c.Messages, m)
}
