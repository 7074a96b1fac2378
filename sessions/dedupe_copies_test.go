package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// copies are messages that come by several ways, and what the log then has. A message that is
// live has no stanza-id of the archive, as with Openfire, unless it is made by live.
type copies struct {
	run  func(w *world, a *archive, s *sessions.Session)
	want []string
}

func testCopies(t *testing.T, table map[string]copies) {
	for name, tt := range table {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := withArchive(w)
				a.size = 50
				a.add("old", "in", "")
				s := w.open()
				pass(time.Hour)
				tt.run(w, a, s)
				if got := received(t, w.durable(s)); !slices.Equal(got, tt.want) {
					t.Errorf("messages: got %q\nwant %q", got, tt.want)
				}
			}, durable)
		})
	}
}

// A message that was live and is in the archive is logged once.
func TestArchivedCopyIsLoggedOnce(t *testing.T) { testCopies(t, archivedCopies) }

// archivedCopies come live first, then from the archive.
var archivedCopies = map[string]copies{
	"live, then the archive": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(text("m1", "x"))
		a.add("x", "in", "m1")
		w.cut(func() {})
	}, []string{"live x"}},
	"live to the full address, the archive from the bare one, without the id": {func(w *world, a *archive, _ *sessions.Session) {
		m := text("m1", "x")
		m.To = alice + "/perch"
		w.deliver(m)
		a.items = append(a.items, item("a1", "", bob, alice, "x"))
		w.cut(func() {})
	}, []string{"live x"}},
	"with many between": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(text("m1", "x"))
		a.add("x", "in", "m1")
		for i := range 400 {
			w.deliver(text(fmt.Sprint("n", i), "y"))
			a.add("y", "in", fmt.Sprint("n", i))
		}
		w.cut(func() {})
	}, append([]string{"live x"}, slices.Repeat([]string{"live y"}, 400)...)},
	"over a restart": {func(w *world, a *archive, _ *sessions.Session) {
		for i := range 300 {
			w.deliver(text(fmt.Sprint("n", i), "y"))
			a.add("y", "in", fmt.Sprint("n", i))
		}
		w.restart()
		w.open()
		pass(time.Second)
	}, slices.Repeat([]string{"live y"}, 300)},
	"a carbon, then the archive": {func(w *world, a *archive, _ *sessions.Session) {
		m := text("m1", "x")
		m.Sent, m.From, m.To = true, alice+"/phone", bob+"/x"
		w.deliver(m)
		a.items = append(a.items, item("a1", "m1", alice+"/phone", bob, "x"))
		w.cut(func() {})
	}, []string{"live x"}},
	"a room that changes ids": {func(w *world, a *archive, _ *sessions.Session) {
		m := text("m1", "x")
		m.From, m.Kind, m.OriginID = "r@conference.example.net/n", perch.GroupchatMessage, "o1"
		w.deliver(m)
		it := item("a1", "other", "r@conference.example.net/n", alice, "x")
		it.Kind, it.OriginID = perch.GroupchatMessage, "o1"
		a.items = append(a.items, it)
		w.cut(func() {})
	}, []string{"live x"}},
}

// A message that is repeated on a later stream, as by offline storage, is logged once.
func TestLaterCopyIsLoggedOnce(t *testing.T) { testCopies(t, laterCopies) }

// laterCopies come on a stream after the message was logged, live or from the archive.
var laterCopies = map[string]copies{
	"the archive, then offline storage": {func(w *world, a *archive, _ *sessions.Session) {
		var at perch.Time
		w.cut(func() { a.add("x", "in", "m1"); at = now(); pass(time.Minute) })
		w.deliver(delayed(text("m1", "x"), at))
	}, []string{"archive x"}},
	"the archive, then a restart and offline storage": {func(w *world, a *archive, _ *sessions.Session) {
		var at perch.Time
		w.cut(func() { a.add("x", "in", "m1"); at = now() })
		w.restart()
		w.open()
		w.deliver(delayed(text("m1", "x"), at))
	}, []string{"archive x"}},
	"the archive while it came live": {func(w *world, a *archive, _ *sessions.Session) {
		asked := 0
		w.deliver(text("m0", "before"))
		a.add("before", "in", "m0")
		w.cut(func() {
			a.onAsk = func() {
				if asked++; asked == 2 {
					a.add("x", "in", "m1")
					w.up.newest().Deliver(text("m1", "x"))
					synctest.Wait()
				}
			}
		})
	}, []string{"live before", "archive x"}},
	"live, then from a stream that the server gave up": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(text("m1", "x"))
		at := now()
		a.add("x", "in", "m1")
		w.cut(func() {})
		pass(5 * time.Minute)
		w.deliver(delayed(text("m1", "x"), at))
	}, []string{"live x"}},
	"live with an id of the archive, then without": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(live(a.add("x", "in", "m-a0002"), "x"))
		at := now()
		w.cut(func() {})
		w.deliver(delayed(text("m-a0002", "x"), at))
	}, []string{"live x"}},
	"sent from here, then its carbon on the next stream": {func(w *world, _ *archive, s *sessions.Session) {
		id := w.send(s, hi("x"))
		w.cut(func() {})
		m := text(id, "x")
		m.Sent, m.From, m.To = true, alice+"/perch", bob
		w.deliver(m)
	}, []string{"live x"}},
}

