package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// What is taken of one roster. What goes beyond is counted and left out: a roster is in memory
// for as long as its session.
const (
	maxRosterItems = 50_000
	maxRosterBytes = 16 << 20 // by rosterCost
	maxGroups      = 100      // of one item
	itemOverhead   = 128      // of an item, besides its texts
)

// RosterCollector makes one result of the answer to a roster get, which may come in parts. Of
// two items with one JID the last one counts.
type RosterCollector struct {
	known bool // there was a roster in the answer
	r     perch.RosterResult
	at    map[perch.JID]int
	bytes int
}

// Add takes a payload, or a part of it, and keeps copies of its texts.
func (c *RosterCollector) Add(payload *xmlstream.Borrowed) {
	if !payload.Is(nsRoster, "query") {
		return
	}
	if !c.known {
		n := payload.Count()
		c.known, c.at = true, make(map[perch.JID]int, n)
		c.r = perch.RosterResult{Version: payload.Attr("ver").Copy(), Items: make([]perch.Buddy, 0, min(n, maxRosterItems))}
	}
	for el := range payload.Children() {
		b, ok := parseRosterItem(el)
		if !ok || b.Subscription == perch.SubscriptionRemove {
			continue
		}
		c.item(b)
	}
}

func (c *RosterCollector) item(b perch.Buddy) {
	i, twice := c.at[b.JID.Key()]
	cost := buddyCost(&b)
	if twice {
		cost -= buddyCost(&c.r.Items[i])
	}
	switch {
	case !twice && len(c.r.Items) >= maxRosterItems || c.bytes+cost > maxRosterBytes:
		c.r.LeftOut++
		return
	case twice:
		c.r.Items[i] = b
	default:
		c.at[b.JID.Key()] = len(c.r.Items)
		c.r.Items = append(c.r.Items, b)
	}
	c.bytes += cost
}

// Result is the roster. No payload says that the version that was asked with is still right
// (RFC 6121, 2.6.3).
func (c *RosterCollector) Result() perch.RosterResult {
	if !c.known {
		return perch.RosterResult{Unchanged: true}
	}
	return c.r
}

// buddyCost estimates the memory of an item.
func buddyCost(b *perch.Buddy) int {
	n := itemOverhead + len(b.JID) + len(b.Name)
	for _, g := range b.Groups {
		n += 16 + len(g)
	}
	return n
}
