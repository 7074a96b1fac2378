package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// What may follow what: a bounce is provisional, and what a device has reported stays.
func TestStatusSteps(t *testing.T) {
	report := map[perch.MessageStatus]perch.Inbound{
		perch.StatusDelivered: &perch.ReceiptIn{ID: "m", From: bob + "/b"},
		perch.StatusDisplayed: &perch.ReceiptIn{ID: "m", From: bob + "/c", Displayed: true},
		perch.StatusFailed:    &perch.MessageError{ID: "m", From: bob + "/a", Error: perch.XMPPError{Condition: "recipient-unavailable"}},
		perch.StatusAcked:     &perch.AckIn{Through: 100},
	}
	for _, tt := range []struct {
		reach string // the steps until then, as reported
		after map[perch.MessageStatus]string
	}{
		{"", map[perch.MessageStatus]string{perch.StatusAcked: "acked", perch.StatusFailed: "failed", perch.StatusDelivered: "delivered", perch.StatusDisplayed: "displayed"}},
		{"unknown", map[perch.MessageStatus]string{perch.StatusFailed: "failed", perch.StatusDelivered: "delivered", perch.StatusDisplayed: "displayed"}},
		{"acked", map[perch.MessageStatus]string{perch.StatusAcked: "", perch.StatusFailed: "failed", perch.StatusDelivered: "delivered", perch.StatusDisplayed: "displayed"}},
		{"failed", map[perch.MessageStatus]string{perch.StatusAcked: "", perch.StatusFailed: "", perch.StatusDelivered: "delivered", perch.StatusDisplayed: "displayed"}},
		{"delivered", map[perch.MessageStatus]string{perch.StatusAcked: "", perch.StatusFailed: "", perch.StatusDelivered: "", perch.StatusDisplayed: "displayed"}},
		{"displayed", map[perch.MessageStatus]string{perch.StatusAcked: "", perch.StatusFailed: "", perch.StatusDelivered: "", perch.StatusDisplayed: ""}},
		{"acked failed delivered", map[perch.MessageStatus]string{perch.StatusFailed: "", perch.StatusDisplayed: "displayed"}},
	} {
		for st, want := range tt.after {
			inWorld(t, func(w *world) {
				s := w.open()
				w.send(s, sessions.NewMessage{ID: "m", To: bob, Body: "x"})
				for step := range strings.FieldsSeq(tt.reach) {
					if step == "unknown" {
						w.lose(linkLost)
						continue
					}
					w.deliver(report[perch.MessageStatus(step)])
				}
				before := w.history(s, "m")
				w.deliver(report[st])
				if got := strings.TrimSpace(strings.TrimPrefix(w.history(s, "m"), before)); got != want {
					t.Errorf("after %q a report of %s: got %q added, want %q", tt.reach, st, got, want)
				}
			})
		}
	}
}

// The reports of a message that is no longer in memory keep their order, also those that come
// while the Store is asked.
func TestReportsKeepTheirOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.send(s, sessions.NewMessage{ID: "m", To: bob, Body: "x"})
		w.conn().Ack()
		w.restart()
		s = w.open()
		w.deliver(&perch.MessageError{ID: "m", From: bob + "/a", Error: perch.XMPPError{Condition: "recipient-unavailable"}},
			&perch.ReceiptIn{ID: "other", From: bob}, &perch.ReceiptIn{ID: "m", From: bob + "/b"}, &perch.ReceiptIn{ID: "m", From: bob + "/b", Displayed: true})
		if got, want := w.history(s, "m"), "accepted sent acked failed delivered displayed "; got != want {
			t.Errorf("history: got %q, want %q", got, want)
		}
	}, durable)
}

// Who may bounce a message, and who may report that it arrived. Others are counted.
func TestForgedReports(t *testing.T) {
	for _, tt := range []struct {
		from             perch.JID
		bounces, arrives bool
	}{
		{bob, true, true},
		{bob + "/any", true, true},
		{"example.org", true, false},
		{"example.net", true, false},
		{alice, true, false},
		{alice + "/perch", true, false},
		{carol + "/x", false, false},
		{"eve@evil.example/x", false, false},
		{"eve@example.org", false, false},
		{"bob@example.net.evil.example", false, false},
		{"evil.example", false, false},
	} {
		for _, old := range []bool{false, true} { // whether the record has to be looked up
			c := &tally{}
			inWorld(t, func(w *world) {
				s := w.open()
				to := bob
				if tt.from.Domain() == "example.org" {
					to = "bob@example.org"
				}
				for _, id := range []string{"m1", "m2", "m3"} {
					w.send(s, sessions.NewMessage{ID: id, To: to, Body: "x"})
				}
				w.conn().Ack()
				for i := range 40 {
					if old {
						w.send(s, hi(fmt.Sprint(i)))
					}
				}
				w.deliver(&perch.MessageError{ID: "m1", From: tt.from, Error: perch.XMPPError{Condition: "service-unavailable"}},
					&perch.ReceiptIn{ID: "m2", From: tt.from}, &perch.ReceiptIn{ID: "m3", From: tt.from, Displayed: true})
				forged := 0
				for id, p := range map[string]struct {
					may  bool
					want string
				}{"m1": {tt.bounces, "failed "}, "m2": {tt.arrives, "delivered "}, "m3": {tt.arrives, "displayed "}} {
					want := "accepted sent acked "
					if p.may {
						want += p.want
					} else {
						forged++
					}
					if got := w.history(s, id); got != want {
						t.Errorf("history of %s by %s: got %q, want %q", id, tt.from, got, want)
					}
				}
				c.want(t, map[string]int{"dropped forged": forged, "dropped unmatched": 0})
				w.deliver(&perch.ReceiptIn{ID: "nothing", From: tt.from})
				c.want(t, map[string]int{"dropped unmatched": 1})
			}, watched(c))
		}
	}
}

// A read of a session that has ended, or moved, is an error, and never empty.
func TestEndedSessionIsNeverEmpty(t *testing.T) {
	reads := map[string]func(*sessions.Session) error{
		"Buddies":     func(s *sessions.Session) error { _, err := s.Buddies(); return err },
		"Buddy":       func(s *sessions.Session) error { _, err := s.Buddy(bob); return err },
		"Presences":   func(s *sessions.Session) error { _, err := s.Presences(); return err },
		"Presence":    func(s *sessions.Session) error { _, err := s.Presence(bob); return err },
		"Invitations": func(s *sessions.Session) error { _, err := s.Invitations(); return err },
		"OwnPresence": func(s *sessions.Session) error { _, err := s.OwnPresence(); return err },
		"Current":     func(s *sessions.Session) error { _, err := s.Current(); return err },
	}
	for _, tt := range []struct {
		name string
		end  func(*world, *sessions.Session)
		want perch.Kind
	}{
		{"signed out", func(w *world, s *sessions.Session) { _ = w.m.SignOut(w.ctx(), s) }, perch.KindUnauthorized},
		{"moved", func(w *world, _ *sessions.Session) { w.close() }, perch.KindSessionOffline},
	} {
		inWorld(t, func(w *world) {
			w.roster(bob)
			s := w.open()
			for name, read := range reads {
				if err := read(s); err != nil {
					t.Errorf("%s of a live session: got error %v, want none", name, err)
				}
			}
			tt.end(w, s)
			for name, read := range reads {
				if err := read(s); perch.KindOf(err) != tt.want {
					t.Errorf("%s of a session that has %s: got error %v, want kind %s", name, tt.name, err, tt.want)
				}
			}
		})
	}
}
