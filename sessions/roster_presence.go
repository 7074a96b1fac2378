package sessions

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/contacts"
)

const (
	maxResources = 32   // of one buddy; the oldest goes
	maxStatus    = 4096 // bytes of a status text
	settleTime   = 5 * time.Second
)

// applyPresence keeps the availability of one resource of a buddy (RFC 6121, 4). A
// presence that says what is known already makes no event.
func (ro *roster) applyPresence(in *perch.PresenceIn) {
	k := ro.contacts.Get(in.From.Bare())
	if k == nil {
		return // no buddy: nothing to keep, and nothing that a stranger could fill
	}
	photo := in.PhotoHash != nil && ro.applyPhoto(k, *in.PhotoHash)
	var before []perch.Resource
	if k.Presence != nil {
		before = k.Presence.Resources
	}
	at := ro.saidAt(before, in.Delay)
	if in.Delayed && in.Delay == 0 {
		at = 0 // it was held back since an unknown time: it is older than all that has a time
	}
	resources := withResource(slices.Clone(before), in, at)
	if ro.settling != nil {
		ro.settling.confirm(in, before, resources)
	}
	if !ro.setPresence(k, contacts.Aggregate(k.Buddy.JID, resources, clip(in.Status), at)) && photo {
		ro.keep(k)
	}
}

// confirm notes that a resource is there, and forgets one that had to go for it: there are
// never more names here than resources are stored.
func (st *settling) confirm(in *perch.PresenceIn, before, after []perch.Resource) {
	key := perch.JID(strings.Clone(string(in.From.Key()))) // not the stanza that it is a part of
	st.confirmed[key] = struct{}{}
	if !in.Available {
		delete(st.confirmed, key)
	}
	for _, r := range before {
		if !slices.ContainsFunc(after, func(x perch.Resource) bool { return x.Resource == r.Resource }) {
			delete(st.confirmed, key.Bare()+"/"+perch.JID(perch.ResourceKey(r.Resource)))
		}
	}
}

// applyPresenceError makes unavailable what presence could not reach (RFC 6121, 4.3.2.1): a
// buddy, or with a full JID one resource. A server whose link to that of the buddy is broken
// sends nothing else for it.
func (ro *roster) applyPresenceError(in *perch.PresenceError) {
	ro.applyPresence(&perch.PresenceIn{From: in.From})
}

// setPresence replaces what is known of a buddy, and makes an event when clients see a difference.
// It reports whether it has kept the contact.
func (ro *roster) setPresence(k *contacts.Contact, next *perch.Presence) bool {
	old, key := k.Presence, k.Key()
	if old == nil {
		old = absent(k.Buddy.JID)
	}
	if sameView(old, next) {
		ro.fresh.heard(key)
		return false
	}
	next, ok := ro.fitPresence(k.Presence, next)
	if !ok || k.Presence != nil && sameView(k.Presence, next) && !ro.fresh.isStale(key) {
		return false
	}
	ro.fresh.heard(key)
	k.Presence = next
	ro.keep(k)
	ro.journal.Ephemeral(perch.EventPresence, string(next.JID), next)
	return true
}

// saidAt is the time of a presence: that of its delay, or now. What is said now is later
// than all that was said before, also within one millisecond, because the latest of equal
// priority speaks for the buddy.
func (ro *roster) saidAt(before []perch.Resource, delay perch.Time) perch.Time {
	at := ro.host.now()
	if delay != 0 && delay < at {
		return delay
	}
	for _, r := range before {
		at = max(at, r.UpdatedAt+1)
	}
	return at
}

// withResource applies in to the list, which is sorted and ours.
func withResource(list []perch.Resource, in *perch.PresenceIn, at perch.Time) []perch.Resource {
	name := in.From.Resource()
	i, ok := findResource(list, name)
	if !in.Available {
		if in.From.IsBare() {
			return nil
		}
		if ok {
			list = slices.Delete(list, i, i+1)
		}
		return list
	}
	r := perch.Resource{Resource: name, Show: in.Show, Status: clip(in.Status), Priority: in.Priority, UpdatedAt: at}
	if ok {
		old := list[i]
		if old.Show == r.Show && old.Status == r.Status && old.Priority == r.Priority {
			return list // said again: it is as old as before
		}
		r.Resource = old.Resource // the spelling by which clients know it
		list[i] = r
		return list
	}
	if len(list) >= maxResources {
		oldest := 0
		for j := range list {
			if list[j].UpdatedAt < list[oldest].UpdatedAt {
				oldest = j
			}
		}
		list = slices.Delete(list, oldest, oldest+1)
		i, _ = findResource(list, name)
	}
	return slices.Insert(list, i, r)
}

// findResource looks a resource up, in whatever spelling, in a list sorted by compareResources.
func findResource(list []perch.Resource, name string) (int, bool) {
	return slices.BinarySearchFunc(list, perch.ResourceKey(name), func(r perch.Resource, key string) int {
		return strings.Compare(perch.ResourceKey(r.Resource), key)
	})
}

func compareResources(a, b perch.Resource) int {
	return strings.Compare(perch.ResourceKey(a.Resource), perch.ResourceKey(b.Resource))
}

// absent is the presence of a buddy that has never sent one.
func absent(jid perch.JID) *perch.Presence {
	return &perch.Presence{JID: jid, Resources: []perch.Resource{}}
}

// sameView reports whether two presences look alike; when they were sent does not count.
func sameView(a, b *perch.Presence) bool {
	return a.Available == b.Available && a.Show == b.Show && a.Status == b.Status && a.Priority == b.Priority &&
		slices.EqualFunc(a.Resources, b.Resources, func(x, y perch.Resource) bool {
			return x.Resource == y.Resource && x.Show == y.Show && x.Status == y.Status && x.Priority == y.Priority
		})
}

func clip(s string) string { return clipTo(s, maxStatus) }

// clipTo is s, at most n bytes of it, cut between characters.
func clipTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

// settleSoon begins the settling of a new login.
func (ro *roster) settleSoon() {
	st := &settling{confirmed: map[perch.JID]struct{}{}}
	ro.settling = st
	st.timer = ro.host.after(settleTime, func() {
		if ro.settling == st {
			ro.settled()
		}
	})
}

// settled ends it: resources that the server has not named are gone.
func (ro *roster) settled() {
	confirmed := ro.settling.confirmed
	ro.settling = nil
	ro.fresh.right()
	now := ro.host.now()
	for k := range ro.contacts.All() {
		if k.Presence == nil {
			continue
		}
		key := k.Key()
		gone := func(r perch.Resource) bool {
			if r.Resource == "" {
				return !has(confirmed, key)
			}
			return !has(confirmed, key+"/"+perch.JID(perch.ResourceKey(r.Resource)))
		}
		if rs := k.Presence.Resources; slices.ContainsFunc(rs, gone) {
			ro.setPresence(k, contacts.Aggregate(k.Buddy.JID, slices.DeleteFunc(slices.Clone(rs), gone), "", now))
		}
	}
}

func has(set map[perch.JID]struct{}, j perch.JID) bool {
	_, ok := set[j]
	return ok
}

// applyPhoto notes the hash of a buddy's photo (XEP-0153), and reports whether it is another one.
// That is news, but for the first one that is received.
func (ro *roster) applyPhoto(k *contacts.Contact, hash string) bool {
	old := k.Photo
	if !ro.setText(k, &k.Photo, hash, maxHash) {
		return false
	}
	if old != "" {
		ro.journal.Durable(perch.EventVCardChanged, perch.VCardChange{JID: k.Buddy.JID, PhotoHash: hash})
	}
	return true
}
