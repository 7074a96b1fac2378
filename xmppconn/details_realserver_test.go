package xmppconn_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/xmppconn"
)

// realServers start the servers that these tests run on, one at a time.
var realServers = map[string]func(*testing.T) *testkit.Server{
	"Prosody":  func(t *testing.T) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) },
	"ejabberd": func(t *testing.T) *testkit.Server { return testkit.Ejabberd(t) },
}

// device signs an account in and makes it available.
func device(t *testing.T, s *testkit.Server, u testkit.User, resource string) (*xmppconn.Conn, <-chan perch.Inbound) {
	t.Helper()
	c, in := dialReal(t, upstreamOf(s, s.Domain), perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password), Resource: resource})
	mustSend(t, c, &perch.PresenceOut{OwnPresence: perch.OwnPresence{Available: true}})
	await(t, in, func(p *perch.PresenceIn) bool { return p.From == c.Login().JID })
	return c, in
}

func mustSend(t *testing.T, c *xmppconn.Conn, out perch.Outbound) {
	t.Helper()
	if _, err := c.Send(out); err != nil {
		t.Fatalf("Send(%+v): got error %v, want none", out, err)
	}
}

// sentForms are messages of every kind, to one account.
func sentForms(to perch.JID) (list []*perch.MessageOut) {
	const omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AA==</key></header><payload>AAAA</payload></encrypted>"
	for id, m := range map[string]perch.MessageOut{
		"m1": {Body: "hi"},
		"m2": {Body: "Al!", Details: &perch.MessageDetails{ReplyTo: &perch.Reply{ID: "m1", From: to, Excerpt: "hi 🐦"}, Mentions: []perch.Mention{{JID: to, Begin: 0, End: 2}}, Markable: true, Unstyled: true}},
		"m3": {Details: &perch.MessageDetails{Attachments: []perch.Attachment{{URL: "https://b.test/f", Name: "f.png", Type: "image/png", Size: 70}}, Spoiler: &perch.Spoiler{Hint: "the end"}}},
		"m4": {Body: "ho", Relation: &perch.Relation{Kind: perch.RelationEdit, Target: "m1"}},
		"m5": {Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m2", Emojis: []string{"👍"}}},
		"m6": {Relation: &perch.Relation{Kind: perch.RelationRetraction, Target: "m3"}},
		"m7": {Details: &perch.MessageDetails{Fallback: "no key", Encryption: &perch.Encryption{Method: "eu.siacs.conversations.axolotl", Name: "OMEMO"}, Payloads: []string{omemo}}},
		"m8": {Details: &perch.MessageDetails{Payloads: []string{"<a xmlns='urn:a'>x<b/>y</a>"}}},
		"m9": {Body: "end"},
	} {
		m.ID, m.To, m.Kind = id, to, perch.ChatMessage
		list = append(list, &m)
	}
	slices.SortFunc(list, func(a, b *perch.MessageOut) int { return cmpText(a.ID, b.ID) })
	return list
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// form is what is compared of a message that came whatever way.
type form struct {
	ID, Body string
	Details  *perch.MessageDetails
	Relation *perch.Relation
}

func formOf(m *perch.MessageIn) form { return form{m.ID, m.Body, m.MessageDetails, m.Relation} }

// wantForms is what sentForms are read as.
func wantForms(list []*perch.MessageOut) (want []form) {
	for _, m := range list {
		f := form{m.ID, m.Body, m.Details, m.Relation}
		if m.ID == "m3" {
			f.Body = "https://b.test/f"
		}
		want = append(want, f)
	}
	return want
}

// archivedForms is what an archive has of sentForms: ejabberd 24 takes what was retracted, m3, out of it.
func archivedForms(s *testkit.Server, list []*perch.MessageOut) []form {
	return slices.DeleteFunc(wantForms(list), func(f form) bool {
		return f.ID == "m3" && s.Name == "ejabberd" && testkit.EjabberdAtLeast("24")
	})
}

// TestDetailsOnRealServers sends messages of every kind between accounts of real servers: the other side,
// the other device of the sender and both archives have them as they were meant.
func TestDetailsOnRealServers(t *testing.T) {
	for name, start := range realServers {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			alice, bob := s.NewUser(t, "alice"), s.NewUser(t, "bob")
			a, _ := device(t, s, alice, "one")
			_, inOther := device(t, s, alice, "two")
			b, inBob := device(t, s, bob, "one")
			_, inBobToo := device(t, s, bob, "two")
			list := sentForms(perch.JID(bob.JID))
			for _, m := range list {
				mustSend(t, a, m)
			}
			for who, in := range map[string]<-chan perch.Inbound{"bob": inBob, "the other device of alice": inOther} {
				var got []form
				await(t, in, func(m *perch.MessageIn) bool {
					got = append(got, formOf(m))
					return m.Body == "end"
				})
				if diff := cmp.Diff(wantForms(list), got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", who, diff)
				}
			}
			mustSend(t, b, &perch.DisplayedOut{To: perch.JID(alice.JID), ID: "m2"})
			await(t, inOther, func(r *perch.ReceiptIn) bool { return r.Displayed && r.ID == "m2" })
			if read := await(t, inBobToo, func(r *perch.ReadIn) bool { return true }); *read != (perch.ReadIn{Conversation: perch.JID(alice.JID), ID: "m2"}) {
				t.Errorf("the other device of bob: got %+v, want m2 of %s", read, alice.JID)
			}
			for c, with := range map[*xmppconn.Conn]perch.JID{a: perch.JID(bob.JID), b: perch.JID(alice.JID)} {
				testkit.Eventually(t, 10*time.Second, func() error {
					page, err := c.Archive(context.Background(), perch.ArchiveQuery{With: with, Limit: 30})
					if err != nil {
						return err
					}
					var got []form
					for i := range page.Items {
						got = append(got, formOf(&page.Items[i].MessageIn))
					}
					if diff := cmp.Diff(archivedForms(s, list), got); diff != "" {
						return perch.Errorf(perch.KindInternal, "archive with %s, -want +got:\n%s", with, diff)
					}
					return nil
				})
			}
		})
	}
}

