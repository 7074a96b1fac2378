package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestReadersArePut: what is made, what is kept of it when it is put anew, and what ends it.
func TestReadersArePut(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		n := hook("a")
		r, secret, created, err := w.m.PutReader(w.ctx(), access(s), n)
		must(t, "PutReader", err)
		if key, ok := strings.CutPrefix(secret.Reveal(), "whsec_"); !created || !ok || len(key) != 44 {
			t.Errorf("got created %v, a secret of %d bytes, want true and one with whsec_", created, len(secret.Reveal()))
		}
		if r.Target != n.Target || r.State != perch.ReaderActive || r.Created == 0 {
			t.Errorf("got %+v, want what was put", r)
		}
		w.say(s, 1)
		before := c.next()
		_, again, created, err := w.m.PutReader(w.ctx(), access(s), n)
		if err != nil || created || !again.IsZero() {
			t.Errorf("put again: got created %v, secret %v, error %v, want none of them", created, !again.IsZero(), err)
		}
		n.Target.URL = "https://elsewhere.example/"
		if r, _, _, err = w.m.PutReader(w.ctx(), access(s), n); err != nil || r.Cursor.Offset != 2 || r.Target != n.Target {
			t.Errorf("put elsewhere: got %+v, error %v, want the cursor 2", r, err)
		}
		w.say(s, 1)
		calls := c.next()
		if len(before) != 1 || offsets(calls) != "[3]" {
			t.Errorf("got %s, then %s, want each event once", offsets(before), offsets(calls))
		}
		must(t, "DeleteReader", w.m.DeleteReader(w.ctx(), access(s), perch.WebhookReader, "a"))
		kindOf(t, w.m.DeleteReader(w.ctx(), access(s), perch.WebhookReader, "a"), perch.KindNotFound)
		w.say(s, 1)
		if calls := c.next(); len(calls) != 0 {
			t.Errorf("after it was deleted: got %s, want nothing", offsets(calls))
		}
		n.Target.URL = ""
		_, _, _, err = w.m.PutReader(w.ctx(), access(s), n)
		kindOf(t, err, perch.KindValidation)
	}, withReceiver(c))
}

// TestReaderSecretsRotate: for a day calls are signed with both.
func TestReaderSecretsRotate(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		n := hook("a")
		_, first, _, err := w.m.PutReader(w.ctx(), access(s), n)
		must(t, "PutReader", err)
		n.Rotate = true
		_, second, created, err := w.m.PutReader(w.ctx(), access(s), n)
		if err != nil || created || second.IsZero() || second.Reveal() == first.Reveal() {
			t.Errorf("rotated: got created %v, another secret %v, error %v, want another one", created, second.Reveal() != first.Reveal(), err)
		}
		for _, want := range []int{2, 1} {
			w.say(s, 1)
			if calls := c.next(); len(calls) != 1 || calls[0].keys != want {
				t.Errorf("got %+v, want a call with %d secrets", calls, want)
			}
			pass(24 * time.Hour)
		}
	}, withReceiver(c))
}

// TestReadersAreFew: at most 10 webhooks and 20 push subscriptions.
func TestReadersAreFew(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		for kind, most := range map[perch.ReaderKind]int{perch.WebhookReader: 10, perch.PushReader: 20} {
			for i := range most {
				n := hook(fmt.Sprint("r", i))
				n.Kind = kind
				w.putReader(s, n)
			}
			n := hook("more")
			n.Kind = kind
			_, _, _, err := w.m.PutReader(w.ctx(), access(s), n)
			kindOf(t, err, perch.KindQuotaExceeded)
			n.ID = "r1"
			w.putReader(s, n)
		}
	}, withReceiver(&receiver{}))
}

// TestReadersOfNoKind: what the gateway has not is said.
func TestReadersOfNoKind(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		_, _, _, err := w.m.PutReader(w.ctx(), access(s), hook("a"))
		kindOf(t, err, perch.KindFeatureUnsupported)
		_, err = w.m.Readers(w.ctx(), access(s), perch.PushReader)
		kindOf(t, err, perch.KindFeatureUnsupported)
	})
}

// TestReadersOfNarrowTokens: a token neither sees nor changes a reader that sees more than it, and a reader sees
// no more than the token that has put it.
func TestReadersOfNarrowTokens(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		w.roster(bob, carol)
		s := w.open()
		w.putReader(s, hook("all"))
		narrow := sessions.Access{Session: s, Grant: perch.Grant{Scopes: []perch.Scope{perch.ScopeRead, perch.ScopeWebhooks}, Conversations: []perch.JID{carol}}}
		n := hook("carol")
		n.Spec.Types = []string{"*"}
		_, _, _, err := w.m.PutReader(w.ctx(), narrow, n)
		must(t, "PutReader", err)
		list, err := w.m.Readers(w.ctx(), narrow, perch.WebhookReader)
		if err != nil || len(list) != 1 || list[0].ID != "carol" {
			t.Errorf("Readers: got %v, error %v, want that of carol", list, err)
		}
		_, _, _, err = w.m.PutReader(w.ctx(), narrow, hook("all"))
		kindOf(t, err, perch.KindForbidden)
		kindOf(t, w.m.DeleteReader(w.ctx(), narrow, perch.WebhookReader, "all"), perch.KindNotFound)
		_, err = w.m.TestReader(w.ctx(), narrow, perch.WebhookReader, "all")
		kindOf(t, err, perch.KindNotFound)
		_, err = w.m.ReplayReader(w.ctx(), narrow, "all", "x-1")
		kindOf(t, err, perch.KindNotFound)
		w.say(s, 1)
		w.deliver(&perch.MessageIn{Message: perch.Message{ID: "c1", From: carol + "/x", Body: "of carol"}})
		text := ""
		for _, k := range c.next() {
			if k.toward == "carol" {
				text += strings.Join(k.bodies, "")
			}
		}
		if strings.Contains(text, "text 1") || !strings.Contains(text, "of carol") {
			t.Errorf("got %s for the token of carol, want what she says, and nothing of bob", text)
		}
		if r := w.reader(s, perch.WebhookReader, "carol"); r.Last.Status != 200 {
			t.Errorf("got %+v, want what carol says delivered", r)
		}
	}, withReceiver(c))
}

