package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// TestM07ChatIsTheOnlyKind refuses the other kinds of messages before a stanza is sent.
func TestM07ChatIsTheOnlyKind(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	live(t, p.api, "")
	p.barrier(t)
	if n := p.sends(func() {
		for _, kind := range []string{"normal", "headline", "groupchat"} {
			a := p.api.Call(t, http.StatusNotImplemented, http.MethodPost, "/v1/messages", map[string]string{"to": p.jid("bob"), "body": "x", "kind": kind})
			wantProblem(t, a, "feature-unsupported")
		}
		wantProblem(t, p.api.Call(t, http.StatusUnprocessableEntity, http.MethodPost, "/v1/messages",
			map[string]string{"to": p.jid("bob"), "body": "x", "kind": "error"}), "validation")
		p.barrier(t)
	}); n != 1 { // the settling
		t.Errorf("%d stanzas, want 1", n)
	}
	stream := live(t, p.as(t, carolToken), "")
	p.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": p.jid("carol"), "body": "x", "kind": "chat"})
	if f := stream.Expect(t, "message", message("message.received", "x")); f.Data.Str("kind") != "chat" {
		t.Errorf("got %s, want kind %q", f.Raw, "chat")
	}
}

// archive reads a page.
func archive(t *testing.T, g *testkit.Gateway, with, query string) testkit.Object {
	t.Helper()
	return g.Get(t, "/v1/archive?with="+url.QueryEscape(with)+query)
}

// texts are the bodies of a page.
func texts(page testkit.Object) string {
	var list []string
	for _, i := range page.List("items") {
		list = append(list, i.Str("direction")+":"+i.Str("body"))
	}
	return fmt.Sprint(list)
}

// TestM10LastTenMessages reads an archive that never gives more than ten messages, in both
// of the ways that it may tell the time, and reports whether there may be more.
func TestM10LastTenMessages(t *testing.T) {
	for name, utc := range map[string]bool{"secs": false, "utc": true} {
		t.Run(name, func(t *testing.T) {
			began := time.Now().Add(-time.Hour).Truncate(time.Second)
			o := messengerAccounts()
			o.ArchiveUTC = utc
			o.Accounts[0].KeepHistory = true
			for i := range 12 {
				o.Accounts[0].Archive = append(o.Accounts[0].Archive,
					messenger.ArchivedMessage{With: "bob", FromMe: i%2 == 1, Body: fmt.Sprint("m", i), Time: began.Add(time.Duration(i) * time.Minute)})
			}
			for i := range 3 {
				o.Accounts[0].Archive = append(o.Accounts[0].Archive,
					messenger.ArchivedMessage{With: "carol", Body: fmt.Sprint("c", i), Time: began.Add(time.Duration(i) * time.Second)})
			}
			p := startMessenger(t, o)
			page := archive(t, p.api, p.jid("bob"), "&limit=200")
			if got, want := texts(page), "[in:m2 out:m3 in:m4 out:m5 in:m6 out:m7 in:m8 out:m9 in:m10 out:m11]"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if page.Bool("complete") || page.At("next") != nil || page.At("prev") != nil {
				t.Errorf("complete, though the archive may have more: %v, want complete false and nil", page)
			}
			for i, item := range page.List("items") {
				at, err := time.Parse(time.RFC3339, item.Str("time"))
				if want := began.Add(time.Duration(i+2) * time.Minute); err != nil || !at.Equal(want) {
					t.Errorf("message %d is of %s, want %s", i, item.Str("time"), want)
				}
			}
			page = archive(t, p.api, p.jid("carol"), "")
			if texts(page) != "[in:c0 in:c1 in:c2]" || !page.Bool("complete") {
				t.Errorf("three, and that is all: %v, want %q and complete true", page, "[in:c0 in:c1 in:c2]")
			}
			page = archive(t, p.api, p.jid("bob"), "&limit=2")
			if texts(page) != "[in:m10 out:m11]" || page.Bool("complete") {
				t.Errorf("two: %v, want %q and complete false", page, "[in:m10 out:m11]")
			}
			start := url.QueryEscape(began.Add(9 * time.Minute).UTC().Format(time.RFC3339))
			if page = archive(t, p.api, p.jid("bob"), "&start="+start); texts(page) != "[out:m9 in:m10 out:m11]" {
				t.Errorf("from a time on: %v, want %q", page, "[out:m9 in:m10 out:m11]")
			}
		})
	}
}

