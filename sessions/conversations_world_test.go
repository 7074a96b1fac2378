package sessions_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// mam is an archive that can be paged (XEP-0313), of all that an account has exchanged.
type mam struct {
	mu      sync.Mutex
	items   []perch.ArchiveItem
	queries []perch.ArchiveQuery
}

// add archives a message.
func (a *mam) add(in *perch.MessageIn) *perch.MessageIn { return a.addAt(in, perch.At(time.Now())) }

func (a *mam) addAt(in *perch.MessageIn, at perch.Time) *perch.MessageIn {
	a.mu.Lock()
	defer a.mu.Unlock()
	in.StanzaID = fmt.Sprint("s", len(a.items)+1)
	it := perch.ArchiveItem{MessageIn: *in, Time: at}
	it.Source, it.Delay = perch.SourceArchive, &perch.Delay{Stamp: it.Time}
	a.items = append(a.items, it)
	return in
}

func (a *mam) page(q perch.ArchiveQuery) (perch.ArchivePage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queries = append(a.queries, q)
	var list []perch.ArchiveItem
	for _, it := range a.items {
		other := it.From.Bare()
		if it.Sent {
			other = it.To.Bare()
		}
		if (q.With == "" || other == q.With) && it.Time >= q.Start && (q.End == 0 || it.Time <= q.End) {
			list = append(list, it)
		}
	}
	place := func(id string) int {
		return slices.IndexFunc(list, func(it perch.ArchiveItem) bool { return it.StanzaID == id })
	}
	limit := q.Limit
	if limit == 0 {
		limit = 50
	}
	p := perch.ArchivePage{}
	forward := q.After != "" || q.Start != 0 && q.End == 0 && q.Before == ""
	switch {
	case q.After != "" && place(q.After) < 0, q.Before != "" && place(q.Before) < 0:
		return p, perch.Errorf(perch.KindItemNotFound, "no such item")
	case q.After != "":
		list = list[place(q.After)+1:]
	case q.Before != "":
		list = list[:place(q.Before)]
	}
	p.Complete = len(list) <= limit
	switch {
	case p.Complete:
	case forward:
		list = list[:limit]
	default:
		list = list[len(list)-limit:]
	}
	if p.Items = slices.Clone(list); len(list) > 0 {
		p.First, p.Last = list[0].StanzaID, list[len(list)-1].StanzaID
	}
	return p, nil
}

func (a *mam) asked() []perch.ArchiveQuery {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.queries)
}

// archived gives the upstream an archive, and read positions that devices share.
func (w *world) archived() *mam {
	a := &mam{}
	w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities.Archive, d.Capabilities.ReadSync = "313", true })
	w.up.set(func(u *upstream) { u.pages = a.page })
	return a
}

var messageNumber int

// from is a message of a buddy, and to is one that another device of the account has sent.
func from(jid perch.JID, body string) *perch.MessageIn {
	messageNumber++
	return &perch.MessageIn{Message: perch.Message{ID: fmt.Sprint("m", messageNumber), From: jid + "/phone", To: alice, Kind: perch.ChatMessage, Body: body}}
}

func to(jid perch.JID, body string) *perch.MessageIn {
	in := from(alice, body)
	in.From, in.To, in.Sent = alice+"/other", jid, true
	return in
}

// receive archives messages and delivers them.
func (w *world) receive(a *mam, in ...*perch.MessageIn) {
	for _, m := range in {
		m = a.add(m)
		c := *m
		w.deliver(&c)
	}
}

func (w *world) chats(s *sessions.Session, q sessions.ConversationQuery) sessions.ConversationPage {
	w.t.Helper()
	p, err := sessions.ConversationsOf(s).List(w.ctx(), q)
	must(w.t, "List", err)
	return p
}

// chat is one conversation.
func (w *world) chat(s *sessions.Session, jid perch.JID) *perch.Conversation {
	w.t.Helper()
	synctest.Wait()
	c, err := sessions.ConversationsOf(s).Get(w.ctx(), jid)
	must(w.t, "Get", err)
	return c
}

// read reads a conversation up to a message of the other side.
func (w *world) read(s *sessions.Session, jid perch.JID, m *perch.MessageIn) perch.ConversationRead {
	w.t.Helper()
	r, err := sessions.ConversationsOf(s).Read(w.ctx(), jid, perch.Ref{ID: m.ID, Sent: m.Sent}, false)
	must(w.t, "Read", err)
	return r
}

func wantUnread(t tb, c *perch.Conversation, unread int, exact bool) {
	t.Helper()
	if c.Unread != unread || c.UnreadExact != exact {
		t.Errorf("%s: got %d unread, exact %v; want %d, %v", c.JID, c.Unread, c.UnreadExact, unread, exact)
	}
}

func inArchivedWorld(t *testing.T, f func(w *world, a *mam, s *sessions.Session)) {
	t.Helper()
	inWorld(t, func(w *world) {
		a := w.archived()
		w.roster(bob, carol)
		s := w.open()
		f(w, a, s)
	})
}
