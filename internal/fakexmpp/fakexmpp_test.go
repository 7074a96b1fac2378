package fakexmpp_test

import (
	"context"
	"errors"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// login dials and starts a connection that keeps what is delivered.
func login(t *testing.T, up *fakexmpp.Server) (conn *fakexmpp.Conn, delivered func() []perch.Inbound) {
	t.Helper()
	if _, err := up.Dial(t.Context(), sessions.DialRequest{Account: perch.Account{Token: perch.NewSecret("good")}}); err != nil {
		t.Fatalf("Dial got error %v, want none", err)
	}
	conn = up.Accepted(t.Context())
	if conn == nil {
		t.Fatal("Accepted = nil, want the connection that was dialled")
	}
	var all []perch.Inbound
	conn.Start(func(_ uint64, in perch.Inbound) { all = append(all, in) }, func() {})
	return conn, func() []perch.Inbound { return all }
}

func TestSignIn(t *testing.T) {
	for _, tt := range []struct {
		name string
		acc  perch.Account
		jid  perch.JID
		kind perch.Kind
	}{
		{name: "a token has the JID of alice", acc: perch.Account{Token: perch.NewSecret("t")}, jid: "alice@example.net/perch"},
		{name: "a JID and a resource are kept", acc: perch.Account{JID: "bob@example.net", Resource: "tab", Password: perch.NewSecret("p")}, jid: "bob@example.net/tab"},
		{name: "a bad credential is refused", acc: perch.Account{Token: perch.NewSecret("bad")}, kind: perch.KindUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up := fakexmpp.New()
			conn, err := up.Dial(t.Context(), sessions.DialRequest{Account: tt.acc})
			jid, verr := up.Verify(t.Context(), tt.acc)
			if tt.kind != "" {
				if perch.KindOf(err) != tt.kind || perch.KindOf(verr) != tt.kind {
					t.Errorf("Dial got error %v, Verify %v; want the kind %v", err, verr, tt.kind)
				}
				return
			}
			if err != nil || verr != nil {
				t.Fatalf("Dial got error %v, Verify %v; want none", err, verr)
			}
			if got := conn.Login().JID; got != tt.jid || jid != tt.jid.Bare() {
				t.Errorf("the JID is %q and, verified, %q; want %q", got, jid, tt.jid)
			}
			if len(up.Dials()) != 1 || len(up.Verified()) != 1 {
				t.Errorf("got %d dials and %d verified, want 1 of each", len(up.Dials()), len(up.Verified()))
			}
		})
	}
}

func TestDeliveredIsNumbered(t *testing.T) {
	conn, delivered := login(t, fakexmpp.New())
	conn.Deliver(&perch.MessageIn{})
	if _, err := conn.Send(&perch.MessageOut{}); err != nil {
		t.Fatalf("Send got error %v, want none", err)
	}
	conn.Ack()
	conn.Handled(2)
	conn.Handled(1)
	if conn.Delivered() != 2 || conn.HandledSeq() != 2 {
		t.Errorf("Delivered, HandledSeq = %d, %d; want 2, 2", conn.Delivered(), conn.HandledSeq())
	}
	got := delivered()
	if ack, ok := got[len(got)-1].(*perch.AckIn); !ok || ack.Through != 1 {
		t.Errorf("the last that was delivered is %+v, want an acknowledgement of 1", got[len(got)-1])
	}
	if len(conn.Sent()) != 1 || conn.Next(t.Context()) == nil {
		t.Errorf("Sent = %v, want one, and Next gives it", conn.Sent())
	}
}

// TestRosterPush: what a session changes comes back as a push, as from a real server.
func TestRosterPush(t *testing.T) {
	conn, delivered := login(t, fakexmpp.New())
	if err := conn.SetRosterItem(t.Context(), "bob@example.net", "Bob", nil); err != nil {
		t.Fatalf("SetRosterItem got error %v, want none", err)
	}
	if r, err := conn.Roster(t.Context(), ""); err != nil || len(r.Items) != 1 || r.Items[0].Name != "Bob" {
		t.Errorf("Roster = %+v, %v; want Bob alone", r, err)
	}
	if err := conn.RemoveRosterItem(t.Context(), "bob@example.net"); err != nil {
		t.Fatalf("RemoveRosterItem got error %v, want none", err)
	}
	if err := conn.RemoveRosterItem(t.Context(), "bob@example.net"); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("RemoveRosterItem of an item that is not there got error %v, want one of the upstream", err)
	}
	var got []perch.Subscription
	for _, in := range delivered() {
		if push, ok := in.(*perch.RosterPush); ok {
			got = append(got, push.Item.Subscription)
		}
	}
	if len(got) != 2 || got[0] != perch.SubscriptionNone || got[1] != perch.SubscriptionRemove {
		t.Errorf("the pushes are %q, want none and remove", got)
	}
}

func TestRefusals(t *testing.T) {
	up := fakexmpp.New()
	conn, _ := login(t, up)
	refused := errors.New("not today")
	up.Edit(func(d *fakexmpp.Data) {
		d.Refuse = func(method string) error {
			if method == "Ping" {
				return refused
			}
			return nil
		}
	})
	if _, err := conn.Ping(t.Context()); !errors.Is(err, refused) {
		t.Errorf("Ping got error %v, want the one of Refuse", err)
	}
	if _, err := conn.VCard(t.Context(), "bob@example.net"); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("VCard of nobody got error %v, want one of the upstream", err)
	}
	if _, err := conn.LookupJID(t.Context(), "bob"); perch.KindOf(err) != perch.KindXMPP {
		t.Errorf("LookupJID of nobody got error %v, want one of the upstream", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := conn.Archive(ctx, perch.ArchiveQuery{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Archive with an ended context got error %v, want %v", err, context.Canceled)
	}
}

// TestEndedConnection: the first reason stays, and nothing is sent or asked any more.
func TestEndedConnection(t *testing.T) {
	conn, _ := login(t, fakexmpp.New())
	lost := errors.New("lost")
	conn.Fail(lost)
	if err := conn.Close(t.Context()); err != nil || !conn.Closed() {
		t.Errorf("Close got error %v, Closed %v; want none, true", err, conn.Closed())
	}
	<-conn.Done()
	if err := conn.Err(); !errors.Is(err, lost) {
		t.Errorf("Err = %v, want %v", err, lost)
	}
	if _, err := conn.Send(&perch.MessageOut{}); perch.KindOf(err) != perch.KindSessionOffline {
		t.Errorf("Send got error %v, want the kind %v", err, perch.KindSessionOffline)
	}
	if _, err := conn.Roster(t.Context(), ""); perch.KindOf(err) != perch.KindSessionOffline {
		t.Errorf("Roster got error %v, want the kind %v", err, perch.KindSessionOffline)
	}
}
