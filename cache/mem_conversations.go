package cache

import (
	"context"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// memConversations are the conversations of one session in memory: the very table that the session
// has, and what only the list shows.
type memConversations struct {
	table   conversations.Table
	details table[conversations.Details]
}

// states is the table; nil has none.
func (m *memConversations) states() conversations.Table {
	if m == nil {
		return conversations.Table{}
	}
	return m.table
}

func (m *memConversations) apply(c *conversations.Change) {
	m.table = c.Table
	d := sessions.Delta[conversations.Details]{}
	gone := func(key perch.JID) {
		if _, ok := c.Table.Get(key); !ok {
			d.Del = append(d.Del, string(key))
		}
	}
	for _, key := range c.Keys {
		gone(key)
	}
	if c.Whole {
		for _, row := range m.details.rows {
			gone(row.Key)
		}
	}
	for _, change := range c.Details {
		row := conversations.Details{Key: change.Key}
		if old := m.details.get(string(change.Key), detailsKey); old != nil {
			row = *old
		}
		row.Merge(change)
		m.details.put(&row, detailsKey)
	}
	m.details.apply(d, detailsKey)
}

// Conversations implements sessions.Store.
func (m *Memory) Conversations(_ context.Context, id sessions.ID, keys []perch.JID) ([]conversations.Details, error) {
	list := make([]conversations.Details, len(keys))
	for i, key := range keys {
		list[i].Key = key
	}
	r := m.find(id)
	if r == nil {
		return list, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, key := range keys {
		if r.chats == nil {
			break
		}
		if d := r.chats.details.get(string(key), detailsKey); d != nil {
			list[i] = *d
		}
	}
	return list, nil
}
