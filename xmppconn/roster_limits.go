package xmppconn

import "github.com/perch-im/perch"

// What is taken of one roster. What goes beyond is counted and left out: a roster is in memory
// for as long as its session.
const (
	maxRosterItems = 50_000
	maxRosterBytes = 16 << 20 // by rosterCost
	maxGroups      = 100      // of one item
	rosterCost     = 128      // of an item, besides its texts
)

// rosterCollector makes one result of the parts of a roster. Of two items with one JID the
// last one counts.
type rosterCollector struct {
	known bool // there was a roster in the answer
	r     perch.RosterResult
	at    map[perch.JID]int
	bytes int
}

// add takes a payload, or a part of it.
func (c *rosterCollector) add(payload *element) {
	if !payload.is(nsRoster, "query") {
		return
	}
	if !c.known {
		c.known, c.at = true, make(map[perch.JID]int, len(payload.children))
		c.r = perch.RosterResult{Version: keep(payload.attr("ver")), Items: make([]perch.Buddy, 0, min(len(payload.children), maxRosterItems))}
	}
	for _, el := range payload.children {
		b, ok := parseRosterItem(el)
		if !ok || b.Subscription == perch.SubscriptionRemove {
			continue
		}
		c.item(b)
	}
}

func (c *rosterCollector) item(b perch.Buddy) {
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

func (c *rosterCollector) result() perch.RosterResult {
	if !c.known {
		return perch.RosterResult{Unchanged: true}
	}
	return c.r
}

// buddyCost estimates the memory of an item.
func buddyCost(b *perch.Buddy) int {
	n := rosterCost + len(b.JID) + len(b.Name)
	for _, g := range b.Groups {
		n += 16 + len(g)
	}
	return n
}
