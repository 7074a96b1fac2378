package today_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

// TestAddAccount adds a bot while its contact is online, who has it in the roster and sees it at once.
func TestAddAccount(t *testing.T) {
	o := world()
	o.Rooms = []today.Room{{Local: "tea"}}
	s := start(t, o)
	ann := online(t, s, "ann", "desk")
	for want, a := range map[string]today.Account{
		`contact "nobody"`: {Local: "dora", Contacts: []today.Contact{{Local: "ann"}, {Local: "nobody"}}},
		"Bookmarks: there": {Local: "dora", Bookmarks: []string{"coffee"}},
		"Bot.Rooms: there": {Local: "dora", Bot: &today.Bot{Rooms: []string{"coffee"}}},
		`"ann": Local`:     {Local: "ann", Contacts: []today.Contact{{Local: "cat"}}},
	} {
		if err := s.AddAccount(a); err == nil || !strings.Contains(err.Error(), want) || s.JID("dora") != "" {
			t.Errorf("got error %v and the JID %q, want one with %s and no account", err, s.JID("dora"), want)
		}
	}
	if got := ann.Sync(); len(got) != 0 {
		t.Errorf("ann sees %v of what was refused, want nothing", got)
	}
	err := s.AddAccount(today.Account{
		Local: "dora", Password: canary.Mark + "dora", Nickname: "Dora", Contacts: []today.Contact{{Local: "ann"}}, Bookmarks: []string{"tea"},
		Bot: &today.Bot{Presence: perch.OwnPresence{Available: true, Status: "new"}, Rooms: []string{"tea"}},
	})
	if err != nil {
		t.Fatalf("AddAccount: got error %v, want none", err)
	}
	item := ann.Find("the push", named("iq")).At("query", "item")
	if item.Get("jid") != at("dora") || item.Get("subscription") != "both" || item.Get("name") != "Dora" {
		t.Errorf("got the item %v, want dora in both directions", item)
	}
	if n := ann.Find("the presence of dora", named("presence")); n.At("status").Text != "new" || n.Get("from") != at("dora")+"/bot" {
		t.Errorf("got %v, want the presence of the bot", n)
	}
	tea := "tea@rooms." + s.Domain()
	items := ann.IQ("get", tea, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	if items.Get("type") != "result" {
		t.Errorf("got %v, want the room", items)
	}
	ann.Send("<presence to='%s/Ann'><x xmlns='http://jabber.org/protocol/muc'/></presence>", tea)
	ann.Find("dora in the room", func(n xmpptest.Node) bool { return n.Get("from") == tea+"/Dora" })
	dora := signIn(t, s, "dora", "desk")
	n := dora.IQ("get", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
	if got := n.At("pubsub", "items", "item"); got.Get("id") != tea || got.At("conference").Get("autojoin") != "true" {
		t.Errorf("got the bookmark %v, want %s", got, tea)
	}
}

// TestFailedStart: a service whose start has failed can be stopped, and is not started again.
func TestFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("net.Listen: got error %v, want none", err)
	}
	defer taken.Close()
	s, err := today.New(today.Options{ListenHTTP: taken.Addr().String(), Logger: canary.Logger()})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("Start on an address that is taken: got no error, want one")
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "make a new one") {
		t.Errorf("the second Start: got error %v, want one that says what to do", err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Errorf("Stop: got error %v, want none", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Stop does not end, want it to")
	}
}
