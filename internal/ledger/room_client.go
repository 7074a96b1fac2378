package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// inRoom deals with a frame of a room, and reports whether it is one.
func (c *client) inRoom(f *frame) bool {
	var about string
	_ = json.Unmarshal(f.Data.Room, &about)
	e := Entry{Who: c.name, Account: c.account.Name, ID: f.ID}
	switch {
	case (f.Type == "message.received" || f.Type == "message.sent") && f.Data.Kind == "groupchat":
		c.roomMessage(f, e)
		return true
	case f.Type == "session.gap" && about != "":
		e.Op, e.To, e.Text = OpRoomGap, nameOf(c.view.names, about), f.Data.Reason
		e.Key = fmt.Sprint(c.h.sinceBegin(f.Data.From), " ", c.h.sinceBegin(f.Data.To))
		c.h.add(e)
		return true
	case f.Type == "room.state":
		e.Op, e.To, e.Text = OpRoomIs, nameOf(c.view.names, f.Data.JID), f.Data.State
		e.Key = f.Data.Reason
		c.h.add(e)
		return true
	}
	return false
}

func (c *client) roomMessage(f *frame, e Entry) {
	m, ok := parse(f.Data.Body)
	where := nameOf(c.view.names, bare(f.Data.To))
	if !ok || m.to != where {
		c.h.add(Entry{Op: OpDamaged, Phase: Fail, Who: c.name, ID: f.ID, Text: f.Data.Body})
		return
	}
	c.roomSeen[where] = time.Now()
	e.Op, e.From, e.To, e.N, e.Key = OpRoomRecv, m.from, m.to, m.n, f.Data.RoomStanzaID
	e.Text = f.Type + " " + f.Data.Source
	c.h.add(e)
}

// sinceBegin is a time of an event in milliseconds of the history; 0 where it cannot be read.
func (h *history) sinceBegin(text string) int64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return at.Sub(h.begun).Milliseconds()
}

// readRooms reads what a reset may have left out of the rooms. False: not yet.
func (c *client) readRooms(ctx context.Context) bool {
	for _, r := range c.rooms {
		since, ok := c.roomLost[r.name]
		if !ok {
			since = c.h.begun
		}
		if r.archive && !c.isRead[r.name] && !c.readRoom(ctx, r, since.Add(-archiveSlack).UTC().Format(time.RFC3339)) {
			return false
		}
		c.isRead[r.name] = true
	}
	return true
}

// readRoom reads a room from a time on, page by page.
func (c *client) readRoom(ctx context.Context, r *room, since string) bool {
	q := url.Values{"with": {r.jid}, "start": {since}, "limit": {"200"}}
	for {
		got, err := c.account.call(ctx, http.MethodGet, "/v1/archive?"+q.Encode(), "", nil)
		var page struct {
			Items []wireMessage
			Next  string
		}
		if err != nil || got.status != http.StatusOK || got.decode(&page) != nil {
			return false
		}
		for _, w := range page.Items {
			if m, ok := parse(w.Body); ok && m.to == r.name {
				c.h.add(Entry{Op: OpRoomRead, Who: c.name, Account: c.account.Name, From: m.from, To: m.to, N: m.n, ID: w.MessageID, Key: w.RoomStanzaID})
			}
		}
		if page.Next == "" || page.Next == q.Get("after") {
			return true
		}
		q.Set("after", page.Next)
	}
}
