package sessions_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

func own(id string) perch.Ref    { return perch.Ref{ID: id, Sent: true} }
func theirs(id string) perch.Ref { return perch.Ref{ID: id} }

// verbs are the three, each with an id and a key of its own.
var verbs = map[string]func(w *world, s *sessions.Session, ref perch.Ref, m sessions.NewMessage) (perch.StatusChange, error){
	"edit": func(w *world, s *sessions.Session, ref perch.Ref, m sessions.NewMessage) (perch.StatusChange, error) {
		m.Body = "new text"
		return sessions.MessagesOf(s).Edit(w.ctx(), bob, ref, m)
	},
	"retract": func(w *world, s *sessions.Session, ref perch.Ref, m sessions.NewMessage) (perch.StatusChange, error) {
		return sessions.MessagesOf(s).Retract(w.ctx(), bob, ref, "a slip", m)
	},
	"react": func(w *world, s *sessions.Session, ref perch.Ref, m sessions.NewMessage) (perch.StatusChange, error) {
		return sessions.MessagesOf(s).React(w.ctx(), bob, ref, []string{"👍"}, m)
	},
}

// do carries out a verb that is accepted, and returns the id of its stanza.
func (w *world) do(verb string, s *sessions.Session, ref perch.Ref, m sessions.NewMessage) string {
	w.t.Helper()
	st, err := verbs[verb](w, s, ref, m)
	if err != nil || st.Status != perch.StatusAccepted || st.ID == "" || st.Ref != ref.String() {
		w.t.Fatalf("%s: got %+v, error %v, want accepted, with an ID and the ref %s", verb, st, err, ref)
	}
	synctest.Wait()
	return st.ID
}

// TestVerbLife: a verb is a stanza of its own that names the id of the message, and its status comes to
// the end under its own id, with the ref of the message.
func TestVerbLife(t *testing.T) {
	for verb, want := range map[string]struct {
		kind perch.RelationKind
		chat string
	}{
		"edit":    {perch.RelationEdit, `"new text" edits=1 retracted=false `},
		"retract": {perch.RelationRetraction, `"" edits=0 retracted=true `},
		"react":   {perch.RelationReactions, `"one" edits=0 retracted=false 👍[alice@example.net]`},
	} {
		t.Run(verb, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				first := w.send(s, hi("one"))
				w.conn().Ack()
				c := w.attach(s, sessions.SubscribeOptions{Types: []string{"message.status"}})
				id := w.do(verb, s, own(first), sessions.NewMessage{})
				w.conn().Ack()
				w.deliver(&perch.ReceiptIn{ID: id, From: bob + "/x"})
				if h := w.history(s, id); h != "accepted sent acked delivered " {
					t.Errorf("history of the verb: got %q, want it to its end", h)
				}
				for _, e := range c.wantTypes(perch.EventMessageStatus, perch.EventMessageStatus) {
					var st perch.StatusChange
					if e.into(t, &st); st.ID != id || st.Ref != own(first).String() {
						t.Errorf("message.status: got %+v, want the id of the verb %s and the ref of the message %s", st, id, own(first))
					}
				}
				out := sent[*perch.MessageOut](w.conn())
				if m := out[len(out)-1]; m.ID != id || m.To != bob || m.Relation == nil || m.Relation.Kind != want.kind || m.Relation.Target != first {
					t.Errorf("stanza: got %+v with %+v, want a %s of %s to bob", m, m.Relation, want.kind, first)
				}
				if r, err := s.Message(w.ctx(), id); err != nil || r.Ref != own(first).String() {
					t.Errorf("Message: got %+v, error %v, want the ref of the message", r, err)
				}
				w.wantChat(s, first+" sent=true "+want.chat)
			})
		})
	}
}

// TestVerbIsIdempotent: one key is one stanza, and another verb with it is an error.
func TestVerbIsIdempotent(t *testing.T) {
	for verb := range verbs {
		t.Run(verb, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				first, second := w.send(s, hi("one")), w.send(s, hi("two"))
				id := w.do(verb, s, own(first), sessions.NewMessage{Key: "k"})
				if again := w.do(verb, s, own(first), sessions.NewMessage{Key: "k"}); again != id {
					t.Errorf("the same key again: got id %s, want %s", again, id)
				}
				_, err := verbs[verb](w, s, own(second), sessions.NewMessage{Key: "k"})
				kindOf(t, err, perch.KindIdempotencyMismatch)
				_, err = s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Key: "k"})
				kindOf(t, err, perch.KindIdempotencyMismatch)
				if n := len(bodies(w.conn())); n != 3 {
					t.Errorf("got %d stanzas, want two messages and one verb", n)
				}
			})
		})
	}
}

