package stanza

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// EncodeArchive136 asks for the last messages with one account (XEP-0136, 7.3). Only with
// is sent beside the number: the Messenger service knew no collections by start, no
// resource and no paging.
func EncodeArchive136(q perch.ArchiveQuery) ([]byte, error) {
	var w writer
	w.Raw("<retrieve xmlns='" + nsArchive + "'")
	w.Attr("/with", "with", string(q.With.Bare()))
	w.Raw(">")
	w.rsm(q.Limit, "", false, "")
	w.Raw("</retrieve>")
	return w.Result()
}

// ParseArchive136 reads the answer, oldest first: a chat, a list of chats, an empty one of
// either kind, or nothing at all. Most is how many messages the archive gives at most: with
// as many, or as many as were asked for, there may be more; there is no way to know. Start, End
// and Limit of the query are applied here; Before and After cannot be.
func ParseArchive136(payload *xmlstream.Element, self perch.JID, q perch.ArchiveQuery, most int, now perch.Time) perch.ArchivePage {
	var items []perch.ArchiveItem
	if payload.Is(nsArchive, "chat") {
		items = appendChat(items, payload, self, q, now)
	} else if payload.Is(nsArchive, "list") {
		for _, c := range payload.Children() {
			if c.Is(nsArchive, "chat") {
				items = appendChat(items, c, self, q, now)
			}
		}
	}
	given := messagesOf(payload) // also those with nothing in them for a person
	complete := most > 0 && given < most && (q.Limit <= 0 || given < q.Limit)
	slices.SortStableFunc(items, func(a, b perch.ArchiveItem) int { return cmp.Compare(a.Time, b.Time) })
	assignIDs(items)
	items = slices.DeleteFunc(items, func(i perch.ArchiveItem) bool {
		return i.Time != 0 && (q.Start != 0 && i.Time < q.Start || q.End != 0 && i.Time > q.End)
	})
	for i := range items {
		if items[i].Time == 0 {
			items[i].Time, items[i].TimeIsArrival = now, true
		}
	}
	if q.Limit > 0 && len(items) > q.Limit {
		items = items[len(items)-q.Limit:]
	}
	return perch.ArchivePage{Items: items, Complete: complete}
}

// messagesOf counts the from and to elements of an answer.
func messagesOf(el *xmlstream.Element) (n int) {
	if el == nil {
		return 0
	}
	for _, c := range el.Children() {
		switch {
		case c.Is(nsArchive, "from"), c.Is(nsArchive, "to"):
			n++
		case c.Is(nsArchive, "chat"):
			n += messagesOf(c)
		}
	}
	return n
}

// appendChat reads one collection: a series of from and to elements. Thread and subject are
// those of the collection (XEP-0136, 5.1); the Messenger service had neither.
func appendChat(items []perch.ArchiveItem, chat *xmlstream.Element, self perch.JID, q perch.ArchiveQuery, now perch.Time) []perch.ArchiveItem {
	with := q.With.Bare()
	if v := chat.Attr("with"); v != "" {
		with = cloneJID(v).Bare()
	}
	thread, subject := strings.Clone(chat.Attr("thread")), strings.Clone(chat.Attr("subject"))
	clock := newChatClock(chat, now)
	for _, c := range chat.Children() {
		if c.Space() != nsArchive || c.Local() != "from" && c.Local() != "to" {
			continue
		}
		at := clock.at(c)
		m := perch.MessageIn{Message: perch.Message{From: with, To: self.Bare(), Kind: perch.ChatMessage,
			Thread: thread, Subject: subject, Delay: &perch.Delay{Stamp: at}, Source: perch.SourceArchive}}
		if c.Local() == "to" {
			m.From, m.To, m.Sent = m.To, m.From, true
		}
		if item, ok := archivedText(c.Borrowed(), m, self); ok {
			item.Time = at
			items = append(items, item)
		}
	}
	return items
}

// archivedText adds what is in a from or to element to what is known of the message; ok is false when
// there is nothing in it for a person.
func archivedText(el *xmlstream.Borrowed, m perch.MessageIn, self perch.JID) (item perch.ArchiveItem, ok bool) {
	body := el.ChildText(nsArchive, "body")
	if body.Empty() {
		body = el.ChildText(nsClient, "body")
	}
	x := &extras{el: el, self: self, kind: m.Kind, from: m.From, body: body, fromOwn: m.Sent}
	x.read()
	m.Body = body.Copy()
	if m.Body == "" {
		m.Body, _ = x.bodySubstitute()
	}
	shown, dropped := x.verdict(m.Body != "")
	if dropped == "" {
		x.apply(&m)
	} else {
		m.Body = ""
	}
	return perch.ArchiveItem{MessageIn: m, Dropped: dropped, Invited: x.invited}, shown
}

// chatClock gives each message of a collection its time: by utc where it has one, else by
// secs after the message before it (XEP-0136, 5.4). Some archives count secs from the start
// of the collection instead; that is recognized by a sum that would lie in the future.
type chatClock struct {
	start, last perch.Time
	fromStart   bool
}

func newChatClock(chat *xmlstream.Element, now perch.Time) *chatClock {
	c := &chatClock{start: parseTime(chat.Attr("start"))}
	c.last = c.start
	sum := c.start
	for _, m := range chat.Children() {
		if utc := parseTime(m.Attr("utc")); utc != 0 {
			sum = utc
		} else {
			sum += seconds(m)
		}
	}
	c.fromStart = now != 0 && sum > now
	return c
}

func (c *chatClock) at(m *xmlstream.Element) perch.Time {
	utc := parseTime(m.Attr("utc"))
	switch {
	case utc != 0:
		c.last = utc
	case c.last == 0:
		return 0
	case c.fromStart && c.start != 0:
		c.last = c.start + seconds(m)
	default:
		c.last += seconds(m)
	}
	return c.last
}

// seconds is the secs attribute in milliseconds. Nonsense counts as 0.
func seconds(m *xmlstream.Element) perch.Time {
	n, err := strconv.ParseUint(m.Attr("secs"), 10, 31)
	if err != nil {
		return 0
	}
	return perch.Time(n * 1000)
}

// assignIDs gives the items ids, which this archive does not have: made from what they
// are, so that the same message has the same id in the next answer. Equal ones are
// numbered.
func assignIDs(items []perch.ArchiveItem) {
	seen := make(map[string]int, len(items))
	for i := range items {
		m := &items[i]
		h := sha256.New()
		for _, part := range []string{string(m.From), string(m.To), m.Time.String(), cmp.Or(m.Body, m.Dropped, withoutText(m))} {
			h.Write(strconv.AppendInt(nil, int64(len(part)), 10))
			h.Write([]byte{':'})
			h.Write([]byte(part))
		}
		id := hex.EncodeToString(h.Sum(nil)[:12])
		seen[id]++
		if n := seen[id]; n > 1 {
			id += "-" + strconv.Itoa(n)
		}
		m.StanzaID = id
	}
}

// withoutText distinguishes messages that have neither a text nor a reason for that.
func withoutText(m *perch.ArchiveItem) string {
	text := ""
	if r := m.Relation; r != nil {
		text = string(r.Kind) + r.Target + strings.Join(r.Emojis, "")
	}
	if d := m.MessageDetails; d != nil {
		text += d.Fallback + strings.Join(d.Payloads, "")
	}
	return text
}