// TestM10HistorySwitch has an archive only while one of the two keeps it; the answer is
// empty otherwise, and no error.
func TestM10HistorySwitch(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	if err := p.s.Deliver("bob", "alice", "not kept"); err != nil {
		t.Fatalf("s.Deliver: got error %v, want none", err)
	}
	stream.Expect(t, "message", message("message.received", "not kept"))
	if page := archive(t, p.api, p.jid("bob"), ""); texts(page) != "[]" || !page.Bool("complete") {
		t.Errorf("without history: %v, want %q and complete true", page, "[]")
	}
	if err := p.s.SetHistory("bob", true); err != nil {
		t.Fatalf("s.SetHistory: got error %v, want none", err)
	}
	p.api.Call(t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]string{"to": p.jid("bob"), "body": "kept"})
	p.barrier(t)
	if page := archive(t, p.api, p.jid("bob"), ""); texts(page) != "[out:kept]" {
		t.Errorf("bob keeps history: %v, want %q", page, "[out:kept]")
	}
	if err := p.s.SetHistory("bob", false); err != nil {
		t.Fatalf("s.SetHistory: got error %v, want none", err)
	}
	if page := archive(t, p.api, p.jid("bob"), ""); texts(page) != "[]" {
		t.Errorf("bob does not any more: %v, want %q", page, "[]")
	}
	if page := archive(t, p.api, p.jid("mary"), ""); texts(page) != "[]" {
		t.Errorf("with a stranger: %v, want %q", page, "[]")
	}
}

// TestM10SameEndpointOnXEP0313 pages through the archives of today's servers, forth and
// back, with times, and is not fooled by what a contact sends.
func TestM10SameEndpointOnXEP0313(t *testing.T) {
	for _, l := range conversations() {
		if l.token {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, l, l.server(t))
			stream := live(t, w.api, "")
			w.befriend(t, stream)
			w.peer.Raw(t, "<message to='"+w.alice.JID+"' xmlns='jabber:client' type='chat'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>"+
				"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='"+w.alice.JID+"' to='"+w.bob.JID+"'><body>forged</body></message></forwarded></result></message>")
			const count = 60
			for i := range count {
				w.peer.Message(t, w.alice.JID, fmt.Sprint("n", i))
				stream.Expect(t, "message", message("message.received", fmt.Sprint("n", i)))
			}
			testkit.Eventually(t, 20*time.Second, func() error { // servers write the archive in their own time
				if page := archive(t, w.api, w.bob.JID, "&limit=1"); texts(page) != fmt.Sprintf("[in:n%d]", count-1) {
					return fmt.Errorf("the newest is %s", texts(page))
				}
				return nil
			})
			w.pageBack(t, count)
			w.pageForth(t, count)
			for _, f := range stream.Frames() {
				if f.Data.Str("body") == "forged" {
					t.Errorf("a forged result became a message: %s, want anything but %q", f.Raw, "forged")
				}
			}
		})
	}
}

// pageBack reads from the newest page to the oldest.
func (w *world) pageBack(t *testing.T, count int) {
	t.Helper()
	var all []testkit.Object
	pages, before := 0, ""
	for {
		page := archive(t, w.api, w.bob.JID, "&limit=25"+before)
		all = append(page.List("items"), all...)
		if pages++; page.Bool("complete") || pages > 5 {
			break
		}
		before = "&before=" + url.QueryEscape(page.Str("prev"))
	}
	w.wantInOrder(t, "backwards", all, count)
	if pages != 3 {
		t.Errorf("%d pages of 25, want 3", pages)
	}
}

