package sessions_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// talker is a conversation of bob with another device of alice's, for the property below.
type talker struct {
	w     *world
	a     *archive
	s     *sessions.Session
	ids   bool // whether what is live has the id of the archive
	truth chat
	refs  []perch.Ref // of the messages
	made  int
	// recent are what came on the stream, which may come again on the next one; offline is what came
	// while there was none, with the time at which it was said.
	recent, offline []*perch.MessageIn
}

// say says something, or changes something that was said.
func (x *talker) say(rt *rapid.T, online bool) {
	x.made++
	pass(time.Duration(rapid.IntRange(1, 200).Draw(rt, "s")) * time.Second)
	m := x.draw(rt, fmt.Sprint("id", x.made), rapid.Bool().Draw(rt, "sent"))
	archived := x.a.put(m)
	if x.ids {
		m.StanzaID = archived
	}
	late := delayed(m, now())
	if online {
		x.w.deliver(m)
		x.recent = append(x.recent, late)
		return
	}
	x.offline = append(x.offline, late)
}

// draw makes a message, or a control message of one that there is.
func (x *talker) draw(rt *rapid.T, id string, sent bool) *perch.MessageIn {
	own := slices.DeleteFunc(slices.Clone(x.refs), func(r perch.Ref) bool { return r.Sent != sent })
	others := slices.DeleteFunc(slices.Clone(x.refs), func(r perch.Ref) bool { return r.Sent == sent })
	m := text(id, id)
	what := rapid.SampledFrom([]string{"message", "edit", "edit", "retract", "react", "react", "react"}).Draw(rt, "what")
	switch {
	case what == "edit" && len(own) > 0:
		ref := rapid.SampledFrom(own).Draw(rt, "target")
		m = edit(id, ref.ID, "text "+id)
		if t := x.truth[ref.String()]; !t.retracted {
			t.body, t.edits = m.Body, t.edits+1
		}
	case what == "retract" && len(own) > 0:
		ref := rapid.SampledFrom(own).Draw(rt, "target")
		m = retract(id, ref.ID)
		*x.truth[ref.String()] = shown{retracted: true}
	case what == "react" && len(others) > 0:
		ref := rapid.SampledFrom(others).Draw(rt, "target")
		m = react(id, ref.ID, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"👍", "❤", "🎉"}), 0, 3, rapid.ID[string]).Draw(rt, "emojis")...)
		by := bob
		if sent {
			by = alice
		}
		if t := x.truth[ref.String()]; !t.retracted {
			t.reactions = map[string][]perch.JID{}
			for _, e := range m.Relation.Emojis {
				t.reactions[e] = []perch.JID{by} // of the other side: nobody else reacts here
			}
		}
	default:
		ref := perch.Ref{ID: id, Sent: sent}
		x.refs = append(x.refs, ref)
		x.truth[ref.String()] = &shown{body: id}
	}
	if sent {
		m = byPhone(m)
	}
	return m
}

// away is an outage, after which everything that may come again does.
func (x *talker) away(rt *rapid.T) {
	var again []*perch.MessageIn
	if n := len(x.recent); n > 0 {
		again = slices.Clone(x.recent[n-rapid.IntRange(0, n).Draw(rt, "unacked"):])
	}
	x.recent = nil
	meanwhile := func() {
		for range rapid.IntRange(0, 5).Draw(rt, "missed") {
			x.say(rt, false)
		}
	}
	if rapid.Bool().Draw(rt, "restart") {
		x.w.close()
		meanwhile()
		x.w.start()
		x.s = x.w.open()
		pass(time.Second)
	} else {
		x.w.cut(meanwhile)
	}
	if rapid.Bool().Draw(rt, "offline storage") {
		again = append(again, x.offline...)
	}
	x.offline = nil
	if rapid.Bool().Draw(rt, "odd order") {
		again = rapid.Permutation(again).Draw(rt, "order")
	}
	for _, m := range again {
		x.w.deliver(m)
	}
	pass(time.Duration(rapid.SampledFrom([]int{0, 15, 1000}).Draw(rt, "s")) * time.Second)
}

// Whatever order copies come in, over cuts and restarts: what events, a page of the archive, and a
// look at one message show of the conversation is what was said last.
func TestMergedStateProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 { // a check ends after a day, and a bubble's day is short
			rapid.Check(bubbled{t}, mergedStateProperty)
		}
	})
}

func mergedStateProperty(rt *rapid.T) {
	w := newWorld(rt, durable)
	defer w.close()
	a := withArchive(w)
	a.size = 3
	x := &talker{w: w, a: a, s: w.open(), ids: rapid.Bool().Draw(rt, "ids"), truth: chat{}}
	pass(time.Minute)
	for range rapid.IntRange(1, 12).Draw(rt, "steps") {
		if rapid.IntRange(0, 3).Draw(rt, "what") == 0 {
			x.away(rt)
		} else {
			x.say(rt, true)
		}
	}
	x.away(rt)
	if got, want := chatOf(rt, w.durable(x.s)).String(), x.truth.String(); got != want {
		rt.Fatalf("as events show it: got\n%s\nwant\n%s", got, want)
	}
	page, rest := sessions.MergeArchive(a.items, alice)
	if got, want := pageChat(page).String(), x.truth.String(); got != want || len(rest) != 0 {
		rt.Fatalf("as a page shows it: got\n%s\nand %d relations, want none, and\n%s", got, len(rest), want)
	}
	for _, ref := range x.refs {
		m, _, err := sessions.MessagesOf(x.s).ByRef(w.ctx(), bob, ref)
		must(rt, "ByRef", err)
		got := &shown{}
		if got.take(m); got.String() != x.truth[ref.String()].String() {
			rt.Fatalf("ByRef(%+v): got %s, want %s", ref, got, x.truth[ref.String()])
		}
	}
}

// pageChat is what a client shows of a merged page.
func pageChat(items []perch.ArchiveItem) chat {
	c := chat{}
	for i := range items {
		if items[i].Dropped == "" {
			c.at(items[i].Ref).take(&items[i].Message)
		}
	}
	return c
}
