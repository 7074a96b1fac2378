package sessions_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// BenchmarkMessage is the way of a message from its connection to a subscriber, with the commit to
// a Store in memory: alone, with the chat state that clients send beside it, one whose text came
// many times before, and one that changes the list of conversations.
func BenchmarkMessage(b *testing.B) {
	const many = 4096
	message := func(i int) *perch.MessageIn {
		return text(fmt.Sprint("id-", i), fmt.Sprint("See you at the station at half past six, number ", i))
	}
	state := &perch.ChatStateIn{From: bob + "/x", State: perch.StateActive}
	for _, bb := range []struct {
		name string
		make func(i int) []perch.Inbound
		list bool
	}{
		{"alone", func(i int) []perch.Inbound { return []perch.Inbound{message(i)} }, false},
		{"with chat state", func(i int) []perch.Inbound { return []perch.Inbound{message(i), state} }, false},
		{"said before", func(i int) []perch.Inbound { return []perch.Inbound{text(fmt.Sprint("id-", i), "Yes.")} }, false},
		{"listed", func(i int) []perch.Inbound { return []perch.Inbound{message(i)} }, true},
	} {
		var stanzas [][]perch.Inbound
		for i := range many {
			stanzas = append(stanzas, bb.make(i))
		}
		b.Run(bb.name, func(b *testing.B) { benchMessage(b, stanzas, bb.list) })
	}
}

func benchMessage(b *testing.B, stanzas [][]perch.Inbound, list bool) {
	w := newWorld(b, func(o *sessions.Options) { o.Store = cache.NewMemory(cache.MemoryOptions{}) })
	defer w.close()
	s, err := w.m.Authenticate(w.ctx(), goodToken)
	must(b, "Authenticate", err)
	if list {
		_, err := sessions.ConversationsOf(s).List(w.ctx(), sessions.ConversationQuery{})
		must(b, "List", err)
	}
	ready := make(chan struct{}, 1)
	sub, err := s.Subscribe(w.ctx(), sessions.SubscribeOptions{Types: []string{"message.*", "chat_state"}, Notify: func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}})
	must(b, "Subscribe", err)
	defer sub.Close()
	must(b, "Preamble", sub.Preamble(w.ctx(), func(*perch.Event) error { return nil }))
	conn := w.up.newest()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		in := stanzas[i%len(stanzas)]
		for _, x := range in {
			conn.Deliver(x)
		}
		for got := 0; got < len(in); {
			<-ready
			evs, err := sub.Take()
			must(b, "Take", err)
			got += len(evs)
		}
	}
}