// TestReaderIsReplayed: the same events come again under other IDs.
func TestReaderIsReplayed(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		made := w.putReader(s, hook("a"))
		w.say(s, 3)
		before := c.next()
		epoch := made.Cursor.Epoch
		r, err := w.m.ReplayReader(w.ctx(), access(s), "a", epoch+"-2")
		if err != nil || r.Cursor.Offset != 2 {
			t.Errorf("ReplayReader: got %+v, error %v, want the cursor 2", r, err)
		}
		calls := c.next()
		if offsets(calls) != "[3 4]" || calls[0].id == before[1].id {
			t.Errorf("got %s, want [3 4] under another ID", offsets(calls))
		}
		if _, err := w.m.ReplayReader(w.ctx(), access(s), "a", epoch+"-0"); err != nil {
			t.Errorf("from the beginning: got error %v, want none", err)
		}
		if got := offsets(c.next()); got != "[2 3 4]" {
			t.Errorf("from the beginning: got %s, want [2 3 4]", got)
		}
		for _, since := range []string{"", "x", epoch + "-99", "other-1"} {
			_, err := w.m.ReplayReader(w.ctx(), access(s), "a", since)
			kindOf(t, err, perch.KindValidation)
		}
		_, err = w.m.ReplayReader(w.ctx(), access(s), "b", epoch+"-1")
		kindOf(t, err, perch.KindNotFound)
	}, withReceiver(c))
}

// TestReplayInFlight: what is under way is given up, and nothing is sent beside it.
func TestReplayInFlight(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		made := w.putReader(s, hook("a"))
		w.say(s, 1)
		release := c.hold()
		w.say(s, 1)
		_, err := w.m.ReplayReader(w.ctx(), access(s), "a", made.Cursor.Epoch+"-1")
		must(t, "ReplayReader", err)
		synctest.Wait()
		if c.mostAtOnce() != 1 {
			t.Errorf("got %d deliveries at once, want 1", c.mostAtOnce())
		}
		release()
		calls := c.next()
		if got := offsets(calls); got != "[2][3][2 3]" || !calls[1].lost {
			t.Errorf("got %s, want [2], [3] given up, and both again", got)
		}
	}, withReceiver(c))
}

// TestReaderIsTested: one attempt without events, whose outcome is the answer and changes nothing.
func TestReaderIsTested(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		before := w.putReader(s, hook("a"))
		for range 2 {
			got, err := w.m.TestReader(w.ctx(), access(s), perch.WebhookReader, "a")
			if calls := c.next(); err != nil || got.Status != 200 || len(calls) != 1 || !calls[0].test || len(calls[0].events) != 0 || calls[0].keys != 1 {
				t.Errorf("TestReader: got %+v, error %v, calls %+v, want one without events", got, err, calls)
			}
		}
		c.answers(func(sessions.Delivery) sessions.Outcome {
			return sessions.Outcome{Status: 410, Err: errors.New("gone"), Gone: true}
		})
		if got, err := w.m.TestReader(w.ctx(), access(s), perch.WebhookReader, "a"); err != nil || got.Status != 410 || got.Error != "gone" {
			t.Errorf("TestReader: got %+v, error %v, want 410", got, err)
		}
		if r := w.reader(s, perch.WebhookReader, "a"); r.State != before.State || r.Cursor != before.Cursor || r.Last != before.Last {
			t.Errorf("got %+v, want %+v as before", r, before)
		}
		c.answers(func(sessions.Delivery) sessions.Outcome { panic("a fault") })
		if got, err := w.m.TestReader(w.ctx(), access(s), perch.WebhookReader, "a"); err != nil || got.Status != 0 || got.Error == "" {
			t.Errorf("a fault of the sender: got %+v, error %v, want an attempt that has failed", got, err)
		}
		c.answers(nil)
		_, err := w.m.TestReader(w.ctx(), access(s), perch.WebhookReader, "b")
		kindOf(t, err, perch.KindNotFound)
		release := c.hold()
		begun := time.Now()
		got, err := w.m.TestReader(w.ctx(), access(s), perch.WebhookReader, "a")
		if err != nil || got.Error == "" || time.Since(begun) != 10*time.Second {
			t.Errorf("without an answer: got %+v, error %v after %v, want a failure after 10 s", got, err, time.Since(begun))
		}
		ctx, cancel := context.WithCancel(w.ctx())
		cancel()
		if _, err := w.m.TestReader(ctx, access(s), perch.WebhookReader, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: got error %v, want %v", err, context.Canceled)
		}
		release()
	}, withReceiver(c))
}
