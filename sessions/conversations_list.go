package sessions

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/conversations"
)

// Conversations is the list of chats of a session. Its methods are safe for concurrent use, and wait for
// the Store.
type Conversations struct{ s *Session }

// ConversationsOf is the list of chats of a session. The session keeps one from the first call of a
// method on.
func ConversationsOf(s *Session) Conversations { return Conversations{s} }

// ConversationQuery asks for a page of the list. Cursor is Next of the page before, or "".
type ConversationQuery struct {
	Limit  int
	Cursor string
	Unread bool                   // only those in which something is unread
	Kind   perch.ConversationKind // "": of all kinds
	Only   []perch.JID            // of these alone; nil: of all
}

// ConversationPage is a part of the list: the pinned ones first, and then the others, each with the
// latest first. Next is "" when there is no more, or none can be had just now. Complete says that the
// archive has been read to its end, so that no older conversation is missing.
type ConversationPage struct {
	Items    []perch.Conversation
	Next     string
	Complete bool
}

// ConversationChange says what to change; nil leaves it as it is. A Draft that points to nil, or to "",
// removes it.
type ConversationChange struct {
	Notify           *perch.Notify
	Pinned, Archived *bool
	Draft            **string
}

const (
	defaultConversations = 50
	mostConversations    = 200
)

var errNoConversation error = perch.Errorf(perch.KindNotFound, "there is no conversation with this address")

// list is the list of the session, which it has from now on. The first call fills it: read reports
// whether it did, and more, whether older conversations can be had.
func (x Conversations) list(ctx context.Context) (c *conversationList, read, more bool, err error) {
	var h ConversationHistory
	if err := x.s.call(ctx, func() { c = listConversations(x.s); h = c.history() }); err != nil {
		return nil, false, false, err
	}
	if !h.LogRead {
		more, err = c.fill(ctx)
	}
	return c, !h.LogRead, more, err
}

// List returns a page of the list. The first one is filled from the event log and the archive, back from
// now, within bounds: see ConversationPage.Complete. A page for which there is not enough fetches more.
// A cursor that no page had is an error of KindValidation.
func (x Conversations) List(ctx context.Context, q ConversationQuery) (ConversationPage, error) {
	after, err := parseCursor(q.Cursor)
	if err != nil {
		return ConversationPage{}, err
	}
	if q.Limit <= 0 {
		q.Limit = defaultConversations
	}
	q.Limit = min(q.Limit, mostConversations)
	c, read, more, err := x.list(ctx)
	if err != nil {
		return ConversationPage{}, err
	}
	states, h, err := c.snapshot(ctx, &q, after)
	if err != nil {
		return ConversationPage{}, err
	}
	if !read && !h.Complete && len(states) <= q.Limit {
		if more, err = c.fill(ctx); err != nil {
			return ConversationPage{}, err
		}
		if states, h, err = c.snapshot(ctx, &q, after); err != nil {
			return ConversationPage{}, err
		}
	}
	more = more && !h.Complete
	p := ConversationPage{Complete: h.Complete}
	rest := len(states) > q.Limit
	states = states[:min(len(states), q.Limit)]
	switch {
	case len(states) > 0 && (rest || more):
		p.Next = placeIn(&states[len(states)-1]).text()
	case more:
		p.Next = cmp.Or(q.Cursor, listPlace{pinned: true, at: math.MaxInt64}.text())
	}
	p.Items, err = c.items(ctx, states)
	return p, err
}

// snapshot are the states of a page as they are now, and one more if there is, and how far the list goes
// back.
func (c *conversationList) snapshot(ctx context.Context, q *ConversationQuery, after *listPlace) (list []conversations.State, h ConversationHistory, err error) {
	var t conversations.Table
	if err := c.host.call(ctx, func() { t, h = c.table, c.history() }); err != nil {
		return nil, h, err
	}
	return pageOf(t, q, after), h, nil
}

// pageOf are the states of a page, and one more if there is.
func pageOf(t conversations.Table, q *ConversationQuery, after *listPlace) []conversations.State {
	var list []conversations.State
	only := keysOf(q.Only)
	for s := range t.All() {
		if only != nil {
			if _, ok := only[s.Key()]; !ok {
				continue
			}
		}
		if q.Unread && s.Unread == 0 || q.Kind != "" && s.Kind != q.Kind || after != nil && comparePlaces(placeIn(&s), *after) <= 0 {
			continue
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b conversations.State) int { return comparePlaces(placeIn(&a), placeIn(&b)) })
	return list[:min(len(list), q.Limit+1)]
}

