package sessions

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// catchupWorld is a catchup without a session: on a real log, with an archive that answers from
// a list of pages. What it asks of its host is written down, and what the log publishes, in order.
type catchupWorld struct {
	*logWorld
	cu     *catchup
	rec    Record
	link   *link
	pages  []func(perch.ArchiveQuery) (perch.ArchivePage, error)
	asked  []perch.ArchiveQuery
	events []*perch.Event
}

func newCatchupWorld() *catchupWorld {
	w := &catchupWorld{logWorld: newLogWorld()}
	w.l.host, w.l.store = w, w
	w.cu = &catchup{host: w, log: w.l, sent: newOutboxWorld().o, store: w, id: "a"}
	w.cu.relations = &relations{host: w, known: &w.cu.known}
	w.rec = Record{JID: "alice@example.net/perch", RosterKnown: true}
	w.link = &link{conn: archiveWire{w: w}, login: perch.Login{Capabilities: perch.Capabilities{Archive: archivePaged}}, buffering: true}
	return w
}

// archiveWire is a connection with an archive.
type archiveWire struct {
	Conn
	w *catchupWorld
}

func (c archiveWire) Archive(_ context.Context, q perch.ArchiveQuery) (perch.ArchivePage, error) {
	c.w.asked = append(c.w.asked, q)
	if len(c.w.pages) == 0 {
		return perch.ArchivePage{}, perch.Errorf(perch.KindUpstreamTimeout, "no answer")
	}
	page := c.w.pages[0]
	c.w.pages = c.w.pages[1:]
	return page(q)
}

func (c archiveWire) Err() error             { return nil }
func (c archiveWire) Stats() perch.ConnStats { return perch.ConnStats{LastStanzaAt: 1} }

func (w *catchupWorld) call(_ context.Context, f func()) error { f(); w.l.flush(); return nil }
func (w *catchupWorld) ifCurrent(l *link, f func(*link)) {
	if l == w.link {
		f(l)
	}
}
func (w *catchupWorld) post(f func())                       { f(); w.l.flush() }
func (w *catchupWorld) guarded(f func())                    { f() }
func (w *catchupWorld) covered(*link)                       { w.note("covered") }
func (w *catchupWorld) stream() *link                       { return w.link }
func (w *catchupWorld) record() *Record                     { return &w.rec }
func (w *catchupWorld) saveRecord()                         {}
func (w *catchupWorld) stateSince() perch.Time              { return 1 }
func (w *catchupWorld) resumesPartly() bool                 { return false }
func (w *catchupWorld) rememberAddress(perch.JID)           {}
func (w *catchupWorld) giveReceipt(_ perch.JID, id string)  { w.note("receipt %s", id) }
func (w *catchupWorld) overBudget(what string, _ perch.JID) { w.note("left out %s", what) }
func (w *catchupWorld) dropped(d perch.Dropped)             { w.note("dropped %s", d.Reason) }
func (w *catchupWorld) archiveMissing(reason string)        { w.note("missing %s", reason) }
func (w *catchupWorld) countDropped(reason string, _ int)   { w.note("count %s", reason) }
func (w *catchupWorld) ownJID() perch.JID                   { return w.rec.JID }
func (w *catchupWorld) durableAt(typ perch.EventType, at perch.Time, data any) {
	w.l.durableAt(typ, at, data)
}
func (w *catchupWorld) logDebug(string, ...any) {}
func (w *catchupWorld) now() perch.Time         { return 10_000_000 }
func (w *catchupWorld) publish(e *perch.Event) {
	w.events = append(w.events, e)
	w.note("%s", label(e))
}

// label is the type of an event with what distinguishes it from others.
func label(e *perch.Event) string {
	if m := messageOf(e); m != nil {
		return string(e.Type) + " " + m.Body
	}
	if e.Type == perch.EventSessionGap {
		_, reason, _ := strings.Cut(string(e.Wire), `"reason":"`)
		reason, _, _ = strings.Cut(reason, `"`)
		return string(e.Type) + " " + reason
	}
	return string(e.Type)
}

// Commit makes every commit at once.
func (w *catchupWorld) Commit(_ ID, _ *Commit, done func(Result)) { done(Result{}) }

func (w *catchupWorld) Message(context.Context, ID, string) (*perch.MessageRecord, error) {
	return nil, perch.Errorf(perch.KindNotFound, "no message")
}

func (w *catchupWorld) Log(_ context.Context, _ ID, after uint64, limit int) (LogPage, error) {
	page := LogPage{First: 1}
	for _, e := range w.events {
		if e.Position.Offset > after && len(page.Events) < limit {
			page.Events = append(page.Events, e)
		}
	}
	return page, nil
}

// said is a message of bob's as a stream or, with an archive id, as an archive brings it.
func said(body, stanzaID string) *perch.MessageIn {
	return &perch.MessageIn{Message: perch.Message{ID: "m-" + body, StanzaID: stanzaID, From: "bob@example.net/x",
		To: "alice@example.net", Kind: perch.ChatMessage, Body: body}}
}

