package sessions

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// archiveLast is the Capabilities.Archive that has the last few messages with each account,
// without ids and without paging (XEP-0136 as the Messenger service knew it).
const archiveLast = "136"

const (
	lastPeers = 20               // accounts whose last messages are asked for
	lastTail  = 500              // events of the log that tell who they are
	lastTime  = 10 * time.Second // for all of it
	lastSlack = 120_000          // ms that the server's clock may differ from ours
)

// catchUpLast reads the archive after an outage as far as it goes: the last messages of the
// recent conversations. Those of the outage, and of a link that was dead before anybody
// noticed, are logged in the order of their time, before the live messages that wait. What
// it does not have, and whether it has all, it cannot tell: so the gap is told all the same.
func (s *Session) catchUpLast(ctx context.Context, l *link) error {
	if !l.catching(ctx, s) {
		return nil
	}
	var since perch.Time
	if err := s.turn(ctx, func() { since = s.rec.OfflineSince - lastSlack }); err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	items, k, err := s.lastMessages(short, l, since)
	if err != nil && (ctx.Err() != nil || l.conn.Err() != nil) {
		return err // the next login does it
	}
	if err != nil {
		s.logDebug("the archive was not read", "error", err)
	}
	return s.turn(ctx, func() {
		s.ifCurrent(l, func(l *link) {
			if l.holding {
				s.applyLast(l, items, k)
			}
			s.gap()
		})
	})
}

// applyLast logs what neither the log nor the messages that wait have.
func (s *Session) applyLast(l *link, items []perch.ArchiveItem, k knownMessages) {
	for _, d := range l.held {
		if m, ok := d.in.(*perch.MessageIn); ok && m != nil {
			k.add(&m.Message, m.Sent, s.now())
		}
	}
	for _, it := range items {
		if !k.has(it) {
			s.guarded(func() { s.applyArchived(it, nil) })
		}
	}
}

// lastMessages asks for the last messages of the recent conversations, from a time on, oldest
// first, and says what is known of them.
func (s *Session) lastMessages(ctx context.Context, l *link, since perch.Time) ([]perch.ArchiveItem, knownMessages, error) {
	k := knownMessages{}
	if err := s.written(ctx); err != nil {
		return nil, k, err
	}
	var tip uint64
	if err := s.turn(ctx, func() { tip = s.log.shown }); err != nil {
		return nil, k, err
	}
	page, err := s.m.o.Store.Log(ctx, s.id, tip-min(tip, lastTail), lastTail)
	if err != nil {
		return nil, k, err
	}
	var items []perch.ArchiveItem
	for _, peer := range k.read(page.Events) {
		last, err := l.conn.Archive(ctx, perch.ArchiveQuery{With: peer, Start: since})
		if err != nil {
			return sorted(items), k, err // most likely the others would fail as well
		}
		items = append(items, last.Items...)
	}
	return sorted(items), k, nil
}

func sorted(items []perch.ArchiveItem) []perch.ArchiveItem {
	slices.SortStableFunc(items, func(a, b perch.ArchiveItem) int { return cmp.Compare(a.Time, b.Time) })
	return items
}

// knownMessages are the times of messages that need not be logged again. An archive without
// ids gives nothing else to know them by than what was said, by whom, and about when.
type knownMessages map[saying][]perch.Time

type saying struct {
	peer perch.JID // its key
	sent bool
	body string
}

func (k knownMessages) add(m *perch.Message, sent bool, at perch.Time) {
	if m.Delay != nil && m.Delay.Stamp != 0 {
		at = m.Delay.Stamp
	}
	what := saying{m.From.Bare().Key(), sent, m.Body}
	if sent {
		what.peer = m.To.Bare().Key()
	}
	k[what] = append(k[what], at)
}

// has says whether it is one of them, which then stands for no other.
func (k knownMessages) has(it perch.ArchiveItem) bool {
	what := saying{it.From.Bare().Key(), it.Direction == "out", it.Body}
	if what.sent {
		what.peer = it.To.Bare().Key()
	}
	nearest, best := -1, perch.Time(lastSlack)
	for i, at := range k[what] {
		if d := max(at-it.Time, it.Time-at); d <= best {
			nearest, best = i, d
		}
	}
	if nearest < 0 {
		return false
	}
	k[what] = slices.Delete(k[what], nearest, nearest+1)
	return true
}

// read takes the messages of a part of the log, and returns whom they were exchanged with,
// the latest first.
func (k knownMessages) read(events []*perch.Event) (peers []perch.JID) {
	for _, e := range slices.Backward(events) {
		if e.Type != perch.EventMessageReceived && e.Type != perch.EventMessageSent {
			continue
		}
		var env struct {
			Data perch.Message `json:"data"`
		}
		if json.Unmarshal(e.Wire, &env) != nil {
			continue
		}
		sent := e.Type == perch.EventMessageSent
		k.add(&env.Data, sent, e.Time)
		peer := env.Data.From.Bare()
		if sent {
			peer = env.Data.To.Bare()
		}
		if len(peers) < lastPeers && !slices.ContainsFunc(peers, peer.Equal) {
			peers = append(peers, peer)
		}
	}
	return peers
}
