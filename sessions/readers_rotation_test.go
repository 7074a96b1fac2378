package sessions_test

import (
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestReadersAreSealedAgain: once a session was opened, or its secrets rotated while it lives, nothing of its readers
// needs the key of before.
func TestReadersAreSealedAgain(t *testing.T) {
	for name, rotate := range map[string]func(w *world){
		"while it lives": func(w *world) {
			must(w.t, "Reconfigure", w.m.Reconfigure(sealing(2, 1)))
			must(w.t, "Rotate", w.m.Rotate(w.ctx()))
		},
		"when it is opened": func(w *world) {
			w.close()
			sealing(2, 1)(&w.opts)
			w.start()
			_, _, _, err := w.m.SignIn(w.ctx(), password("good"))
			must(w.t, "SignIn", err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				_, s, _, err := w.m.SignIn(w.ctx(), password("good"))
				must(t, "SignIn", err)
				n := hook("a")
				w.putReader(s, n)
				rotate(w)
				w.close()
				sealing(2)(&w.opts)
				w.start()
				_, s, _, err = w.m.SignIn(w.ctx(), password("good"))
				must(t, "SignIn", err)
				if r := w.reader(s, perch.WebhookReader, "a"); r.State != perch.ReaderActive || r.Target != n.Target {
					t.Errorf("got %s, why %q, the same target %v, want an active reader", r.State, r.Why, r.Target == n.Target)
				}
			}, withReceiver(&receiver{}), sealing(1), durable)
		})
	}
}

// TestSecretIsFoundAgain: a reader whose key was missing for a while works again when the key is back.
func TestSecretIsFoundAgain(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		_, s, _, err := w.m.SignIn(w.ctx(), password("good"))
		must(t, "SignIn", err)
		w.putReader(s, hook("a"))
		for _, step := range []struct {
			key  byte
			want perch.ReaderState
		}{{2, perch.ReaderDisabled}, {1, perch.ReaderActive}} {
			w.close()
			sealing(step.key)(&w.opts)
			w.start()
			_, s, _, err = w.m.SignIn(w.ctx(), password("good"))
			must(t, "SignIn", err)
			if r := w.reader(s, perch.WebhookReader, "a"); r.State != step.want {
				t.Errorf("with the key %d: got %s, why %q, want %s", step.key, r.State, r.Why, step.want)
			}
			ends := 0
			for _, e := range w.durable(s) {
				if e.Type == perch.EventWebhookDisabled {
					ends++
				}
			}
			if ends != 1 {
				t.Errorf("with the key %d: got %d events %s, want 1", step.key, ends, perch.EventWebhookDisabled)
			}
		}
		c.next()
		w.say(s, 1)
		if calls := c.next(); len(calls) != 1 || calls[0].keys != 1 {
			t.Errorf("got %+v, want a delivery", calls)
		}
	}, withReceiver(c), sealing(1), durable)
}

var _ sessions.Sender = (*receiver)(nil)
