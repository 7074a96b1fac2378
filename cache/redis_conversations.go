package cache

import (
	"context"
	"fmt"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
	"github.com/perch-im/perch/sessions"
)

// The fields of the hash of conversations: one of these letters, and the key of the JID. They are
// the state and, in the order of [conversations.Details.Texts], the details.
const (
	stateField   = "s"
	detailFields = "mrpd"
)

// addConversations writes a change as a delta of fields.
func addConversations(a *appender, c *conversations.Change) {
	var gone, put []any
	row := func(s conversations.State) {
		put = append(put, stateField+string(s.Key()), conversations.AppendRow(nil, &s))
	}
	for _, key := range c.Keys {
		if s, ok := c.Table.Get(key); ok {
			row(s)
			continue
		}
		for _, letter := range stateField + detailFields {
			gone = append(gone, string(letter)+string(key))
		}
	}
	if c.Whole {
		for s := range c.Table.All() {
			row(s)
		}
	}
	for _, d := range c.Details {
		for i, text := range d.Texts() {
			switch field := detailFields[i:i+1] + string(d.Key); {
			case *text == nil:
			case **text == "":
				gone = append(gone, field)
			default:
				put = append(put, field, **text)
			}
		}
	}
	a.args = append(append(a.args, flag(c.Whole), len(gone)), gone...)
	a.args = append(append(a.args, len(put)/2), put...)
}

// decodeConversations reads the rows of states.
func decodeConversations(reply any) (conversations.Table, error) {
	fields, rows := pairs(reply)
	list := make([]conversations.State, len(fields))
	for i, field := range fields {
		s, err := conversations.ParseRow(perch.JID(field[1:]), rows[i])
		if err != nil {
			return conversations.Table{}, corrupt(fmt.Errorf("conversation: %w", err))
		}
		list[i] = s
	}
	return conversations.Of(list), nil
}

// Conversations implements sessions.Store.
func (r *Redis) Conversations(ctx context.Context, id sessions.ID, keys []perch.JID) ([]conversations.Details, error) {
	list := make([]conversations.Details, len(keys))
	if len(keys) == 0 {
		return list, nil
	}
	fields := make([]string, 0, len(keys)*len(detailFields))
	for _, key := range keys {
		for _, letter := range detailFields {
			fields = append(fields, string(letter)+string(key))
		}
	}
	var values []any
	err := r.ask(ctx, "conversations", func(ctx context.Context) (err error) {
		values, err = r.client.HMGet(ctx, r.keys.session(id, "conversations"), fields...).Result()
		return err
	})
	switch {
	case err != nil:
		return nil, unavailable(err)
	case len(values) != len(fields):
		return nil, corrupt(fmt.Errorf("conversations: %d values of %d", len(values), len(fields)))
	}
	for i, key := range keys {
		list[i].Key = key
		for j, text := range list[i].Texts() {
			if s, ok := values[i*len(detailFields)+j].(string); ok {
				*text = &s
			}
		}
	}
	return list, nil
}
