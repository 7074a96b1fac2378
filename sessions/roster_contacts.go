package sessions

import (
	"slices"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// setContacts replaces the table.
func (ro *roster) setContacts(t contacts.Table) {
	ro.contacts = t
	ro.version.changed()
}

// keep puts a contact into the table, and into the batch that gathers.
func (ro *roster) keep(k *contacts.Contact) {
	ro.setContacts(ro.contacts.Put(k))
	ro.journal.Change().Contacts.Note(ro.contacts, k.Key())
}

// drop is keep for a contact that goes.
func (ro *roster) drop(jid perch.JID) {
	ro.setContacts(ro.contacts.Remove(jid))
	ro.journal.Change().Contacts.Note(ro.contacts, jid.Key())
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
