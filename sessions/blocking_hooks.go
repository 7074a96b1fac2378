package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
)

// restore implements part. A list that is too long for the record is fetched by the next login.
func (b *blocking) restore(_ context.Context, v *Saved) error {
	rec := v.Record.BlockList
	if rec == nil {
		return nil
	}
	b.support = supported
	empty := (&blocking{}).saved().Sum
	if len(rec.List) > 0 || rec.Sum == empty {
		b.list, b.partial, b.known = rec.List, rec.Partial, true
	}
	return nil
}

// apply implements part. Whom the account blocks is offline to it: servers differ in what of their presence they
// still pass on, and what was on its way comes all the same. A message is never left out.
func (b *blocking) apply(in perch.Inbound, _ *link) bool {
	switch in := in.(type) {
	case *perch.BlockListIn:
		b.take(in)
		return true
	case *perch.PresenceIn:
		return in.Available && b.blocks(in.From)
	case *perch.ChatStateIn:
		return b.blocks(in.From)
	}
	return false
}

// online implements part: a stream that was resumed has reported every change, unless this process
// does not know what it changed.
func (b *blocking) online(resumed bool) {
	if resumed && !b.known {
		b.fetch(b.host.stream())
	}
}

func (*blocking) offline(*link) {}
func (b *blocking) stop()       { stop(b.again) }

// fetch asks for the list; done is closed when it has arrived, or does not come. Without it the server tells nothing
// of what other devices change, so a fetch that failed is tried again.
func (b *blocking) fetch(l *link) (done <-chan struct{}) { return b.fetchTry(l, 1) }

func (b *blocking) fetchTry(l *link, try int) (done <-chan struct{}) {
	ended := make(chan struct{})
	conn, ok := blockingConn(l)
	if !ok {
		b.support = unsupported
		close(ended)
		return ended
	}
	b.host.background(func(ctx context.Context) {
		defer close(ended)
		ctx, cancel := context.WithTimeout(ctx, blockListTimeout)
		defer cancel()
		err := conn.FetchBlockList(ctx)
		if err != nil {
			b.host.logDebug("the block list was not fetched", "error", err)
			b.host.post(func() { b.fetchFailed(l, try, err) })
		}
	})
	return ended
}

// fetchFailed decides what becomes of a fetch by a link that is still in use.
func (b *blocking) fetchFailed(l *link, try int, err error) {
	switch {
	case b.host.stream() != l:
	case perch.KindOf(err) == perch.KindFeatureUnsupported:
		b.notSupported(l)
	case try < blockListTries:
		stop(b.again)
		b.again = b.host.after(blockListAgain, func() {
			if b.host.stream() == l {
				b.fetchTry(l, try+1)
			}
		})
	}
}

// blockingConn is a link as one that can block; ok is false when it cannot.
func blockingConn(l *link) (conn BlockingConn, ok bool) {
	if l == nil || l.login.Capabilities.ChatOnly {
		return nil, false
	}
	conn, ok = l.conn.(BlockingConn)
	return conn, ok
}

// notSupported notes that the server of a link has no block lists.
func (b *blocking) notSupported(l *link) {
	if b.host.stream() != l {
		return
	}
	b.support, b.known, b.partial = unsupported, false, false
	b.list = nil
	if rec := b.host.record(); rec.BlockList != nil {
		rec.BlockList = nil
		b.host.saveRecord()
	}
}

// await waits until a fetch is over, but not for long.
func (*blocking) await(ctx context.Context, done <-chan struct{}) {
	patience := time.NewTimer(blockListWait)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	case <-ctx.Done():
	}
}

// hide makes contacts unavailable whom entries of the block list block.
func (ro *roster) hide(entries []perch.JID) {
	for _, jid := range ro.blockedContacts(entries) {
		ro.applyPresence(&perch.PresenceIn{From: jid})
	}
}

// blockedContacts are the contacts whom entries of the block list block; one of a device has its resource.
func (ro *roster) blockedContacts(entries []perch.JID) (list []perch.JID) {
	servers := map[perch.JID]bool{} // by their keys; true: with everybody of it
	for _, entry := range entries {
		bare := entry.Bare()
		if entry.Local() == "" {
			servers[bare.Key()] = servers[bare.Key()] || entry.IsBare()
		} else if k := ro.contacts.Get(bare); k != nil {
			list = append(list, k.Buddy.JID+entry[len(bare):])
		}
	}
	if len(servers) == 0 {
		return list
	}
	for k := range ro.contacts.All() {
		jid := k.Buddy.JID
		if everybody, there := servers[perch.JID(jid.Domain()).Key()]; everybody || there && jid.Local() == "" {
			list = append(list, jid)
		}
	}
	return list
}
