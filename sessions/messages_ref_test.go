package sessions_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// back lets an archive be read backwards.
func (a *archive) back(q perch.ArchiveQuery) (perch.ArchivePage, error) {
	if q.After != "" || q.Start != 0 {
		return a.page(q)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	end := len(a.items)
	if q.Before != "" {
		end = slices.IndexFunc(a.items, func(it perch.ArchiveItem) bool { return it.StanzaID == q.Before })
	}
	from := max(0, end-min(q.Limit, a.size))
	p := perch.ArchivePage{Items: slices.Clone(a.items[from:end]), Complete: from == 0}
	if len(p.Items) > 0 {
		p.First, p.Last = p.Items[0].StanzaID, p.Items[len(p.Items)-1].StanzaID
	}
	return p, nil
}

// TestByRefFromTheArchive: a message that the log does not have is looked for in the archive, from its
// end, and not without end.
func TestByRefFromTheArchive(t *testing.T) {
	inWorld(t, func(w *world) {
		a := withArchive(w)
		w.up.set(func(u *upstream) { u.pages = a.back })
		a.put(text("ancient", "too long ago"))
		for i := range 90 {
			a.put(text(fmt.Sprint("x", i), "x"))
		}
		a.put(text("", "without an id"))
		for _, m := range []*perch.MessageIn{text("m1", "one"), byPhone(text("m1", "mine, same id")), edit("c1", "m1", "one, corrected")} {
			a.put(m)
		}
		for i := range 30 {
			a.put(text(fmt.Sprint("y", i), "y"))
		}
		a.put(react("r1", "m1", "👍"))
		s := w.open()
		ms := sessions.MessagesOf(s)
		for ref, want := range map[perch.Ref]string{
			theirs("m1"):        `"one, corrected" edits=1 retracted=false `,
			own("m1"):           `"mine, same id" edits=0 retracted=false 👍[bob@example.net]`,
			{StanzaID: "a0092"}: `"without an id" edits=0 retracted=false `,
		} {
			m, at, err := ms.ByRef(w.ctx(), bob, ref)
			must(t, "ByRef", err)
			got := &shown{}
			if got.take(m); got.String() != want || at == 0 || m.Ref != ref.String() {
				t.Errorf("ByRef(%s): got %s at %d with ref %s, want %s, with a time and the ref", ref, got, at, m.Ref, want)
			}
		}
		asked := len(w.conn().queries)
		for _, ref := range []perch.Ref{theirs("ancient"), own("never"), {}} {
			_, _, err := ms.ByRef(w.ctx(), bob, ref)
			kindOf(t, err, perch.KindNotFound)
		}
		if n := len(w.conn().queries) - asked; n != 20 {
			t.Errorf("got %d questions to the archive for two messages that are not found, want 10 each", n)
		}
	})
}

// TestByRefFromTheLog needs no archive, and merges what came since.
func TestByRefFromTheLog(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		ms := sessions.MessagesOf(s)
		sent := now()
		w.deliver(text("m1", "one"), text("m2", "two"))
		pass(1e9)
		w.deliver(edit("c1", "m1", "corrected"), react("r1", "m1"), retract("t1", "m2"), edit("c3", "m3", "unknown before"))
		for ref, want := range map[perch.Ref]string{
			theirs("m1"): `"corrected" edits=1 retracted=false `,
			theirs("m2"): `"" edits=0 retracted=true `,
			theirs("m3"): `"unknown before" edits=1 retracted=false `,
		} {
			m, at, err := ms.ByRef(w.ctx(), bob, ref)
			must(t, "ByRef", err)
			got := &shown{}
			if got.take(m); got.String() != want || ref.ID != "m3" && at != sent {
				t.Errorf("ByRef(%s): got %s at %d, want %s at %d", ref, got, at, want, sent)
			}
		}
		for _, to := range []struct {
			with perch.JID
			ref  perch.Ref
		}{{bob, own("m1")}, {carol, theirs("m1")}} {
			_, _, err := ms.ByRef(w.ctx(), to.with, to.ref)
			kindOf(t, err, perch.KindNotFound)
		}
	})
}
