package sessions

import (
	"cmp"
	"slices"
	"unique"

	"github.com/perch-im/perch"
)

// contact is a roster item with what is known of its owner. Buddy and presence are never
// changed once they are here: a change replaces them, so callers may have them.
type contact struct {
	buddy    *perch.Buddy
	presence *perch.Presence // nil: never received
	normal   internedString  // the key of the JID, when that is another text
	photo    internedString  // XEP-0153 hash of the last presence that said one
	name     internedString  // of the cached vCard; used when the roster has none
}

// internedString is a string that costs 8 bytes and is shared by all sessions.
type internedString struct{ h unique.Handle[string] }

func wordOf(s string) internedString {
	if s == "" {
		return internedString{}
	}
	return internedString{unique.Make(s)}
}

func (w internedString) String() string {
	if w == (internedString{}) {
		return ""
	}
	return w.h.Value()
}

func contactOf(b *perch.Buddy) contact {
	k := contact{buddy: b}
	if key := b.JID.Key(); key != b.JID {
		k.normal = wordOf(string(key))
	}
	return k
}

// key is that of the JID.
func (c *contact) key() perch.JID {
	if c.normal == (internedString{}) {
		return c.buddy.JID
	}
	return perch.JID(c.normal.String())
}

// view is the buddy as clients see it.
func (c *contact) view() *perch.Buddy {
	if c.buddy.Name != "" || c.name == (internedString{}) {
		return c.buddy
	}
	b := *c.buddy
	b.Name = c.name.String()
	return &b
}

// contacts is the roster, sorted by the keys of the JIDs: every spelling finds the contact.
type contacts []contact

func (c contacts) find(jid perch.JID) (int, bool) {
	return slices.BinarySearchFunc(c, jid.Key(), func(k contact, j perch.JID) int { return cmp.Compare(k.key(), j) })
}

// get returns the contact, for reading and changing in this call, or nil.
func (c contacts) get(jid perch.JID) *contact {
	if i, ok := c.find(jid); ok {
		return &c[i]
	}
	return nil
}

// put inserts or replaces the item, and reports whether there was one.
func (c *contacts) put(b *perch.Buddy) (k *contact, existed bool) {
	i, ok := c.find(b.JID)
	if ok {
		(*c)[i].buddy, (*c)[i].normal = b, contactOf(b).normal
	} else {
		*c = slices.Insert(*c, i, contactOf(b))
	}
	return &(*c)[i], ok
}

func (c *contacts) remove(jid perch.JID) bool {
	i, ok := c.find(jid)
	if ok {
		*c = slices.Delete(*c, i, i+1)
	}
	return ok
}

func sameBuddy(a, b *perch.Buddy) bool {
	return a.JID == b.JID && a.Name == b.Name && a.Subscription == b.Subscription && a.Ask == b.Ask &&
		a.Approved == b.Approved && a.Mutual == b.Mutual && slices.Equal(a.Groups, b.Groups)
}

// seesUs reports whether the other side gets our presence, and seenByUs whether we get theirs.
func seesUs(s perch.Subscription) bool {
	return s == perch.SubscriptionFrom || s == perch.SubscriptionBoth
}

func seenByUs(s perch.Subscription) bool {
	return s == perch.SubscriptionTo || s == perch.SubscriptionBoth
}
