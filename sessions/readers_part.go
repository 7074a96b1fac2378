package sessions

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/perch-im/perch"
)

// The bounds of one part.
const (
	partEvents = 100
	partBytes  = 256 << 10 // of Event.Wire; one event may be larger
	partPage   = 50        // events that are read of the Store at a time
	partPages  = 20        // that one turn reads at most
)

// reading says what is to be read of the log for a reader. A copy of it needs no owner.
type reading struct {
	epoch  string
	from   uint64 // after this offset
	until  uint64 // the part that was under way ends there; 0: the reader begins the next one
	tip    uint64 // nothing is read beyond it
	reset  string
	filter eventFilter
	own    perch.JID
}

// logPart is what a reader gets at once: the events after from, up to and with to, that are for it.
type logPart struct {
	from, to uint64
	reset    string
	events   []*perch.Event
	bytes    int
}

// read reads the part that a reader is due; one without an event says how far there is nothing for it.
func (x *readerList) read(ctx context.Context, w reading) (p logPart, err error) {
	p = logPart{from: w.from, to: w.from, reset: w.reset}
	end := w.tip
	if w.until != 0 {
		end = w.until
	}
	for pages := 0; p.to < end && (pages < partPages || w.until != 0); pages++ {
		page, err := x.store.Log(ctx, x.id, p.to, int(min(end-p.to, partPage)))
		if err != nil {
			return p, storeError(err)
		}
		switch {
		case page.First > p.to+1: // what follows the cursor has left the log
			p = lostBefore(page.First-1, p.reset)
			if w.until != 0 && w.until <= p.to {
				end, w.until = max(w.tip, p.to), 0
			}
		case len(page.Events) == 0:
			return p, ErrMoved // lost, or of another log: the owner will know
		}
		for _, e := range page.Events {
			if e.Position.Epoch != w.epoch || e.Position.Offset != p.to+1 {
				return p, ErrMoved
			}
			if e.Position.Offset > end || !p.add(e, w) {
				return p, nil
			}
		}
	}
	return p, nil
}

// lostBefore is a part that begins after an offset, since what was before it is lost.
func lostBefore(from uint64, reset string) logPart {
	if reset == "" {
		reset = ResetExpired
	}
	return logPart{from: from, to: from, reset: reset}
}

// add adds an event, and reports false when the part has enough without it.
func (p *logPart) add(e *perch.Event, w reading) bool {
	if w.filter.passes(e, w.own) {
		if w.until == 0 && len(p.events) > 0 && (len(p.events) == partEvents || p.bytes+len(e.Wire) > partBytes) {
			return false
		}
		p.events = append(p.events, e)
		p.bytes += len(e.Wire)
	}
	p.to = e.Position.Offset
	return true
}

// empty reports whether there is nothing to send: of a webhook, that something is lost is news of its own.
func (p *logPart) empty(kind perch.ReaderKind) bool {
	return len(p.events) == 0 && (p.reset == "" || kind != perch.WebhookReader)
}

// deliveryID names a part of a log for a reader: the same on every node, and for no other part.
func deliveryID(id ID, row *StoredReader, p logPart) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%d\n%d\n%s\n%d\n%d", id, row.Key(), row.Created, row.Generation, row.Cursor.Epoch, p.from, p.to)
	return "msg_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:16]))
}