// TestVerbErrors: what cannot be done is refused before anything is sent.
func TestVerbErrors(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		ms := sessions.MessagesOf(s)
		gone := w.send(s, hi("gone"))
		w.do("retract", s, own(gone), sessions.NewMessage{})
		w.deliver(text("m1", "one"), retract("t1", "m1"))
		before := len(w.conn().Sent())
		for name, tt := range map[string]struct {
			call func() (perch.StatusChange, error)
			want perch.Kind
		}{
			"edit of somebody else's":       {func() (perch.StatusChange, error) { return verbs["edit"](w, s, theirs("m1"), sessions.NewMessage{}) }, perch.KindForbidden},
			"retraction of somebody else's": {func() (perch.StatusChange, error) { return verbs["retract"](w, s, theirs("m1"), sessions.NewMessage{}) }, perch.KindForbidden},
			"edit of one taken back":        {func() (perch.StatusChange, error) { return verbs["edit"](w, s, own(gone), sessions.NewMessage{}) }, perch.KindConflict},
			"reaction to one taken back":    {func() (perch.StatusChange, error) { return verbs["react"](w, s, theirs("m1"), sessions.NewMessage{}) }, perch.KindConflict},
			"without an id": {func() (perch.StatusChange, error) {
				return verbs["react"](w, s, perch.Ref{StanzaID: "a1"}, sessions.NewMessage{})
			}, perch.KindValidation},
			"of a room": {func() (perch.StatusChange, error) {
				return verbs["react"](w, s, perch.Ref{StanzaID: "a1", Room: true}, sessions.NewMessage{})
			}, perch.KindFeatureUnsupported},
			"without a text": {func() (perch.StatusChange, error) { return ms.Edit(w.ctx(), bob, own("x"), sessions.NewMessage{}) }, perch.KindValidation},
			"too many emojis": {func() (perch.StatusChange, error) {
				return ms.React(w.ctx(), bob, own("x"), slices.Repeat([]string{"a"}, 33), sessions.NewMessage{})
			}, perch.KindValidation},
			"a long emoji": {func() (perch.StatusChange, error) {
				return ms.React(w.ctx(), bob, own("x"), []string{strings.Repeat("a", 65)}, sessions.NewMessage{})
			}, perch.KindValidation},
			"an empty reaction": {func() (perch.StatusChange, error) {
				return ms.React(w.ctx(), bob, own("x"), []string{""}, sessions.NewMessage{})
			}, perch.KindValidation},
		} {
			if _, err := tt.call(); err == nil || perch.KindOf(err) != tt.want {
				t.Errorf("%s: got error %v, want kind %s", name, err, tt.want)
			}
		}
		synctest.Wait()
		if n := len(w.conn().Sent()); n != before {
			t.Errorf("got %d stanzas sent, want none", n-before)
		}
	})
}

// TestVerbsWaitForEachOther: what is taken back is not edited any more, also before that is sent, and
// a key that was used before gives its answer all the same.
func TestVerbsWaitForEachOther(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		first := w.send(s, hi("one"))
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		id := w.do("edit", s, own(first), sessions.NewMessage{Key: "k"})
		w.do("retract", s, own(first), sessions.NewMessage{})
		_, err := verbs["edit"](w, s, own(first), sessions.NewMessage{})
		kindOf(t, err, perch.KindConflict)
		if again := w.do("edit", s, own(first), sessions.NewMessage{Key: "k"}); again != id {
			t.Errorf("the key of before: got id %s, want %s", again, id)
		}
		w.refuse(nil)
		pass(time.Minute)
		w.wantChat(s, first+` sent=true "" edits=0 retracted=true `)
	})
}

// TestVerbIsFoundInTheArchive: of a verb that was written before the stream was lost, the archive says
// whether the server has it, by its id.
func TestVerbIsFoundInTheArchive(t *testing.T) {
	for verb := range verbs {
		for _, arrived := range []bool{true, false} {
			t.Run(fmt.Sprint(verb, " arrived ", arrived), func(t *testing.T) {
				inWorld(t, func(w *world) {
					a := withArchive(w)
					s := w.open()
					first := w.send(s, hi("one"))
					w.conn().Ack()
					id := w.do(verb, s, own(first), sessions.NewMessage{})
					out := sent[*perch.MessageOut](w.conn())
					w.cut(func() {
						if arrived {
							m := byPhone(text(id, out[len(out)-1].Body))
							m.From, m.Relation = alice+"/perch", out[len(out)-1].Relation
							a.put(m)
						}
					})
					again := slices.ContainsFunc(sent[*perch.MessageOut](w.conn()), func(m *perch.MessageOut) bool { return m.ID == id && m.Relation != nil })
					if again == arrived {
						t.Errorf("written again: got %v, want %v", again, !arrived)
					}
					w.conn().Ack()
					if h := w.history(s, id); !strings.HasSuffix(h, "acked ") {
						t.Errorf("history: got %q, want it acked", h)
					}
					if n := strings.Count(fmt.Sprint(types(w.durable(s))), "message.edited") + strings.Count(fmt.Sprint(types(w.durable(s))), "message.re"); n != 1 {
						t.Errorf("got %d events of the verb in %v, want 1", n, types(w.durable(s)))
					}
				}, durable)
			})
		}
	}
}

