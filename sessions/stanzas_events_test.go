package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// rawStanzas lets streams ask for stanzas.
func rawStanzas(o *sessions.Options) { o.RawStanzas = true }

func stanzaIn(xml string) *perch.StanzaIn {
	return &perch.StanzaIn{RawStanza: perch.RawStanza{From: bob, XML: xml}}
}

// listens reports what the connection was told last.
func (w *world) listens() (yes bool) {
	pass(time.Millisecond)
	w.up.Edit(func(d *fakexmpp.Data) { yes = d.ListensStanzas })
	return yes
}

// TestStanzaEvents: they are for the streams that name them, and the connection makes them only while there is one,
// also after it was lost. They are never in the log.
func TestStanzaEvents(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		all := w.attach(s, sessions.SubscribeOptions{})
		usual := w.attach(s, sessions.SubscribeOptions{Types: []string{"*"}})
		if w.listens() {
			t.Error("nobody asks: the connection listens, want it not to")
		}
		w.deliver(stanzaIn("<message/>")) // on its way when the last stream went
		both := w.attach(s, sessions.SubscribeOptions{Types: []string{"*", "stanza"}})
		alone := w.attach(s, sessions.SubscribeOptions{Types: []string{"stanza"}})
		if got := types(alone.preamble); !slices.Equal(got, []perch.EventType{perch.EventLive}) {
			t.Errorf("got the preamble %v, want live alone", got)
		}
		if !slices.Contains(types(both.preamble), perch.EventRosterSnapshot) || !slices.Equal(types(both.preamble), types(all.preamble)) {
			t.Errorf("*: got the preamble %v, want %v", types(both.preamble), types(all.preamble))
		}
		if !w.listens() {
			t.Error("two ask: the connection does not listen, want it to")
		}
		w.deliver(stanzaIn("<message id='1'/>"), text("1", "x"))
		if evs := both.wantTypes(perch.EventStanza, perch.EventMessageReceived); evs[0].ID != "" || !strings.Contains(string(evs[0].Data), "id='1'") {
			t.Errorf("got %+v, want the stanza without an id", evs[0])
		}
		alone.wantTypes(perch.EventStanza)
		all.wantTypes(perch.EventMessageReceived)
		usual.wantTypes(perch.EventMessageReceived)

		both.sub.SetTypes(nil)
		if !w.listens() {
			t.Error("one still asks: the connection does not listen, want it to")
		}
		alone.sub.SetTypes([]string{"message.*"})
		if w.listens() {
			t.Error("nobody asks any more: the connection listens, want it not to")
		}
		usual.sub.SetTypes([]string{"stanza"})
		if !w.listens() {
			t.Error("another asks: the connection does not listen, want it to")
		}
		w.up.Edit(func(d *fakexmpp.Data) { d.ListensStanzas = false })
		w.lose(perch.Errorf(perch.KindLinkLost, "test"))
		pass(time.Minute)
		if !w.listens() {
			t.Error("on the next connection: it does not listen, want it to")
		}
		usual.sub.Close()
		if w.listens() {
			t.Error("the stream has ended: the connection listens, want it not to")
		}
		for _, e := range w.durable(s) {
			if e.Type == perch.EventStanza {
				t.Errorf("got %+v in the log, want no stanza there", e)
			}
		}
	}, rawStanzas)
}

// TestStanzaEventsAreTheOperators: without his leave a stream may ask, and gets none.
func TestStanzaEventsAreTheOperators(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.attach(s, sessions.SubscribeOptions{Types: []string{"*", "stanza"}})
		if w.listens() {
			t.Error("the connection listens, want it not to")
		}
	})
}

// TestSlowClientLosesStanzas: before its connection, and before a durable event.
func TestSlowClientLosesStanzas(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{Types: []string{"*", "stanza"}})
		quick := w.attach(s, sessions.SubscribeOptions{})
		for i := range 200 {
			w.deliver(stanzaIn("<message/>"), text(fmt.Sprint(i), "x"))
			quick.next()
		}
		n := map[perch.EventType]int{}
		for _, e := range c.next() {
			n[e.Type]++
		}
		if n[perch.EventMessageReceived] != 200 || n[perch.EventStanza] > 64 {
			t.Errorf("got events %v, want 200 messages, and at most 64 stanzas", n)
		}
	}, rawStanzas)
}
