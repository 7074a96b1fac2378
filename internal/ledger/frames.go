package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"
)

// frame is an envelope of the event stream, with the fields that the ledger looks at.
type frame struct {
	ID   string
	Type string
	Data struct {
		// hello
		Resumed     bool
		ResetReason string `json:"reset_reason"`
		// reconnect
		AfterMS int `json:"after_ms"`
		// live, heartbeat
		Tip string
		// message.received, and what is about a message
		wireMessage
		Conversation string
		Source       string
		// session.state, session.gap, event.dropped, room.state
		State  string
		Reason string
		JID    string
		Room   json.RawMessage // its address, or of a message who has written it
	}
	Close *struct {
		Code   int
		Reason string
	}
	Error *struct{ Code, Detail string }
}

// handle deals with one frame.
func (c *client) handle(ctx context.Context, f frame) {
	if !c.inRoom(&f) {
		c.handleOther(f)
	}
	if f.ID != "" {
		c.cursor = f.ID
	}
	if c.isNow && !c.lostAt.IsZero() && time.Since(c.asked) > time.Second {
		c.catchUp(ctx)
	}
}

// handleOther deals with a frame that is not about a room.
func (c *client) handleOther(f frame) {
	switch f.Type {
	case "hello":
		c.isNow = false
		text := "resumed"
		if !f.Data.Resumed {
			text = f.Data.ResetReason
			if c.cursor != "" && c.lostAt.IsZero() {
				c.lostAt, c.roomLost = c.seen, maps.Clone(c.roomSeen)
			}
			c.view.reset()
			c.reading, c.isRead = nil, map[string]bool{}
		}
		c.h.add(Entry{Op: OpHello, Who: c.name, Account: c.account.Name, ID: c.cursor, Text: text})
	case "live", "heartbeat":
		c.cursor, c.attempt, c.isNow = f.Data.Tip, 0, true
		if !c.isLive {
			c.isLive, c.seen = true, time.Now()
			close(c.live)
		}
	case "message.received":
		c.received(f)
	case "message.sent":
		c.view.message(bare(f.Data.To), &f.Data.wireMessage, false)
	case "message.edited", "message.retracted", "message.reactions":
		c.view.event(&f)
		c.h.add(Entry{Op: OpNote, Phase: Info, Who: c.name, Account: c.account.Name, ID: f.ID, Key: f.Data.ID, Text: f.said()})
	case "session.state":
		if f.Data.State == "online" && !f.Data.Resumed {
			c.cameBack()
		}
		c.h.add(Entry{Op: OpState, Who: c.name, Account: c.account.Name, ID: f.ID, Text: f.words()})
	case "session.gap", "event.dropped", "error":
		c.h.add(Entry{Op: OpNote, Phase: Info, Who: c.name, Account: c.account.Name, ID: f.ID, Text: f.words()})
	}
}

// words is what a note says of a frame.
func (f frame) words() string {
	text := strings.TrimSpace(f.Type + " " + f.Data.State + " " + f.Data.Reason)
	if f.Data.Resumed {
		text += " (resumed)"
	}
	return text
}

// said is what a note says of an event about a message.
func (f frame) said() string {
	if f.Data.Edited != nil {
		return fmt.Sprint(f.Type, " ", f.Data.Edited.Count, " ", version(f.Data.Body))
	}
	return fmt.Sprint(f.Type, " ", f.Data.Reactions)
}

// catchUp reads the archive after a reset, and again until it can.
func (c *client) catchUp(ctx context.Context) {
	if c.asked = time.Now(); !c.readArchive(ctx) {
		return
	}
	c.lostAt = time.Time{}
	c.h.add(Entry{Op: OpCaughtUp, Who: c.name, Account: c.account.Name})
}

func (c *client) received(f frame) {
	c.seen = time.Now()
	c.view.message(bare(f.Data.From), &f.Data.wireMessage, true)
	m, ok := f.Data.names()
	if !ok || m.to != c.account.Name {
		c.h.add(Entry{Op: OpDamaged, Phase: Fail, Who: c.name, ID: f.ID, Text: f.Data.Body})
		return
	}
	c.h.add(Entry{Op: OpRecv, Who: c.name, Account: m.to, From: m.from, N: m.n, ID: f.ID, Text: f.Data.Source})
}

// archiveSlack is how far back of the newest message a client reads after a reset: it does
// not know how long the last ones were on their way.
const archiveSlack = time.Minute

// names is the message that it is, by its text, or by its id where it was taken back.
func (w *wireMessage) names() (m message, ok bool) {
	if w.Retracted != nil && w.Body == "" {
		return named(w.ID)
	}
	return parse(w.Body)
}

// readArchive reads what a reset may have left out, of each conversation, and continues where it has
// failed before. False: not yet.
func (c *client) readArchive(ctx context.Context) bool {
	since := c.lostAt.Add(-archiveSlack).UTC().Format(time.RFC3339)
	if c.reading == nil {
		c.reading = newArchiveRead(c.account, c.view.names, func(w *wireMessage) {
			if m, ok := w.names(); ok && m.to == c.account.Name {
				c.h.add(Entry{Op: OpRead, Who: c.name, Account: m.to, From: m.from, N: m.n, ID: w.ID})
			}
		})
	}
	for _, peer := range c.account.peers {
		if !c.isRead[peer] && !c.reading.read(ctx, peer, since) {
			return false
		}
		c.isRead[peer] = true
	}
	if !c.readRooms(ctx) {
		return false
	}
	c.view.pages(c.reading.whole)
	c.reading = nil
	return true
}

// since is the cursor as a parameter.
func (c *client) since(path string) string {
	if c.cursor == "" {
		return c.account.base + path
	}
	return strings.Join([]string{c.account.base, path, "?since=", url.QueryEscape(c.cursor)}, "")
}
