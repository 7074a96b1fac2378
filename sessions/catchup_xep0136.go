package sessions

import (
	"cmp"
	"context"
	"slices"

	"github.com/perch-im/perch"
)

// catchUpLast reads the archive after an outage as far as it goes: the last messages of the
// recent conversations. Those of the outage, and of a link that was dead before this was
// noticed, are logged in the order of their time, before the live messages that wait. Whether
// it has all of them it cannot tell: so the gap is reported all the same.
func (cu *catchup) catchUpLast(ctx context.Context, l *link) error {
	if !cu.catching(ctx, l) {
		return nil
	}
	var since perch.Time
	if err := cu.host.call(ctx, func() { since = cu.host.record().OfflineSince - lastSlack }); err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	items, err := cu.lastMessages(short, l, since)
	if err != nil && (ctx.Err() != nil || l.conn.Err() != nil) {
		return err // the next login does it
	}
	if err != nil {
		cu.host.logDebug("the archive was not read", "error", err)
	}
	return cu.host.call(ctx, func() {
		cu.host.ifCurrent(l, func(l *link) {
			if l.buffering {
				cu.applyLast(l, items)
			}
			cu.gap(perch.GapLastOnly)
		})
	})
}

// applyLast logs what neither the log nor the messages that wait have. These count first:
// they have ids and all fields, and this archive has not.
func (cu *catchup) applyLast(l *link, items []perch.ArchiveItem) {
	for i := range l.buffered {
		d := &l.buffered[i]
		m, ok := d.in.(*perch.MessageIn)
		if !ok || m == nil {
			continue
		}
		c := l.identifyMessage(m, d.at)
		if d.known = cu.isCopy(&c); !d.known {
			d.entry = cu.known.add(c) + 1
		}
	}
	for i := range items {
		if !items[i].TimeIsArrival { // it may be of any time, and logged long ago
			cu.host.guarded(func() { cu.applyArchived(&items[i], nil) })
		}
	}
}

// lastMessages asks for the last messages of the recent conversations, from a time on, oldest
// first.
func (cu *catchup) lastMessages(ctx context.Context, l *link, since perch.Time) ([]perch.ArchiveItem, error) {
	if err := cu.written(ctx); err != nil {
		return nil, err
	}
	var tip uint64
	if err := cu.host.call(ctx, func() { tip = cu.log.published }); err != nil {
		return nil, err
	}
	page, err := cu.store.Log(ctx, cu.id, tip-min(tip, lastTail), lastTail)
	if err != nil {
		return nil, err
	}
	var items []perch.ArchiveItem
	bytes := 0
	for _, peer := range recentPeers(page.Events) {
		last, err := l.conn.Archive(ctx, perch.ArchiveQuery{With: peer, Start: since})
		if err != nil {
			return sorted(items), err // most likely the others would fail as well
		}
		for i := range last.Items {
			bytes += messageCost(&last.Items[i].MessageIn)
		}
		if bytes > lastBytes {
			return sorted(items), perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the archive has more than this gateway reads after an outage")
		}
		items = append(items, last.Items...)
	}
	return sorted(items), nil
}

func sorted(items []perch.ArchiveItem) []perch.ArchiveItem {
	slices.SortStableFunc(items, func(a, b perch.ArchiveItem) int { return cmp.Compare(a.Time, b.Time) })
	return items
}

// recentPeers are those whom the messages of a part of the log were exchanged with, the
// latest first.
func recentPeers(events []*perch.Event) (peers []perch.JID) {
	for _, e := range slices.Backward(events) {
		m := messageOf(e)
		if m == nil {
			continue
		}
		peer := m.From.Bare()
		if e.Type == perch.EventMessageSent {
			peer = m.To.Bare()
		}
		if len(peers) < lastPeers && !slices.ContainsFunc(peers, peer.Equal) {
			peers = append(peers, peer)
		}
	}
	return peers
}
