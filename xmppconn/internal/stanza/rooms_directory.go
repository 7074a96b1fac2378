package stanza

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsDiscoItems = "http://jabber.org/protocol/disco#items"
	nsMUC        = "http://jabber.org/protocol/muc"
)

// What is taken of one list of rooms. The rest is counted.
const (
	maxRooms         = 10_000
	maxRoomBytes     = 2 << 20
	roomListOverhead = 64
)

// EncodeDirectory asks a service for a page of its rooms (XEP-0045, 6.3; XEP-0059). A service that
// knows no pages answers with all.
func EncodeDirectory(limit int, after string) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsDiscoItems + "'>")
	w.rsm(limit, "", false, after)
	w.Raw("</query>")
	return w.Result()
}

// EncodeDiscoItems asks a server what it has beside itself (XEP-0030, 4.1).
func EncodeDiscoItems() []byte { return []byte("<query xmlns='" + nsDiscoItems + "'/>") }

// DirectoryCollector makes one list of the answer to either, which may come in parts.
type DirectoryCollector struct {
	items   []perch.DirectoryRoom
	leftOut int
	bytes   int
	page    *directoryRSM // nil: the service knows no pages
}

// Add takes a payload, or a part of it, and keeps copies of its texts.
func (c *DirectoryCollector) Add(payload *xmlstream.Borrowed) {
	if !payload.Is(nsDiscoItems, "query") {
		return
	}
	for el := range payload.Children() {
		if el.Is(nsRSM, "set") {
			c.page = parseDirectoryRSM(el)
			continue
		}
		jid, name := el.Attr("jid"), el.Attr("name")
		if !el.Is(nsDiscoItems, "item") || jid.Empty() || !el.Attr("node").Empty() {
			continue
		}
		cost := roomListOverhead + len(jid.Peek()) + len(name.Peek())
		if len(c.items) >= maxRooms || c.bytes+cost > maxRoomBytes {
			c.leftOut++
			continue
		}
		c.bytes += cost
		c.items = append(c.items, perch.DirectoryRoom{JID: copyJID(jid), Name: name.Copy()})
	}
}

// JIDs are the addresses of the list.
func (c *DirectoryCollector) JIDs() []perch.JID {
	var list []perch.JID
	for _, item := range c.items {
		list = append(list, item.JID)
	}
	return list
}

// Page is the page that was asked for. A service that knows no pages has answered with all, of which
// the page is cut, in the order of addresses.
func (c *DirectoryCollector) Page(limit int, after string) perch.DirectoryPage {
	p := perch.DirectoryPage{Items: c.items, LeftOut: c.leftOut}
	if p.Items == nil {
		p.Items = []perch.DirectoryRoom{}
	}
	if c.page != nil {
		countOccupants(p.Items)
		p.Next = c.page.next(len(p.Items)+p.LeftOut, after)
		return p
	}
	slices.SortFunc(p.Items, func(a, b perch.DirectoryRoom) int { return cmp.Compare(a.JID, b.JID) })
	p.Items = slices.CompactFunc(p.Items, func(a, b perch.DirectoryRoom) bool { return a.JID == b.JID })
	first, found := slices.BinarySearchFunc(p.Items, after, func(r perch.DirectoryRoom, after string) int { return cmp.Compare(string(r.JID), after) })
	if found {
		first++
	}
	if p.Items = p.Items[first:]; limit > 0 && len(p.Items) > limit {
		next := string(p.Items[limit-1].JID)
		p.Items, p.Next = p.Items[:limit], &next
	}
	return p
}

// directoryRSM is what an answer says of the page that it is.
type directoryRSM struct {
	last         string
	index, count int // -1: not said
}

func parseDirectoryRSM(set *xmlstream.Borrowed) *directoryRSM {
	number := func(t xmlstream.Text) int {
		if n, err := strconv.ParseUint(t.Peek(), 10, 31); err == nil {
			return int(n)
		}
		return -1
	}
	return &directoryRSM{
		last:  set.Child(nsRSM, "last").InnerText().Copy(),
		index: number(set.Child(nsRSM, "first").Attr("index")), count: number(set.Child(nsRSM, "count").InnerText()),
	}
}

// next is where the page after one of n rooms begins; nil: there is none.
func (p *directoryRSM) next(n int, after string) *string {
	whole := p.index >= 0 && p.count >= 0 && p.index+n >= p.count
	if n == 0 || whole || p.last == "" || p.last == after {
		return nil
	}
	return &p.last
}

// countOccupants takes the number of occupants out of names such as "Room (3)", which is how ejabberd
// tells it. A room may be called so: it is a number only when every name of a page has one.
func countOccupants(rooms []perch.DirectoryRoom) {
	for _, r := range rooms {
		if _, _, ok := cutCount(r.Name); !ok {
			return
		}
	}
	for i := range rooms {
		name, n, _ := cutCount(rooms[i].Name)
		rooms[i].Name, rooms[i].Occupants = name, &n
	}
}

// cutCount cuts "Room (3)", or "Room (private, 3)" of a room that is not public.
func cutCount(name string) (before string, n int, ok bool) {
	i := strings.LastIndexByte(name, '(')
	if i < 0 || !strings.HasSuffix(name, ")") {
		return name, 0, false
	}
	count := name[i+1 : len(name)-1]
	if comma := strings.LastIndex(count, ", "); comma >= 0 {
		count = count[comma+2:]
	}
	v, err := strconv.ParseUint(count, 10, 31)
	if err != nil {
		return name, 0, false
	}
	return strings.TrimSpace(name[:i]), int(v), true
}

// IsRoomService reports whether an answer to EncodeDiscoInfo is of a service that has rooms (XEP-0045,
// 6.2), and not of a gateway into another network.
func IsRoomService(payload *xmlstream.Element) bool {
	return HasFeature(payload, nsMUC) && slices.ContainsFunc(payload.Children(), func(c *xmlstream.Element) bool {
		return c.Is(nsDiscoInfo, "identity") && c.Attr("category") == "conference" && c.Attr("type") == "text"
	})
}
