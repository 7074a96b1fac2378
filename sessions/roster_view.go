package sessions

import (
	"iter"
	"maps"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

// freshness is whose presence is from before the stream was lost. It belongs to the owner; the
// zero value is that all of it is right.
type freshness struct {
	stale   bool                   // all but these
	said    map[perch.JID]struct{} // keys of contacts that said something since
	changes uint32
}

// lost says that all presence is from before; right takes that back.
func (f *freshness) lost()  { *f = freshness{stale: true, changes: f.changes + 1} }
func (f *freshness) right() { *f = freshness{changes: f.changes + 1} }

// heard says that the presence of one contact is right.
func (f *freshness) heard(key perch.JID) {
	if !f.stale {
		return
	}
	if f.said == nil {
		f.said = map[perch.JID]struct{}{}
	}
	f.said[key] = struct{}{}
	f.changes++
}

func (f *freshness) isStale(key perch.JID) bool { return f.stale && !has(f.said, key) }

// rosterView is the roster as it is at one moment. Any goroutine may read it.
type rosterView struct {
	contacts.Table
	fresh    freshness
	offline  bool // there is no stream
	versions *presenceVersions
	state    presenceState
}

// seesUs reports whether a contact may see our presence.
func (ro *roster) seesUs(jid perch.JID) bool {
	k := ro.contacts.Get(jid.Bare())
	return k != nil && seesUs(k.Buddy.Subscription)
}

func (ro *roster) view() *rosterView {
	v := &rosterView{Table: ro.contacts, fresh: ro.fresh, offline: ro.host.stream() == nil, versions: &ro.version}
	v.fresh.said = maps.Clone(ro.fresh.said)
	v.state = presenceState{table: ro.version.changes, fresh: ro.fresh.changes, offline: v.offline}
	return v
}

// presence is that of a contact; one that has never sent any is not there.
func (v *rosterView) presence(k *contacts.Contact) perch.Presence {
	if k.Presence == nil {
		p := absent(k.Buddy.JID)
		p.Stale = v.offline
		return *p
	}
	p := *k.Presence
	p.Stale = v.fresh.stale && v.fresh.isStale(k.Key())
	return p
}

// presences is what is known of every buddy, and buddies are the items as clients see them.
func (v *rosterView) presences() iter.Seq[perch.Presence] {
	return func(yield func(perch.Presence) bool) {
		for k := range v.All() {
			if !yield(v.presence(k)) {
				return
			}
		}
	}
}

func (v *rosterView) buddies() iter.Seq[perch.Buddy] {
	return func(yield func(perch.Buddy) bool) {
		for k := range v.All() {
			if !yield(k.View()) {
				return
			}
		}
	}
}

// page appends the buddies of a page to items, and reports whether there are more behind it.
func (v *rosterView) page(q BuddyQuery, items []BuddyItem) ([]BuddyItem, bool) {
	var b perch.Buddy // one for all that Match looks at
	for k := range v.After(perch.JID(q.After)) {
		b = k.View()
		if q.Match != nil && !q.Match(&b) {
			continue
		}
		if q.Limit > 0 && len(items) == q.Limit {
			return items, true
		}
		items = append(items, BuddyItem{Buddy: b, Presence: v.presenceIf(q.Presence, k)})
	}
	return items, false
}

// presenceIf is presence, or nil unless it is wanted.
func (v *rosterView) presenceIf(wanted bool, k *contacts.Contact) *perch.Presence {
	if !wanted {
		return nil
	}
	p := v.presence(k)
	return &p
}

// BuddyQuery says which buddies a page has.
type BuddyQuery struct {
	After    string                  // key of the last buddy of the page before (perch.JID.Key); "" = from the beginning
	Limit    int                     // 0 = all
	Match    func(*perch.Buddy) bool // nil = all; the buddy is another one after the call
	Presence bool                    // with the presence of each
}

// BuddyItem is a buddy of a page. Presence is nil unless it was asked for.
type BuddyItem struct {
	perch.Buddy
	Presence *perch.Presence
}

// nameOf is the name of an account in the roster, or that of its vCard; "" for neither.
func (ro *roster) nameOf(jid perch.JID) string {
	if ro.contacts.Len() == 0 {
		return ""
	}
	k := ro.contacts.Get(jid)
	if k == nil {
		return ""
	}
	return k.View().Name
}

// contactsAfter are the contacts whose keys follow a key, in their order.
func (ro *roster) contactsAfter(key perch.JID, most int) (list []perch.JID) {
	for k := range ro.contacts.After(key) {
		if list = append(list, cloned(k.Buddy.JID)); len(list) >= most {
			break
		}
	}
	return list
}
