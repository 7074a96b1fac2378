package cache

import (
	"fmt"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// addContacts writes a change as a delta of rows: packed contacts under the keys of their JIDs.
func addContacts(a *appender, c *contacts.Change) {
	if c.Whole {
		a.args = append(a.args, flag(true), 0, c.Table.Len())
		for k := range c.Table.All() {
			a.args = append(a.args, string(k.Key()), contacts.AppendRow(nil, k))
		}
		return
	}
	var gone, put []any
	for _, key := range c.Keys {
		if k := c.Table.Get(key); k != nil {
			put = append(put, string(key), contacts.AppendRow(nil, k))
		} else {
			gone = append(gone, string(key))
		}
	}
	a.args = append(append(a.args, flag(false), len(gone)), gone...)
	a.args = append(append(a.args, len(put)/2), put...)
}

// addNicks writes the nicknames of the contacts that change, which are in no row.
func addNicks(a *appender, c *contacts.Change) {
	var gone, put []any
	if c.Whole {
		for k := range c.Table.All() {
			if k.Nick != "" {
				put = append(put, string(k.Key()), k.Nick)
			}
		}
	} else {
		for _, key := range c.Keys {
			if k := c.Table.Get(key); k != nil && k.Nick != "" {
				put = append(put, string(key), k.Nick)
			} else {
				gone = append(gone, string(key))
			}
		}
	}
	a.args = append(append(a.args, flag(c.Whole), len(gone)), gone...)
	a.args = append(append(a.args, len(put)/2), put...)
}

// decodeContacts reads the rows of contacts. Earlier versions wrote a contact as JSON, under the
// text of its JID before that under its key, and its presence into a hash of its own: old says that there
// was any of that.
func decodeContacts(rows, presences, nicks any) (t contacts.Table, old bool, err error) {
	fields, values := pairs(rows)
	named := nicknames(nicks)
	list := make([]*contacts.Contact, len(fields))
	for i, field := range fields {
		c, err := decodeContact(field, values[i])
		if err != nil {
			return t, false, err
		}
		c.Nick = named[c.Key()]
		list[i] = c
		old = old || !contacts.IsRow(values[i]) || string(c.Key()) != field
	}
	fields, values = pairs(presences)
	if len(fields) == 0 {
		return contacts.Of(list), old, nil
	}
	byKey := map[perch.JID]*contacts.Contact{}
	for _, c := range list {
		byKey[c.Key()] = c
	}
	for _, value := range values {
		p, err := decode[perch.Presence](value)
		if err != nil {
			return t, false, err
		}
		if c := byKey[p.JID.Key()]; c != nil && c.Presence == nil {
			c.Presence = p
		}
	}
	return contacts.Of(list), true, nil
}

// nicknames are those that addNicks wrote, by the keys of JIDs; nil: there are none.
func nicknames(rows any) (named map[perch.JID]string) {
	fields, values := pairs(rows)
	if len(fields) > 0 {
		named = make(map[perch.JID]string, len(fields))
	}
	for i, field := range fields {
		named[perch.JID(field)] = values[i]
	}
	return named
}

func decodeContact(field, value string) (*contacts.Contact, error) {
	if contacts.IsRow(value) {
		c, err := contacts.ParseRow(perch.JID(field), value)
		if err != nil {
			return nil, corrupt(fmt.Errorf("contact: %w", err))
		}
		return c, nil
	}
	b, err := decode[perch.Buddy](value)
	if err != nil {
		return nil, err
	}
	return &contacts.Contact{Buddy: *b}, nil
}

// pairs takes the reply of HGETALL apart, {field, value, field, value ...}.
func pairs(reply any) (fields, values []string) {
	flat, _ := reply.([]any)
	for i := 1; i < len(flat); i += 2 {
		fields, values = append(fields, text(flat[i-1])), append(values, text(flat[i]))
	}
	return fields, values
}