// items reads what the Store has of some conversations.
func (c *conversationList) items(ctx context.Context, states []conversations.State) ([]perch.Conversation, error) {
	keys := make([]perch.JID, len(states))
	for i := range states {
		keys[i] = states[i].Key()
	}
	waits := false
	if err := c.host.call(ctx, func() { waits = !c.log.empty() && !c.log.down }); err != nil {
		return nil, err
	}
	if waits { // what the states say is on its way to the Store
		if err := c.committed(ctx); err != nil && perch.KindOf(err) != perch.KindStorageUnavailable {
			return nil, err
		}
	}
	details, err := c.store.Conversations(ctx, c.id, keys)
	if err != nil {
		return nil, storeError(err)
	}
	items := make([]perch.Conversation, len(states))
	return items, c.host.call(ctx, func() {
		for i := range states {
			items[i] = c.item(&states[i], &details[i])
		}
	})
}

// item is a conversation as clients see it.
func (c *conversationList) item(s *conversations.State, d *conversations.Details) perch.Conversation {
	h := c.history()
	v := perch.Conversation{JID: s.JID, Kind: s.Kind, Name: c.name(s), Notify: s.Notify, Pinned: s.Pinned, Archived: s.Archived,
		LastActivityAt: s.At, Unread: shown(s.Unread), UnreadExact: h.exact(s), Mentions: shown(s.Mentions),
		Read: positionOf(d.Read), PeerRead: positionOf(d.PeerRead), Draft: d.Draft}
	if d.Draft != nil && *d.Draft == "" {
		v.Draft = nil
	}
	if d.Last != nil {
		var m perch.Message
		if json.Unmarshal([]byte(*d.Last), &m) == nil {
			v.LastMessage = &m
		}
	}
	return v
}

// Get returns one conversation; KindNotFound if there is none.
func (x Conversations) Get(ctx context.Context, jid perch.JID) (*perch.Conversation, error) {
	c, _, _, err := x.list(ctx)
	if err != nil {
		return nil, err
	}
	var s conversations.State
	known := false
	if err := c.host.call(ctx, func() { s, known = c.table.Get(jid) }); err != nil {
		return nil, err
	}
	if !known {
		return nil, errNoConversation
	}
	items, err := c.items(ctx, []conversations.State{s})
	if err != nil {
		return nil, err
	}
	return &items[0], nil
}

// Change changes what the user wants of a conversation, and makes one of an account that there was none
// with. Errors: KindValidation for a setting that is none, or a draft of more than 4 KiB;
// KindStorageUnavailable.
func (x Conversations) Change(ctx context.Context, jid perch.JID, ch ConversationChange) (*perch.Conversation, error) {
	if err := ch.check(); err != nil {
		return nil, err
	}
	c, _, _, err := x.list(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.host.call(ctx, func() {
		jid = c.addressed(jid)
		c.change(jid, &ch)
		if c.rooms != nil && ch.Notify != nil {
			c.rooms.notify(jid, *ch.Notify)
		}
	}); err != nil {
		return nil, err
	}
	if err := c.committed(ctx); err != nil {
		return nil, err
	}
	return x.Get(ctx, jid)
}

func (ch *ConversationChange) check() error {
	if n := ch.Notify; n != nil && !slices.Contains([]perch.Notify{perch.NotifyAll, perch.NotifyMentions, perch.NotifyNone}, *n) {
		return perch.Invalid("/notify", "must be all, mentions or none")
	}
	if d := ch.Draft; d != nil && *d != nil && len(**d) > maxDraft {
		return perch.Invalid("/draft", "must have at most %d bytes", maxDraft)
	}
	return nil
}

func (c *conversationList) change(jid perch.JID, ch *ConversationChange) {
	s, d, known := c.open(jid, c.kindOf(jid))
	if !known {
		s.At = c.host.now()
	}
	before := s
	s.Notify = *cmp.Or(ch.Notify, &s.Notify)
	s.Pinned, s.Archived = *cmp.Or(ch.Pinned, &before.Pinned), *cmp.Or(ch.Archived, &before.Archived)
	if ch.Draft != nil {
		none := ""
		d.Draft = cmp.Or(*ch.Draft, &none)
	}
	if known && s == before && d.Empty() {
		return
	}
	c.put(c.journal.Change(), &s, d)
}

// listPlace is where a conversation is in the list.
type listPlace struct {
	pinned bool
	at     perch.Time
	key    perch.JID
}

func placeIn(s *conversations.State) listPlace { return listPlace{s.Pinned, s.At, s.Key()} }

// comparePlaces is negative when a comes first.
func comparePlaces(a, b listPlace) int {
	if a.pinned != b.pinned {
		if a.pinned {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.key, b.key))
}

// text is a place as a cursor.
func (p listPlace) text() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%t %d %s", p.pinned, p.at, p.key))
}

// parseCursor reads a cursor; nil: the list from its beginning.
func parseCursor(text string) (*listPlace, error) {
	if text == "" {
		return nil, nil
	}
	bad := perch.Invalid("?cursor", "not a cursor of this list")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, bad
	}
	parts := strings.SplitN(string(raw), " ", 3)
	if len(parts) != 3 {
		return nil, bad
	}
	pinned, err1 := strconv.ParseBool(parts[0])
	at, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil {
		return nil, bad
	}
	return &listPlace{pinned, perch.Time(at), perch.JID(parts[2])}, nil
}
