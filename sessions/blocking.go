package sessions

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch"
)

// What of a block list goes where.
const (
	maxBlocked       = 2000 // entries; the server blocks by all of them
	maxBlockedSaved  = 200  // of a longer list the record has a hash
	maxBlockedBytes  = 8 << 10
	maxBlockedEvent  = 100              // addresses in one event
	blockListTimeout = 10 * time.Second // of a fetch
	blockListWait    = 2 * time.Second  // how long a login waits for it
	blockListAgain   = time.Minute      // until a fetch that failed is tried again
	blockListTries   = 5                // until the next login
)

// blockingHost is what the block list needs of the session that it belongs to.
type blockingHost interface {
	owner
	sender
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// stream is the connection in use; nil: there is none.
	stream() *link
	// chatOnly reports whether the server takes chat messages only.
	chatOnly() bool
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// overBudget reports what found no room.
	overBudget(budget string, from perch.JID)
	logDebug(msg string, args ...any)
	// hide makes contacts unavailable whom entries block; blockedContacts are they.
	hide(entries []perch.JID)
	blockedContacts(entries []perch.JID) []perch.JID
}

// blocking is the part of a session that knows whom the account blocks (XEP-0191). The server has the list and
// does the blocking; this is a copy of it, which is fetched by every login that binds, and changed in the order
// of the stream. So it can be read while the link is lost, what is blocked looks offline, and nobody
// writes to it in vain.
type blocking struct {
	host    blockingHost
	journal journal

	list    []perch.JID // sorted by their keys
	partial bool        // the server has more
	known   bool        // the list is that of the server, as it was last heard
	support support
	again   *time.Timer // fetches the list once more; nil: no fetch has failed
}

// support is whether the server has block lists.
type support uint8

const (
	supportUnknown support = iota
	supported
	unsupported
)

// StoredBlockList is the block list as the record has it.
type StoredBlockList struct {
	List    []perch.JID `json:"list,omitempty"` // of at most 200 entries; else none
	Partial bool        `json:"partial,omitempty"`
	Sum     string      `json:"sum"` // of all entries
}

// blocks reports whether the account blocks an address.
func (b *blocking) blocks(address perch.JID) bool {
	if len(b.list) == 0 {
		return false
	}
	for _, entry := range perch.BlockersOf(address) {
		if _, found := b.find(entry); found {
			return true
		}
	}
	return false
}

func (b *blocking) find(entry perch.JID) (at int, found bool) {
	return slices.BinarySearchFunc(b.list, entry.Key(), func(x, key perch.JID) int { return strings.Compare(string(x.Key()), string(key)) })
}

// take changes the list by what the server says.
func (b *blocking) take(in *perch.BlockListIn) {
	before := b.list
	known, sum := b.known, ""
	if rec := b.host.record().BlockList; rec != nil {
		sum = rec.Sum
	}
	b.support = supported
	var list []perch.JID
	if in.All {
		b.known, b.partial = true, in.Partial
	} else {
		list = without(b.list, slices.SortedFunc(slices.Values(in.Removed), compareKeys))
	}
	list = append(list, in.Added...)
	slices.SortFunc(list, compareKeys)
	list = slices.CompactFunc(list, perch.JID.Equal)
	if len(list) > maxBlocked {
		b.host.overBudget("block list", list[maxBlocked])
		list, b.partial = list[:maxBlocked], true
	}
	b.list = slices.Clip(list)
	b.announce(in, before, known, sum)
}

// announce makes what has changed visible, and keeps it.
func (b *blocking) announce(in *perch.BlockListIn, before []perch.JID, known bool, sum string) {
	added, removed := without(b.list, before), without(before, b.list)
	for _, jid := range added {
		b.host.rememberAddress(jid)
	}
	b.host.hide(added)
	saved := b.saved()
	switch {
	case !known && (sum == "" || !in.All): // it was never told, or is fetched just now
	case !known:
		if sum != saved.Sum {
			b.journal.Durable(perch.EventBlockedChanged, perch.BlockListChange{Added: []perch.JID{}, Removed: []perch.JID{}, Reset: true})
		}
	default:
		b.changed(added, removed)
	}
	if known || in.All {
		b.save(saved)
	}
	b.probe(removed)
}

// changed makes the events of a change: one, or of a large one several.
func (b *blocking) changed(added, removed []perch.JID) {
	if len(b.list) == 0 && len(removed) > 1 && !b.partial {
		none := false
		b.journal.Durable(perch.EventBlockedChanged, perch.BlockListChange{Added: []perch.JID{}, Removed: []perch.JID{}, All: &none})
		return
	}
	for len(added)+len(removed) > 0 {
		c := perch.BlockListChange{Added: []perch.JID{}, Removed: []perch.JID{}}
		n := min(len(added), maxBlockedEvent)
		c.Added, added = append(c.Added, added[:n]...), added[n:]
		n = min(len(removed), maxBlockedEvent-n)
		c.Removed, removed = append(c.Removed, removed[:n]...), removed[n:]
		b.journal.Durable(perch.EventBlockedChanged, c)
	}
}

// probe asks for the presence of contacts who are not blocked any more: not every server sends it by itself.
func (b *blocking) probe(removed []perch.JID) {
	if !b.host.Online() {
		return
	}
	for _, jid := range b.host.blockedContacts(removed) {
		if !b.blocks(jid) {
			_ = b.host.Send(&perch.ProbeOut{To: jid.Bare()}) // without a stream the next login brings it
		}
	}
}

// saved is the list for the record.
func (b *blocking) saved() *StoredBlockList {
	v, bytes, sum := &StoredBlockList{Partial: b.partial}, 0, sha256.New()
	for _, jid := range b.list {
		bytes += len(jid) + 3
		_, _ = sum.Write([]byte(string(jid.Key()) + "\n")) // never fails
	}
	v.Sum = base64.RawStdEncoding.EncodeToString(sum.Sum(nil)[:12])
	if len(b.list) <= maxBlockedSaved && bytes <= maxBlockedBytes {
		v.List = b.list
	}
	return v
}

// save commits the list with what it has changed.
func (b *blocking) save(v *StoredBlockList) {
	rec := b.host.record()
	if old := rec.BlockList; old != nil && old.Sum == v.Sum && old.Partial == v.Partial {
		return
	}
	rec.BlockList = v
	b.host.saveRecord()
}

func compareKeys(x, y perch.JID) int { return strings.Compare(string(x.Key()), string(y.Key())) }

// without are the entries of one sorted list that the other one lacks.
func without(list, other []perch.JID) (rest []perch.JID) {
	for len(list) > 0 {
		for len(other) > 0 && other[0].Key() < list[0].Key() {
			other = other[1:]
		}
		if len(other) == 0 || !other[0].Equal(list[0]) {
			rest = append(rest, list[0])
		}
		list = list[1:]
	}
	return rest
}