// Two messages are logged twice, whatever they have in common.
func TestEqualMessagesAreLoggedTwice(t *testing.T) { testCopies(t, equalMessages) }

// equalMessages have their id and text, or an id of an archive, in common with another one.
var equalMessages = map[string]copies{
	"the same id and text twice, live": {func(w *world, _ *archive, _ *sessions.Session) {
		w.deliver(text("1", "ok"), text("1", "ok"))
	}, []string{"live ok", "live ok"}},
	"the same id and text again while away": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(text("1", "ok"))
		a.add("ok", "in", "1")
		w.cut(func() { pass(time.Second); a.add("ok", "in", "1"); a.add("ok", "in", "1") })
	}, []string{"live ok", "archive ok", "archive ok"}},
	"the same id and text again when back": {func(w *world, a *archive, _ *sessions.Session) {
		w.cut(func() { a.add("ok", "in", "1") })
		pass(20 * time.Second)
		w.deliver(text("1", "ok"))
	}, []string{"archive ok", "live ok"}},
	"the same id and text twice in offline storage": {func(w *world, _ *archive, _ *sessions.Session) {
		at := now()
		pass(time.Minute)
		w.deliver(delayed(text("1", "ok"), at), delayed(text("1", "ok"), at+5000))
	}, []string{"live ok", "live ok"}},
	"the same text without ids while away": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(text("", "ok"))
		a.add("ok", "in", "")
		w.cut(func() { pass(time.Second); a.add("ok", "in", "") })
	}, []string{"live ok", "archive ok"}},
	"equal ids of the account's archive and of a room's": {func(w *world, a *archive, _ *sessions.Session) {
		m := text("m1", "in the room")
		m.From, m.Kind, m.RoomStanzaID = "r@conference.example.net/n", perch.GroupchatMessage, "a0002"
		w.deliver(m, live(a.add("x", "in", "m-a0002"), "x"))
		again := *m
		again.RoomStanzaID = "a0003"
		w.deliver(&again, m)
	}, []string{"live in the room", "live x", "live in the room"}},
	"an id of the account's archive that is one of the room's": {func(w *world, a *archive, _ *sessions.Session) {
		m := text("m1", "first")
		m.From, m.Kind, m.RoomStanzaID = "r@conference.example.net/n", perch.GroupchatMessage, "a0002"
		w.deliver(m)
		w.cut(func() { a.items = append(a.items, item("a0002", "m2", "r@conference.example.net/n", alice, "second")) })
	}, []string{"live first", "archive second"}},
	"the same id and text twice, live while the archive is read": {func(w *world, a *archive, _ *sessions.Session) {
		w.deliver(text("m0", "before"))
		a.add("before", "in", "m0")
		w.cut(func() {
			a.onAsk = func() {
				a.onAsk = nil
				w.up.newest().Deliver(text("1", "ok"))
				w.up.newest().Deliver(text("1", "ok"))
			}
		})
	}, []string{"live before", "live ok", "live ok"}},
	"an id of the archive that a sender made up": {func(w *world, a *archive, _ *sessions.Session) {
		m := live("a0003", "forged")
		m.From = "eve@evil.example/x"
		w.deliver(m)
		a.add("y", "in", "")
		w.deliver(live("a0003", "x"))
	}, []string{"live forged", "live x"}},
}