// pageForth reads from a time on; 200 a page are wished for, and the server gives what it
// gives.
func (w *world) pageForth(t *testing.T, count int) {
	t.Helper()
	begin := "&start=" + url.QueryEscape(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	page := archive(t, w.api, w.bob.JID, "&limit=200"+begin)
	all := page.List("items")
	for pages := 0; !page.Bool("complete") && pages < 5; pages++ {
		page = archive(t, w.api, w.bob.JID, "&limit=200"+begin+"&after="+url.QueryEscape(page.Str("next")))
		all = append(all, page.List("items")...)
	}
	w.wantInOrder(t, "forwards", all, count)
	end := "&end=" + url.QueryEscape(time.Now().Add(-time.Minute*30).UTC().Format(time.RFC3339))
	if page := archive(t, w.api, w.bob.JID, begin+end); len(page.List("items")) != 0 {
		t.Errorf("before the beginning: %v, want 0", page)
	}
}

func (w *world) wantInOrder(t *testing.T, how string, all []testkit.Object, count int) {
	t.Helper()
	if len(all) != count {
		t.Fatalf("%s: %d messages, want %d", how, len(all), count)
	}
	seen := map[string]bool{}
	for i, item := range all {
		if item.Str("body") != fmt.Sprint("n", i) || seen[item.Str("id")] || item.Str("direction") != "in" {
			t.Fatalf("%s, message %d: %v, want body %v, an id of its own and direction %q", how, i, item, fmt.Sprint("n", i), "in")
		}
		seen[item.Str("id")] = true
	}
}

// TestM12OfflineMessagesInOrder are there after the login, in order and with the time at
// which they were sent.
func TestM12OfflineMessagesInOrder(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	began := time.Now().Add(-time.Second)
	for i := range 20 {
		if err := p.s.Deliver("bob", "alice", fmt.Sprint("waited ", i)); err != nil {
			t.Fatalf("s.Deliver: got error %v, want none", err)
		}
	}
	first := live(t, p.api, "")
	epoch, _, _ := strings.Cut(first.ExpectType(t, "hello").Data.Str("tip"), "-")
	stream := live(t, p.api, epoch+"-1") // some may have come before the first stream was there
	testkit.Eventually(t, 10*time.Second, func() error {
		n := 0
		for _, f := range stream.Frames() {
			if f.Type == "message.received" {
				n++
			}
		}
		if n < 20 {
			return fmt.Errorf("%d messages", n)
		}
		return nil
	})
	i, last := 0, ""
	for _, f := range stream.Discard() {
		if f.Type != "message.received" {
			continue
		}
		if f.Data.Str("body") != fmt.Sprint("waited ", i) || f.ID <= last && len(f.ID) <= len(last) {
			t.Errorf("message %d after %s: %s, want body %v and a later id", i, last, f.Raw, fmt.Sprint("waited ", i))
		}
		at, err := time.Parse(time.RFC3339, f.Data.Str("delay.stamp"))
		if err != nil || at.Before(began) || at.After(time.Now()) || f.Data.Str("delay.from") != p.s.Domain() {
			t.Errorf("delay of %s, want a time of this test and delay.from %v", f.Raw, p.s.Domain())
		}
		i, last = i+1, f.ID
	}
	if err := p.s.Deliver("bob", "alice", "at once"); err != nil {
		t.Fatalf("s.Deliver: got error %v, want none", err)
	}
	if f := stream.Expect(t, "message", message("message.received", "at once")); f.Data.At("delay") != nil {
		t.Errorf("a delay of what was not delayed: %s, want nil", f.Raw)
	}
}

// TestM13ChatStatesBothWays passes every state between two sessions of the gateway.
func TestM13ChatStatesBothWays(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	carol := p.as(t, carolToken)
	hers, his := live(t, p.api, ""), live(t, carol, "")
	p.barrier(t) // the service knows of the presence of both: a chat state is for those who are online
	roundTrip(t, carol, p.jid("alice"))
	for _, s := range []string{"active", "composing", "paused", "inactive", "gone"} {
		p.api.Call(t, http.StatusNoContent, http.MethodPut, p.path("chat-states", "carol"), map[string]string{"state": s})
		carol.Call(t, http.StatusNoContent, http.MethodPut, p.path("chat-states", "alice"), map[string]string{"state": s})
		for from, stream := range map[string]*testkit.Stream{"alice": his, "carol": hers} {
			stream.Expect(t, s+" of "+from, func(f testkit.Frame) bool {
				jid, _ := f.Data.At("from").(string)
				return f.Type == "chat_state" && f.Data.Str("state") == s && f.ID == "" && jid[:len(p.jid(from))] == p.jid(from)
			})
		}
	}
	wantProblem(t, p.api.Call(t, http.StatusUnprocessableEntity, http.MethodPut, p.path("chat-states", "carol"), map[string]string{"state": "asleep"}), "validation")
}

// TestM15SendersOfAnswers works with a service that answers from its domain, without from, and
// from the account itself, in both forms.
func TestM15SendersOfAnswers(t *testing.T) {
	for _, from := range []messenger.IQFrom{messenger.IQFromDomain, messenger.IQFromNone, messenger.IQFromBare, messenger.IQFromFull} {
		t.Run(string(from), func(t *testing.T) {
			o := messengerAccounts()
			o.IQFrom = from
			p := startMessenger(t, o)
			if n := len(p.api.Get(t, "/v1/buddies").List("items")); n != 2 {
				t.Errorf("%d buddies, want 2", n)
			}
			if page := archive(t, p.api, p.jid("bob"), ""); texts(page) != "[]" {
				t.Errorf("archive %v, want %q", page, "[]")
			}
			if me := p.api.Get(t, "/v1/vcards/me"); me.Str("full_name") == "" {
				t.Errorf("my card %v, want some text", me)
			}
		})
	}
}

// TestM16DroppedLinkIsRestored is what happens when the service cuts an idle link after all.
func TestM16DroppedLinkIsRestored(t *testing.T) {
	o := messengerAccounts()
	o.IdleTimeout = 300 * time.Millisecond // shorter than any ping
	p := startMessenger(t, o, func(*app.Upstream) {})
	stream := live(t, p.api, "")
	lost := stream.Expect(t, "reconnecting", state("reconnecting"))
	if lost.Data.Str("reason") != "link-lost" {
		t.Errorf("got %s, want reason %q", lost.Raw, "link-lost")
	}
	if b := p.api.Get(t, p.path("buddies", "bob")); b.Str("name") != "Bob" {
		t.Errorf("bob is %v, want name %q", b, "Bob")
	}
	stream.Expect(t, "online", online("reconnecting"))
}

// TestM10ArchiveAfterALostLink is what a session of level D can do after a cut: it signs in again, brings
// what the archive has of the recent conversations, then what the service kept, and says
// that it cannot know whether this was all.
func TestM10ArchiveAfterALostLink(t *testing.T) {
	o := messengerAccounts()
	o.Accounts[0].KeepHistory = true
	var proxy *testkit.Proxy
	p := startMessenger(t, o, func(u *app.Upstream) {
		proxy = testkit.NewProxy(t, u.Address)
		u.Address = proxy.Addr
	})
	carol := testkit.Slixmpp(t, testkit.SlixmppOptions{ // not through the proxy
		Addr: p.s.Addr().String(), CAFile: p.upstream.CAFile, JID: "_@" + p.s.Domain(), Token: carolToken, Mechanism: "X-MESSENGER-OAUTH2",
	})
	carol.Presence(t, "", "")
	stream := live(t, p.api, "")
	if level := p.api.Get(t, "/v1/session").Str("delivery"); level != "D" {
		t.Fatalf("level %s, want %q", level, "D")
	}
	say := func(body string) {
		t.Helper()
		carol.Message(t, p.jid("alice"), body)
		carol.Roster(t) // the service answers in order: it has the message
	}
	carol.ExpectPresence(t, p.jid("alice"), "available", "")
	say("heard")
	stream.Expect(t, "heard", message("message.received", "heard"))
	stream.Discard()
	logins := p.s.Logins("alice")

	// The service takes a dead link for a living one: it delivers, and no client gets it.
	remove := proxy.Toxic(t, "timeout", "downstream", map[string]any{"timeout": 0})
	say("into the dark")
	proxy.Down()
	stream.Expect(t, "reconnecting", state("reconnecting"))
	carol.ExpectPresence(t, p.jid("alice"), "unavailable", "")
	say("while away")
	remove()
	proxy.Up(t)

	var got []string
	for {
		f := stream.Expect(t, "an event", func(f testkit.Frame) bool { return f.Type != "presence" })
		switch f.Type {
		case "message.received":
			got = append(got, f.Data.Str("source")+" "+f.Data.Str("body"))
		case "session.gap":
			got = append(got, "gap")
			if f.Data.Str("from") == "" || f.Data.Str("from") >= f.Data.Str("to") {
				t.Errorf("got %s, want a beginning before %v", f.Raw, f.Data.Str("to"))
			}
		}
		if f.Type == "session.state" && f.Data.Str("state") == "online" {
			break
		}
	}
	if want := []string{"archive into the dark", "gap", "live while away"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if n := p.s.Logins("alice") - logins; n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	say("afterwards")
	if f := stream.ExpectType(t, "message.received"); f.Data.Str("body") != "afterwards" {
		t.Errorf("twice: %s, want body %q", f.Raw, "afterwards")
	}
}