// TestReadPositionsOnRealServers publishes how far an account has read: its other device hears of
// each position once, and the server keeps all of them. ejabberd's own nodes keep one.
func TestReadPositionsOnRealServers(t *testing.T) {
	ctx := context.Background()
	for name, start := range realServers {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			alice := s.NewUser(t, "alice")
			one, _ := device(t, s, alice, "one")
			two, inTwo := device(t, s, alice, "two")
			if !one.Login().Capabilities.ReadSync {
				t.Fatalf("got the capabilities %+v, want ReadSync", one.Login().Capabilities)
			}
			if list, err := one.ReadPositions(ctx); err != nil || len(list) != 0 {
				t.Errorf("ReadPositions() before all = %v, %v; want none", list, err)
			}
			want := []perch.ReadIn{{Conversation: "bob@" + perch.JID(s.Domain), StanzaID: "1"}, {Conversation: "carol@" + perch.JID(s.Domain), StanzaID: "2"}, {Conversation: "bob@" + perch.JID(s.Domain), StanzaID: "3"}}
			for _, r := range want {
				if err := one.PublishRead(ctx, r); err != nil {
					t.Fatalf("PublishRead(%+v): got error %v, want none", r, err)
				}
			}
			mustSend(t, one, &perch.MessageOut{To: perch.JID(alice.JID) + "/two", Kind: perch.ChatMessage, Body: "end"})
			var got []perch.ReadIn
			await(t, inTwo, func(i perch.Inbound) bool {
				if r, ok := i.(*perch.ReadIn); ok {
					got = append(got, *r)
				}
				m, ok := i.(*perch.MessageIn)
				return ok && m.Body == "end"
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the other device, -want +got:\n%s", diff)
			}
			list, err := two.ReadPositions(ctx)
			slices.SortFunc(list, func(a, b perch.ReadIn) int { return cmpText(string(a.Conversation), string(b.Conversation)) })
			if diff := cmp.Diff([]perch.ReadIn{want[2], want[1]}, list); diff != "" || err != nil {
				t.Errorf("ReadPositions(): got error %v, want none; -want +got:\n%s", err, diff)
			}
		})
	}
}
