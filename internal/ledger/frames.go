package ledger

import (
	"context"
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
		// message.received
		Body   string
		Source string
		// session.state, session.gap, event.dropped
		State  string
		Reason string
	}
	Close *struct {
		Code   int
		Reason string
	}
	Error *struct{ Code, Detail string }
}

// handle deals with one frame.
func (c *client) handle(ctx context.Context, f frame) {
	switch f.Type {
	case "hello":
		c.isNow = false
		text := "resumed"
		if !f.Data.Resumed {
			text = f.Data.ResetReason
			if c.cursor != "" && c.lostAt.IsZero() {
				c.lostAt = c.seen
			}
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
	case "session.state":
		c.h.add(Entry{Op: OpState, Who: c.name, Account: c.account.Name, ID: f.ID, Text: f.words()})
	case "session.gap", "event.dropped", "error":
		c.h.add(Entry{Op: OpNote, Phase: Info, Who: c.name, Account: c.account.Name, ID: f.ID, Text: f.words()})
	}
	if f.ID != "" {
		c.cursor = f.ID
	}
	if c.isNow && !c.lostAt.IsZero() && time.Since(c.asked) > time.Second {
		c.catchUp(ctx)
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
	m, ok := parse(f.Data.Body)
	if !ok || m.to != c.account.Name {
		c.h.add(Entry{Op: OpDamaged, Phase: Fail, Who: c.name, ID: f.ID, Text: f.Data.Body})
		return
	}
	c.h.add(Entry{Op: OpRecv, Who: c.name, Account: m.to, From: m.from, N: m.n, ID: f.ID, Text: f.Data.Source})
}

// archiveSlack is how far back of the newest message a client reads after a reset: it does
// not know how long the last ones were on their way.
const archiveSlack = time.Minute

// readArchive reads what a reset may have left out, of each buddy. False: not yet.
func (c *client) readArchive(ctx context.Context) bool {
	since := c.lostAt.Add(-archiveSlack).UTC().Format(time.RFC3339)
	for _, buddy := range c.account.buddies {
		q := url.Values{"with": {buddy}, "start": {since}, "limit": {"200"}}
		for {
			got, err := c.account.call(ctx, "GET", "/v1/archive?"+q.Encode(), "", nil)
			var page struct {
				Items []struct{ ID, Direction, Body string }
				Next  string
			}
			if err != nil || got.status != 200 || got.decode(&page) != nil {
				return false
			}
			for _, it := range page.Items {
				if m, ok := parse(it.Body); ok && m.to == c.account.Name {
					c.h.add(Entry{Op: OpRead, Who: c.name, Account: m.to, From: m.from, N: m.n, ID: it.ID})
				}
			}
			if page.Next == "" || page.Next == q.Get("after") {
				break
			}
			q.Set("after", page.Next)
		}
	}
	return true
}

// since is the cursor as a parameter.
func (c *client) since(path string) string {
	if c.cursor == "" {
		return c.account.base + path
	}
	return strings.Join([]string{c.account.base, path, "?since=", url.QueryEscape(c.cursor)}, "")
}