func archivePage(complete bool, ids ...string) func(perch.ArchiveQuery) (perch.ArchivePage, error) {
	p := perch.ArchivePage{Complete: complete}
	for _, id := range ids {
		m := said("of "+id, id)
		m.Source, m.Delay = perch.SourceArchive, &perch.Delay{Stamp: 9_000_000}
		p.Items = append(p.Items, perch.ArchiveItem{Time: 9_000_000, MessageIn: *m})
	}
	if len(ids) > 0 {
		p.First, p.Last = ids[0], ids[len(ids)-1]
	}
	return func(perch.ArchiveQuery) (perch.ArchivePage, error) { return p, nil }
}

// TestCatchupReads: the archive is read from the last logged message on, page by page, and
// what comes from it and from the stream is logged once.
func TestCatchupReads(t *testing.T) {
	w := newCatchupWorld()
	w.rec.ArchiveID = "1"
	w.pages = append(w.pages, archivePage(false, "2", "3"), archivePage(true, "4"))
	w.cu.hold(delivery{link: w.link, in: said("of 4", "4")}, said("of 4", "4")) // live meanwhile, and in the archive
	w.cu.hold(delivery{link: w.link, in: said("new", "5")}, said("new", "5"))
	if err := w.cu.catchUp(t.Context(), w.link, true); err != nil {
		t.Fatalf("catchUp: got error %v, want none", err)
	}
	w.cu.releaseBuffered(w.link)
	w.l.flush()
	w.want(t, "message.received of 2", "message.received of 3", "message.received of 4", "covered", "message.received new")
	var after []string
	for _, q := range w.asked {
		after = append(after, q.After)
	}
	if !slices.Equal(after, []string{"1", "3"}) || w.rec.ArchiveID != "5" {
		t.Errorf("got questions after %v, and %s as the next place; want after 1 and 3, and 5", after, w.rec.ArchiveID)
	}
}

// TestCatchupGaps: what the archive does not have is a gap with a reason, and no failure.
func TestCatchupGaps(t *testing.T) {
	answer := func(err error) func(perch.ArchiveQuery) (perch.ArchivePage, error) {
		return func(perch.ArchiveQuery) (perch.ArchivePage, error) { return perch.ArchivePage{}, err }
	}
	for _, tt := range []struct {
		name  string
		place string // the last logged message
		pages []func(perch.ArchiveQuery) (perch.ArchivePage, error)
		want  []string
	}{
		{"nothing was missed", "1", []func(perch.ArchiveQuery) (perch.ArchivePage, error){archivePage(true)}, nil},
		{"the place is trimmed", "1", []func(perch.ArchiveQuery) (perch.ArchivePage, error){answer(perch.Errorf(perch.KindItemNotFound, "gone")), archivePage(true, "9")},
			[]string{"session.gap archive_trimmed"}},
		{"no place, and no answer", "", nil, []string{"missing upstream-timeout", "covered"}},
		{"refused", "1", []func(perch.ArchiveQuery) (perch.ArchivePage, error){answer(perch.Errorf(perch.KindForbidden, "no")), answer(perch.Errorf(perch.KindForbidden, "no"))},
			[]string{"session.gap archive_error", "missing forbidden", "covered"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newCatchupWorld()
			w.rec.ArchiveID, w.pages = tt.place, tt.pages
			if err := w.cu.catchUp(t.Context(), w.link, true); err != nil {
				t.Fatalf("catchUp: got error %v, want none", err)
			}
			w.l.flush()
			w.want(t, tt.want...)
		})
	}
}

// TestCatchupDropsCopies: a copy is no message, whatever way it comes.
func TestCatchupDropsCopies(t *testing.T) {
	for _, tt := range []struct {
		name         string
		first, again *perch.MessageIn
		want         int
	}{
		{"the same id of the archive", said("x", "1"), said("x", "1"), 1},
		{"another id of the archive", said("x", "1"), said("x", "2"), 2},
		{"another text", said("x", "1"), said("y", ""), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newCatchupWorld()
			w.cu.applyMessage(tt.first, w.link, w.now())
			w.cu.applyMessage(tt.again, w.link, w.now())
			w.l.flush()
			if got := len(w.events); got != tt.want {
				t.Errorf("got %d events %v, want %d", got, w.did, tt.want)
			}
		})
	}
}

// TestCatchupBuffers: of too many live messages those that the archive has are dropped; the
// others stay, as far as there is room.
func TestCatchupBuffers(t *testing.T) {
	w := newCatchupWorld()
	w.link.overflow = false
	for i := range 1001 {
		id := fmt.Sprint(i)
		if i%2 == 1 {
			id = "" // not in the archive
		}
		m := said(fmt.Sprint(i), id)
		w.cu.hold(delivery{link: w.link, in: m}, m)
	}
	if n := len(w.link.buffered); n != 500 || !w.link.overflow {
		t.Errorf("got %d messages buffered, overflow %v; want the 500 without an id, and true", n, w.link.overflow)
	}
}

func (w *catchupWorld) after(time.Duration, func()) *time.Timer { return nil }