// TestChatOnlyHasNoVerbs: an upstream with plain chat messages refuses everything else, and nothing is
// sent.
func TestChatOnlyHasNoVerbs(t *testing.T) {
	inWorld(t, func(w *world) {
		w.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = perch.Capabilities{ChatOnly: true, Archive: "136"} })
		s := w.open()
		before := len(w.conn().Sent())
		for verb, do := range verbs {
			for _, ref := range []perch.Ref{own("m1"), theirs("m1")} {
				if _, err := do(w, s, ref, sessions.NewMessage{}); err == nil || perch.KindOf(err) != perch.KindFeatureUnsupported {
					t.Errorf("%s of %s: got error %v, want feature-unsupported", verb, ref, err)
				}
			}
		}
		for field, d := range map[string]perch.MessageDetails{
			"/reply_to": {ReplyTo: &perch.Reply{Ref: theirs("m1").String()}}, "/mentions": {Mentions: []perch.Mention{{JID: bob}}},
			"/attachments": {Attachments: []perch.Attachment{{URL: "https://example.net/a"}}}, "/payloads": {Payloads: []string{"<a xmlns='b'/>"}},
		} {
			_, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Details: &d})
			wantField(t, err, field)
		}
		synctest.Wait()
		if n := len(w.conn().Sent()); n != before {
			t.Errorf("got %d stanzas sent, want none", n-before)
		}
	})
}

func wantField(t tb, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*perch.Error](err)
	if !ok || e.Kind != perch.KindValidation || len(e.Fields) != 1 || e.Fields[0].Pointer != want {
		t.Errorf("got error %v, want one of the field %s", err, want)
	}
}

// TestSendDetails: what belongs to the sender is sent and shown, and a reply names its message.
func TestSendDetails(t *testing.T) {
	for name, tt := range map[string]struct {
		ref  perch.Ref
		from perch.JID
	}{"to bob's": {theirs("m1"), bob}, "to an own one": {own("p1"), alice}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.open()
				d := &perch.MessageDetails{ReplyTo: &perch.Reply{Ref: tt.ref.String()}, Markable: true,
					Edited: &perch.Edited{Count: 7}, Reactions: []perch.Reaction{{Emoji: "👍"}}}
				w.send(s, sessions.NewMessage{To: bob, Body: "yes", Details: d})
				got := sent[*perch.MessageOut](w.conn())[0].Details
				if got == nil || !got.Markable || got.Edited != nil || got.Reactions != nil || got.ReplyTo.ID != tt.ref.ID || got.ReplyTo.From != tt.from {
					t.Fatalf("details: got %+v, want markable, a reply to %s of %s, and nothing that was merged", got, tt.ref.ID, tt.from)
				}
				if d.ReplyTo.ID != "" {
					t.Errorf("details of the caller: got %+v, want them unchanged", d.ReplyTo)
				}
				evs := w.durable(s)
				var m perch.Message
				if evs[len(evs)-1].into(t, &m); m.MessageDetails == nil || m.ReplyTo == nil || m.ReplyTo.Ref != tt.ref.String() {
					t.Errorf("message.sent: got %+v, want the reply in it", m.MessageDetails)
				}
			})
		})
	}
	inWorld(t, func(w *world) {
		_, err := w.open().SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Details: &perch.MessageDetails{ReplyTo: &perch.Reply{Ref: "?"}}})
		wantField(t, err, "/reply_to/ref")
	})
}

// TestDetailsCount: what messages have beside their text takes room in the outbox.
func TestDetailsCount(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.open()
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		synctest.Wait()
		d := &perch.MessageDetails{Payloads: []string{"<a xmlns='b'>" + strings.Repeat("x", 3<<20) + "</a>"}}
		for range 2 {
			w.send(s, sessions.NewMessage{To: bob, Body: "x", Details: d})
		}
		_, err := s.SendMessage(w.ctx(), sessions.NewMessage{To: bob, Body: "x", Details: d})
		kindOf(t, err, perch.KindQuotaExceeded)
	})
}
