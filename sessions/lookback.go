package sessions

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/perch-im/perch"
)

// lookBackEvents is how far back in the log the archive is compared with it.
const lookBackEvents = 100

// behind is the part of the archive that is read although later messages are logged already.
type behind struct {
	from  string // the place to go on from; "": where the log ends
	until string // the last logged message: what comes before it was logged, or came too late
}

// lookBack lets the archive be read from a little before the last logged message on. A server
// may hand a message over after a later one, as ejabberd does when it resumes a stream (what
// was on its way to the old connection comes behind what came to the new one). If that stream
// is lost before it does, and cannot be resumed, the later one is no place to go on from.
// Without a log to compare with, the archive is read from the end of the log on.
func (s *Session) lookBack(ctx context.Context, l *link) error {
	var tip uint64
	last := ""
	if err := s.turn(ctx, func() { tip, last = s.log.shown, s.rec.ArchiveID }); err != nil || last == "" {
		return err
	}
	page, err := s.m.o.Store.Log(ctx, s.id, tip-min(tip, lookBackEvents), lookBackEvents)
	if err != nil {
		return nil // the log says by itself, and to others, that it cannot be read
	}
	ids := stanzaIDs(page.Events)
	if len(ids) < 2 || !slices.Contains(ids, last) {
		return nil
	}
	return s.turn(ctx, func() {
		if l.seen == nil {
			l.seen = map[string]struct{}{}
		}
		for _, id := range ids {
			l.seen[id] = struct{}{}
		}
		l.behind = behind{from: ids[0], until: last}
	})
}

// stanzaIDs are the ids in the own archive of the messages among these events, in order.
func stanzaIDs(events []*perch.Event) (ids []string) {
	for _, e := range events {
		if e.Type != perch.EventMessageReceived && e.Type != perch.EventMessageSent {
			continue
		}
		var env struct{ Data perch.Message }
		if json.Unmarshal(e.Wire, &env) == nil && env.Data.StanzaID != "" {
			ids = append(ids, env.Data.StanzaID)
		}
	}
	return ids
}
