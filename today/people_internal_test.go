package today

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// stage is a demo in which ada has a session without a connection.
type stage struct {
	s   *Service
	ada *session
	got []*xmppserver.Element
}

// play runs a demo in a bubble.
func play(t *testing.T, f func(t *testing.T, g *stage)) {
	synctest.Test(t, func(t *testing.T) {
		o := Demo()
		o.ListenHTTP = Off
		s, err := New(o)
		if err != nil {
			t.Fatalf("New(Demo()): got error %v, want none", err)
		}
		g := &stage{s: s}
		g.ada = s.play(s.accounts["ada"], "x", func(b []byte) {
			e, err := xmppserver.Parse(b)
			if err != nil {
				t.Errorf("got %v of %s, want XML", err, b)
				return
			}
			g.got = append(g.got, e)
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.later.Run(ctx, &s.mu); close(done) }()
		f(t, g)
		cancel()
		<-done
		s.stop()
	})
}

// send is what ada sends.
func (g *stage) send(format string, args ...any) {
	e, _ := xmppserver.Parse(fmt.Appendf(nil, format, args...))
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	switch e.Name.Local {
	case "message":
		g.s.message(g.ada, e)
	case "presence":
		g.s.presence(g.ada, e)
	default:
		g.s.iq(g.ada, e)
	}
}

// after waits, and returns what came: the names of payloads, and texts.
func (g *stage) after(d time.Duration) (list []string) {
	time.Sleep(d)
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	for _, e := range g.got {
		if e.Name.Local != "message" {
			continue
		}
		said := e.Child(xmppserver.NSClient, "body").Text()
		for _, k := range e.Elements() {
			if slices.Contains([]string{"composing", "displayed", "received", "replace", "reactions"}, k.Name.Local) {
				said = strings.TrimSpace(k.Name.Local + " " + said + k.Child(nsReactions, "reaction").Text())
			}
		}
		list = append(list, said)
	}
	g.got = nil
	return list
}

// TestBuddy: it has got and read what one writes, types, answers, reacts, and corrects its answer.
func TestBuddy(t *testing.T) {
	play(t, func(t *testing.T, g *stage) {
		g.send("<presence/>")
		g.after(time.Second)
		g.send("<message to='buddy@%s' type='chat' id='m1'><body>tea</body><request xmlns='%s'/><markable xmlns='%s'/></message>", DefaultDomain, nsReceipts, nsMarkers)
		want := []string{"received", "displayed", "composing", "You say: tea", "reactions 👍", "replace You said: tea"}
		if got := g.after(10 * time.Second); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for range 10 * maxBotAnswers {
			g.send("<message to='buddy@%s' type='chat' id='m1'><body>tea</body></message>", DefaultDomain)
		}
		doing := func() int {
			g.s.mu.Lock()
			defer g.s.mu.Unlock()
			return g.s.accounts["buddy"].bot.doing
		}
		if n := doing(); n > maxBotAnswers+5 {
			t.Errorf("got %d answers that are not finished, want about %d", n, maxBotAnswers)
		}
		g.after(10 * time.Second)
		if n := doing(); n != 0 {
			t.Errorf("got %d answers that are not finished at the end, want none", n)
		}
		g.send("<iq type='get' id='d' to='buddy@%s/bot'><query xmlns='%s'/></iq>", DefaultDomain, xmppserver.NSInfo)
		g.send("<iq type='get' id='v' to='buddy@%s/bot'><query xmlns='jabber:iq:version'/></iq>", DefaultDomain)
		time.Sleep(time.Second)
		g.s.mu.Lock()
		defer g.s.mu.Unlock()
		for i, want := range []string{"result", "error"} {
			if got := g.got[len(g.got)-2+i].Get("type"); got != want {
				t.Errorf("request %d: got %s, want %s", i, got, want)
			}
		}
	})
}

// TestLounge: bots talk while somebody is there and a while longer, answer to their names, and say nothing
// to an empty room.
func TestLounge(t *testing.T) {
	play(t, func(t *testing.T, g *stage) {
		room := "lounge@" + roomsHost + DefaultDomain
		said := func() int {
			g.s.mu.Lock()
			defer g.s.mu.Unlock()
			return len(g.s.rooms.list[room].archive.list)
		}
		before := said()
		g.after(time.Hour + time.Second) // no line is due at the join
		if n := said(); n != before {
			t.Errorf("an empty room: got %d messages more, want none", n-before)
		}
		g.send("<presence to='%s/Ada'><x xmlns='%s'/></presence>", room, nsMUC)
		if got := g.after(0); len(got) != before+1 { // and the subject; without HTTP there are no pictures
			t.Errorf("got %d messages at the join, want %d", len(got), before+1)
		}
		got := g.after(3 * time.Minute)
		if len(got) < 8 || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "replace ") }) || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "reactions ") }) {
			t.Errorf("got %q, want the lines with a correction and a reaction", got)
		}
		g.send("<message to='%s' type='groupchat' id='a1'><body>hello buddy</body></message>", room)
		if got := g.after(10 * time.Second); !slices.Contains(got, "Ada: Hello! Ask me something, or write anything.") {
			t.Errorf("got %q, want an answer of Buddy", got)
		}
		g.send("<presence to='%s/Ada' type='unavailable'/>", room)
		before = said()
		g.after(silence + time.Minute)
		talked := said() - before
		before = said()
		g.after(time.Hour)
		if n := said() - before; talked == 0 || n != 0 {
			t.Errorf("got %d lines in the first minutes and %d in the next hour, want some and none", talked, n)
		}
	})
}

