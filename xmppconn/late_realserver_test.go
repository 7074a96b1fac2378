package xmppconn_test

import (
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
)

// TestLateChatStates lets real servers hold chat states back: in offline storage, and in a
// carbon of a message that was late itself. None of them is about now, and the delay of each
// message is seen.
func TestLateChatStates(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *testkit.Server{
		"Prosody":  func(t *testing.T) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
		"ejabberd": func(t *testing.T) *testkit.Server { return testkit.Ejabberd(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			bob, alice := s.NewUser(t, "bob"), s.NewUser(t, "alice")
			peer := testkit.Slixmpp(t, testkit.SlixmppOptions{Addr: s.Addr, CAFile: s.CAFile, JID: alice.JID, Password: alice.Password})
			const state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
			peer.Raw(t, "<message xmlns='jabber:client' to='"+bob.JID+"' type='chat' id='late'><body>late</body>"+state+"</message>")
			peer.Raw(t, "<message xmlns='jabber:client' to='"+bob.JID+"' type='chat'>"+state+"</message>")
			peer.Roster(t) // its answer says that the server has dealt with what came before

			acc := perch.Account{JID: perch.JID(bob.JID), Password: perch.NewSecret(bob.Password), Resource: "one"}
			one, inOne := dialReal(t, upstreamOf(s, s.Domain), acc)
			if _, err := one.Send(&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true, Priority: 5}}); err != nil {
				t.Fatalf("one.Send(): got error %v, want none", err)
			}
			if m := awaitWithoutState(t, inOne, "late"); m.Delay == nil {
				t.Errorf("got %+v, want a delay by offline storage", m)
			}
			acc.Resource = "two"
			two, inTwo := dialReal(t, upstreamOf(s, s.Domain), acc)
			if _, err := two.Send(&perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}}); err != nil {
				t.Fatalf("two.Send(): got error %v, want none", err)
			}
			await(t, inTwo, func(p *perch.PresenceIn) bool { return p.From.Resource() == "two" })
			peer.Raw(t, "<message xmlns='jabber:client' to='"+bob.JID+"/one' type='chat' id='old'><body>old</body>"+state+
				"<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T10:00:00Z'/></message>")
			peer.Raw(t, "<message xmlns='jabber:client' to='"+bob.JID+"/one' type='chat'><body>end</body></message>")
			for _, in := range []<-chan perch.Inbound{inOne, inTwo} {
				m := awaitWithoutState(t, in, "old")
				if m.Delay == nil || m.Delay.Stamp.String() != "2020-01-01T10:00:00.000Z" {
					t.Errorf("got %+v, want the delay of 2020", m)
				}
				awaitWithoutState(t, in, "end")
			}
		})
	}
}

// awaitWithoutState returns the message with this body; a chat state before it fails the test.
func awaitWithoutState(t *testing.T, in <-chan perch.Inbound, body string) *perch.MessageIn {
	t.Helper()
	found := await(t, in, func(i perch.Inbound) bool {
		if st, ok := i.(*perch.ChatStateIn); ok {
			t.Errorf("got the chat state %s from %s, want none", st.State, st.From)
		}
		m, ok := i.(*perch.MessageIn)
		return ok && m.Body == body
	})
	return found.(*perch.MessageIn)
}
