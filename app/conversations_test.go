package app_test

import (
	"context"
	"fmt"
	"html"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
	"github.com/perch-im/perch/xmppconn"
)

// chatNode is what a gateway has of sessions, on a Store that others may have too: without HTTP.
type chatNode struct {
	*sessions.Manager
	store sessions.Store
}

// newChatNode begins a node, which ends with the test, or before by close.
func newChatNode(t *testing.T, l login, s *testkit.Server, name string, store sessions.Store) *chatNode {
	t.Helper()
	d, err := xmppconn.NewDialer(xmppconn.Upstream{Name: "real", Domain: l.domainOn(s), Address: l.address(s), TLS: xmppconn.TLSStartTLS,
		RootCAs: s.CA}, xmppconn.Options{Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("xmppconn.NewDialer: got error %v, want none", err)
	}
	m, err := sessions.NewManager(sessions.Options{
		Dial: func(ctx context.Context, req sessions.DialRequest) (sessions.Conn, error) {
			c, err := d.Dial(ctx, req.Account, req.Resume)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Verify: d.Verify, Store: store, Secret: []byte(appSecret), DefaultUpstream: "real", Logger: canary.Logger(),
		Upstreams: map[string]sessions.Upstream{"real": {Name: "real", NeedsJID: true, Capabilities: d.Capabilities()}},
	})
	if err != nil {
		t.Fatalf("sessions.NewManager: got error %v, want none", err)
	}
	n := &chatNode{Manager: m, store: store}
	t.Cleanup(func() { n.close(t) })
	if store.Durable() {
		if err := m.Join(t.Context(), sessions.Node{ID: sessions.NodeID(name + "/1"), URL: "http://" + name + ".test"}, 15*time.Second); err != nil {
			t.Fatalf("Join: got error %v, want none", err)
		}
	}
	return n
}

func (n *chatNode) close(t *testing.T) {
	t.Helper()
	if n.Manager == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Errorf("Close: got error %v, want none", err)
	}
	n.Manager = nil
}

// signIn gives the list of chats of a user, who has a client attached: for a session without one, servers
// hold back what can wait (XEP-0352), and that is the markers of other devices.
func (n *chatNode) signIn(t *testing.T, l login, u testkit.User) sessions.Conversations {
	t.Helper()
	_, s, _, err := n.SignIn(t.Context(), perch.Account{JID: perch.JID(u.JID), Password: perch.NewSecret(u.Password), Mechanism: l.mechanism})
	if err != nil {
		t.Fatalf("SignIn: got error %v, want none", err)
	}
	sub, err := s.Subscribe(t.Context(), sessions.SubscribeOptions{})
	if err != nil {
		t.Fatalf("Subscribe: got error %v, want none", err)
	}
	t.Cleanup(sub.Close)
	list := sessions.ConversationsOf(s)
	if _, err := list.List(t.Context(), sessions.ConversationQuery{}); err != nil {
		t.Fatalf("List: got error %v, want none", err)
	}
	return list
}

// unread waits until so many messages of a conversation are unread, exactly, and the last one is this.
func unread(t *testing.T, list sessions.Conversations, jid string, want int, body string) *perch.Conversation {
	t.Helper()
	var c *perch.Conversation
	testkit.Eventually(t, 20*time.Second, func() (err error) {
		if c, err = list.Get(t.Context(), perch.JID(jid)); err != nil {
			return err
		}
		if c.Unread != want || !c.UnreadExact || c.LastMessage == nil || c.LastMessage.Body != body {
			return fmt.Errorf("%d unread, exact %v, the last message %+v; want %d, true, %s", c.Unread, c.UnreadExact, c.LastMessage, want, body)
		}
		return nil
	})
	return c
}

// moveMarker is what another client does that has read a conversation (XEP-0490).
func moveMarker(t *testing.T, phone *testkit.Peer, account, conversation, stanzaID string) {
	t.Helper()
	phone.Raw(t, fmt.Sprintf("<iq xmlns='jabber:client' type='set' id='mds'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:mds:displayed:0'>"+
		"<item id='%s'><displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='%s' id='%s'/></displayed></item></publish></pubsub></iq>",
		html.EscapeString(conversation), html.EscapeString(account), html.EscapeString(stanzaID)))
}

// TestUnreadOfTwoDevices: what is unread is exact when another device moves its marker, when another node
// takes the session over, and on a device that has nothing but the archive; and the other way, what
// is read here is known there.
func TestUnreadOfTwoDevices(t *testing.T) {
	for _, l := range onEach() {
		t.Run(l.name, func(t *testing.T) {
			s := l.server(t)
			alice, bob := s.NewUserAt(t, "alice", l.domainOn(s)), s.NewUserAt(t, "bob", l.domainOn(s))
			redis := testkit.Redis(t, testkit.RedisOptions{})
			first := newChatNode(t, l, s, "a", chatStore(t, redis))
			list := first.signIn(t, l, alice)
			peer, phone := s.SlixmppFor(t, bob), s.SlixmppFor(t, alice)
			phone.Presence(t, "", "")
			say := func(n int, unreadThen int) *perch.Conversation {
				peer.Message(t, alice.JID, fmt.Sprint("message ", n))
				return unread(t, list, bob.JID, unreadThen, fmt.Sprint("message ", n))
			}
			read := say(1, 1) // by the id of this one the node of positions comes to be
			if _, err := list.Read(t.Context(), perch.JID(bob.JID), refOf(t, read), true); err != nil {
				t.Fatalf("Read: got error %v, want none", err)
			}
			unread(t, list, bob.JID, 0, "message 1")
			testkit.Eventually(t, 20*time.Second, func() error { return published(t, l, s, alice, bob, 0, "message 1") })
			second := say(2, 1)
			third := refOf(t, say(3, 2))
			say(4, 3)
			moveMarker(t, phone, alice.JID, bob.JID, second.LastMessage.StanzaID)
			unread(t, list, bob.JID, 2, "message 4")

			first.close(t)
			other := newChatNode(t, l, s, "b", chatStore(t, redis))
			list = other.signIn(t, l, alice)
			unread(t, list, bob.JID, 2, "message 4")
			say(5, 3)
			if r, err := list.Read(t.Context(), perch.JID(bob.JID), third, true); err != nil || r.Unread != 2 {
				t.Fatalf("Read: got %+v, error %v; want 2 unread, none", r, err)
			}
			testkit.Eventually(t, 20*time.Second, func() error { return published(t, l, s, alice, bob, 2, "message 5") })
		})
	}
}

func chatStore(t *testing.T, redis *testkit.RedisServer) sessions.Store {
	t.Helper()
	store, err := cache.NewRedis(t.Context(), cache.RedisOptions{URL: redis.URL()})
	if err != nil {
		t.Fatalf("cache.NewRedis: got error %v, want none", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = store.Close(ctx)
	})
	return store
}

func refOf(t *testing.T, c *perch.Conversation) perch.Ref {
	t.Helper()
	ref, err := perch.ParseRef(c.LastMessage.Ref)
	if err != nil {
		t.Fatalf("ParseRef(%q): got error %v, want none", c.LastMessage.Ref, err)
	}
	return ref
}

// published says what a device that signs in now finds otherwise than it should.
func published(t *testing.T, l login, s *testkit.Server, alice, bob testkit.User, want int, body string) error {
	t.Helper()
	n := newChatNode(t, l, s, "c", cache.NewMemory(cache.MemoryOptions{}))
	defer n.close(t)
	c, err := n.signIn(t, l, alice).Get(t.Context(), perch.JID(bob.JID))
	if err != nil {
		return err
	}
	if c.Unread != want || !c.UnreadExact || c.LastMessage == nil || c.LastMessage.Body != body {
		return fmt.Errorf("a new device finds %d unread, exact %v, and the last message %+v; want %d, true, %s", c.Unread, c.UnreadExact, c.LastMessage, want, body)
	}
	return nil
}
