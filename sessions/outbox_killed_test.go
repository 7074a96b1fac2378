package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// killedWhileSending ends the process when what post accepts is written, and before that is committed;
// the next one finds it accepted, and nothing that the old one wants to commit is taken any more.
func (w *world) killedWhileSending(post func()) *sessions.Session {
	w.t.Helper()
	w.store.set(func(s *store) { s.held = true })
	go post()
	synctest.Wait()
	w.store.mu.Lock()
	accept := w.store.waiting[0]
	w.store.waiting = w.store.waiting[1:]
	w.store.mu.Unlock()
	accept()
	synctest.Wait()
	if got := sent[*perch.MessageOut](w.conn()); len(got) == 0 {
		w.t.Fatal("got nothing written by the process that is about to end, want a message")
	}
	var late []func()
	w.store.set(func(s *store) { late, s.held, s.waiting = s.waiting, false, nil })
	w.start()
	next := w.open()
	for _, commit := range late {
		commit()
	}
	return next
}

// TestKilledBeforeTheLog: a process that ends between writing a message and committing its event leaves
// it to the next one, whatever tells that the server has it: the archive, a catch-up or a receipt.
func TestKilledBeforeTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		resume, receipt bool
		status          string
	}{
		"resumed, and the archive has it": {true, false, "acked "},
		"resumed, and a receipt comes":    {true, true, "delivered "},
		"caught up":                       {false, false, "acked "},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.up.set(func(u *upstream) {
					u.resume = true
					u.known = func() (map[string]uint64, bool) { return nil, true }
				})
				a := withArchive(w)
				a.add("old", "in", "")
				s := w.open()
				first := w.send(s, sessions.NewMessage{ID: "m1", To: bob, Body: "one"})
				a.add("one", "out", first)
				w.conn().Ack()
				old := w.m
				defer func() { _ = old.Close(w.ctx()) }()
				w.up.set(func(u *upstream) { u.resume = c.resume })
				a.onAsk = func() { // by the next process
					if a.onAsk = nil; c.receipt {
						w.up.newest().Deliver(&perch.ReceiptIn{ID: "e1", From: bob + "/x"})
						<-time.After(time.Second)
					}
				}
				s = w.killedWhileSending(func() {
					change := byPhone(edit("e1", "m1", "new text"))
					change.From = alice + "/perch"
					a.put(change)
					_, _ = verbs["edit"](w, s, own(first), sessions.NewMessage{ID: "e1"})
				})
				pass(time.Minute)
				w.wantChat(s, `m1 sent=true "new text" edits=1 retracted=false `)
				if h := w.history(s, "e1"); h != "accepted sent "+c.status {
					t.Errorf("history: got %q, want accepted, sent, %s", h, c.status)
				}
				w.cut(func() {}) // nothing comes twice
				w.wantChat(s, `m1 sent=true "new text" edits=1 retracted=false `)
			}, durable)
		})
	}
}