// TestDemoIsTheSameAtEachStart: a client that has kept what it has seen does not see it twice.
func TestDemoIsTheSameAtEachStart(t *testing.T) {
	seen := func() (list []string) {
		s, err := New(Demo())
		if err != nil {
			t.Fatalf("New(Demo()): got error %v, want none", err)
		}
		for _, a := range []*archive{&s.accounts["ada"].archive, &s.rooms.list["lounge@"+roomsHost+DefaultDomain].archive} {
			for _, m := range a.list {
				list = append(list, m.id+m.at.String()+string(m.stanza))
			}
			if len(a.list) < 5 {
				t.Errorf("got %d messages, want some", len(a.list))
			}
		}
		return list
	}
	synctest.Test(t, func(*testing.T) {
		first := seen()
		time.Sleep(20 * time.Hour)
		if got := seen(); !slices.Equal(got, first) {
			t.Errorf("got %q, want %q", got, first)
		}
	})
}

// TestPeopleOptions: what cannot be is refused, by its name.
func TestPeopleOptions(t *testing.T) {
	for want, o := range map[string]Options{
		`room "x@y"`:        {Rooms: []Room{{Local: "x@y"}}},
		`room "a": Local`:   {Rooms: []Room{{Local: "a"}, {Local: "a"}}},
		`owner "nobody"`:    {Rooms: []Room{{Local: "a", Owners: []string{"nobody"}}}},
		`message "1" from`:  {Rooms: []Room{{Local: "a", Archive: []PastMessage{{ID: "1", From: "nobody"}}}}},
		`Archive: message`:  {Archive: []PastMessage{{ID: "1", From: "a", To: "b"}}},
		`Bookmarks: there`:  {Accounts: []Account{{Local: "a", Bookmarks: []string{"nowhere"}}}},
		`Domain "A.b"`:      {Domain: "A.b"},
		`Domain "a@b"`:      {Domain: "a@b"},
		`Domain "a/b"`:      {Domain: "a/b"},
		`Domain "a b"`:      {Domain: "a b"},
		`message "2" from`:  {Accounts: []Account{{Local: "a"}}, Rooms: []Room{{Local: "a", Archive: []PastMessage{{ID: "2", From: "a"}}}}},
		`message "3" from`:  {Rooms: []Room{{Local: "a", Archive: []PastMessage{{ID: "3", From: "a", Picture: []byte("x")}}}}},
		`message "4" from`:  {Accounts: []Account{{Local: "a"}}, Archive: []PastMessage{{ID: "4", From: "a", To: "b", Picture: []byte("x")}}},
		`message "5" from`:  {Accounts: []Account{{Local: "a"}}, Archive: []PastMessage{{ID: "5", From: "a", To: "a"}}},
		`"a": Tokens`:       {Accounts: []Account{{Local: "a", Tokens: []string{""}}}},
		`contact "b" is`:    {Accounts: []Account{{Local: "a", Contacts: []Contact{{Local: "b"}}}}},
		`contact "a" is`:    {Accounts: []Account{{Local: "a", Contacts: []Contact{{Local: "a"}}}}},
		`no room "nowhere"`: {Accounts: []Account{{Local: "a", Bot: &Bot{Rooms: []string{"nowhere"}}}}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %s", err, want)
		}
	}
}

// TestOptionsAreNotChanged: who makes two services of them makes the same one twice.
func TestOptionsAreNotChanged(t *testing.T) {
	groups := []string{"B", "A", "B"}
	s, err := New(Options{Accounts: []Account{{Local: "a", Contacts: []Contact{{Local: "b", Groups: groups}}}, {Local: "b"}}})
	if err != nil {
		t.Fatalf("New: got error %v, want none", err)
	}
	if want := []string{"B", "A", "B"}; !slices.Equal(groups, want) {
		t.Errorf("got the caller's groups %q, want %q", groups, want)
	}
	a := s.accounts["a"]
	if got, want := a.Contact("b@"+DefaultDomain).Groups, []string{"A", "B"}; !slices.Equal(got, want) {
		t.Errorf("got the groups %q, want %q", got, want)
	}
}
