package xmppserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/xmppserver"
)

// town is a directory of ann, ben and cat, each with one interested resource whose stanzas are kept.
type town struct {
	*xmppserver.Directory
	sent map[string][]string
	res  map[string]*xmppserver.Resource
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{xmppserver.NewDirectory("test"), map[string][]string{}, map[string]*xmppserver.Resource{}}
	w.OfflineMax = 2
	for _, name := range []string{"ann", "ben", "cat"} {
		a := &xmppserver.Account{Local: name, Bare: name + "@test", Nick: strings.ToUpper(name)}
		if !w.Add(a) {
			t.Fatalf("Add(%s): got false, want true", name)
		}
		r := &xmppserver.Resource{Account: a, Name: "r", Full: a.Bare + "/r", Interested: true}
		r.Send = func(b []byte) { w.sent[name] = append(w.sent[name], string(b)) }
		a.Bind(r)
		w.res[name] = r
	}
	return w
}

// at is the address of an account, or of nobody here.
func (w *town) at(name string) xmppserver.Address {
	at, _ := w.Resolve(name + "@test")
	return at
}

// online makes resources available, and forgets what was sent.
func (w *town) online(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, condition := w.Available(w.res[name], xmppserver.NewElement(xmppserver.NSClient, "presence")); condition != "" {
			t.Fatalf("Available(%s): got %q, want none", name, condition)
		}
	}
	clear(w.sent)
}

// subscription is how a sees b: the roster item, with what is asked.
func (w *town) subscription(a, b string) string {
	k := w.res[a].Account.Contact(b + "@test")
	if k == nil {
		return "absent"
	}
	state := k.Subscription().String()
	if k.Ask {
		state += " asked"
	}
	return state
}

// TestSubscriptionStates walks RFC 6121, 3 and appendix A as ann and ben see each other.
func TestSubscriptionStates(t *testing.T) {
	w := newTown(t)
	w.online(t, "ann", "ben")
	ann, ben := w.res["ann"].Account, w.res["ben"].Account
	for _, step := range []struct {
		name     string
		do       func()
		ann, ben string // how each sees the other
	}{
		{"ann asks", func() { w.Subscribe(ann, w.at("ben"), "", "hello") }, "none asked", "absent"},
		{"ann takes it back", func() { w.Unsubscribe(ann, w.at("ben")) }, "none", "absent"},
		{"ann asks again", func() { w.Subscribe(ann, w.at("ben"), "", "") }, "none asked", "absent"},
		{"ben declines", func() { w.Unsubscribed(ben, ann) }, "none", "absent"},
		{"ann asks once more", func() { w.Subscribe(ann, w.at("ben"), "", "") }, "none asked", "absent"},
		{"ben accepts", func() { w.Accept(ben, ann) }, "to", "from"},
		{"ben asks", func() { w.Subscribe(ben, w.at("ann"), "", "") }, "to", "from asked"},
		{"ann accepts", func() { w.Accept(ann, ben) }, "both", "both"},
		{"ann cancels", func() { w.Unsubscribed(ann, ben) }, "to", "from"},
		{"ann ends its own", func() { w.Unsubscribe(ann, w.at("ben")) }, "none", "none"},
		{"accepting nothing", func() { w.Accept(ann, ben) }, "none", "none"},
		{"ben removes ann", func() { w.RemoveContact(ben, "ann@test") }, "none", "absent"},
	} {
		step.do()
		if a, b := w.subscription("ann", "ben"), w.subscription("ben", "ann"); a != step.ann || b != step.ben {
			t.Errorf("%s: got ann %q and ben %q, want %q and %q", step.name, a, b, step.ann, step.ben)
		}
	}
}

// TestPresenceFollowsSubscriptions: who may see whom is told at once when that begins and when it ends.
func TestPresenceFollowsSubscriptions(t *testing.T) {
	w := newTown(t)
	w.online(t, "ann", "ben", "cat")
	ann, ben := w.res["ann"].Account, w.res["ben"].Account
	w.Subscribe(ann, w.at("ben"), "", "")
	w.Accept(ben, ann)
	if got := presences(w.sent["ann"]); !slices.Equal(got, []string{"subscribed ben@test", "available ben@test/r"}) {
		t.Errorf("ann got %v, want that ben has accepted, and his presence", got)
	}
	clear(w.sent)
	w.RemoveContact(ann, "ben@test")
	if got := presences(w.sent["ann"]); !slices.Equal(got, []string{"unavailable ben@test/r"}) {
		t.Errorf("ann got %v, want that ben is unavailable to her", got)
	}
	if got := presences(w.sent["ben"]); !slices.Equal(got, []string{"unsubscribe ann@test"}) {
		t.Errorf("ben got %v, want that ann has unsubscribed", got)
	}
	if len(w.sent["cat"]) != 0 {
		t.Errorf("cat got %v, want nothing", w.sent["cat"])
	}
}

// presences are type and sender of those among stanzas.
func presences(stanzas []string) []string {
	var list []string
	for _, s := range stanzas {
		if !strings.HasPrefix(s, "<presence") {
			continue
		}
		kind := "available"
		if v := attr(s, "type"); v != "" {
			kind = v
		}
		list = append(list, kind+" "+attr(s, "from"))
	}
	return list
}

func attr(stanza, name string) string {
	tag, _, _ := strings.Cut(stanza, ">")
	_, v, _ := strings.Cut(tag, " "+name+"='")
	v, _, _ = strings.Cut(v, "'")
	return v
}

// TestTargets: RFC 6121, 8.5.
func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		priorities string // of resources a, b, c: "-" is not available
		resource   string
		want       string
	}{
		{"0 0 0", "", "a b c"}, {"1 5 5", "", "b c"}, {"-1 -1 -1", "", ""}, {"- - -", "", ""},
		{"- 0 3", "a", "a"}, {"-1 0 3", "a", "a"}, {"1 2 3", "gone", "c"},
	} {
		a := &xmppserver.Account{Local: "x", Bare: "x@test"}
		for i, p := range strings.Fields(tt.priorities) {
			r := &xmppserver.Resource{Account: a, Name: string(rune('a' + i))}
			if p != "-" {
				r.Available = true
				if _, err := fmt.Sscan(p, &r.Priority); err != nil {
					t.Fatalf("%q: got error %v, want none", p, err)
				}
			}
			a.Bind(r)
		}
		var got []string
		for _, r := range a.Targets(tt.resource) {
			got = append(got, r.Name)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("priorities %s, resource %q: got %q, want %q", tt.priorities, tt.resource, s, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	w := newTown(t)
	for to, want := range map[string]xmppserver.Address{
		"ann@test":     {Account: w.res["ann"].Account, Bare: "ann@test"},
		"ann@test/a/b": {Account: w.res["ann"].Account, Bare: "ann@test", Resource: "a/b"},
		"ANN@Test":     {Account: w.res["ann"].Account, Bare: "ann@test"},
		"test":         {Bare: "test", Domain: true},
		"no@test":      {Bare: "no@test"},
		"a@else":       {Bare: "a@else", Foreign: true},
	} {
		if got, ok := w.Resolve(to); !ok || got != want {
			t.Errorf("Resolve(%q): got %+v %v, want %+v", to, got, ok, want)
		}
	}
	if got, ok := w.Resolve("a@@b"); ok {
		t.Errorf("Resolve(a@@b): got %+v, want that it is no address", got)
	}
}

// TestOfflineStore keeps its order and its bound, and every message once.
func TestOfflineStore(t *testing.T) {
	w := newTown(t)
	ann := w.res["ann"].Account
	for i, want := range []bool{true, true, false} {
		if got := w.Store(ann, fmt.Appendf(nil, "<message id='%d'>", i)); got != want {
			t.Errorf("message %d: got %v, want %v", i, got, want)
		}
	}
	w.res["ann"].FlushOffline()
	w.res["ann"].FlushOffline()
	got := w.sent["ann"]
	if len(got) != 2 || attr(got[0], "id") != "0" || attr(got[1], "id") != "1" || !strings.Contains(got[0], "Offline storage") {
		t.Errorf("got %v, want the two that there was room for, in order", got)
	}
}

// TestPresenceIsChecked: what others would stumble over is refused.
func TestPresenceIsChecked(t *testing.T) {
	w := newTown(t)
	text := func(name, value string) *xmppserver.Element {
		return xmppserver.NewElement(xmppserver.NSClient, "presence",
			xmppserver.Node{El: xmppserver.NewElement(xmppserver.NSClient, name, xmppserver.Node{Text: value})})
	}
	for _, tt := range []struct{ name, value, want string }{
		{"priority", " 127 ", ""}, {"priority", "128", "bad-request"}, {"priority", "x", "bad-request"},
		{"show", "dnd", ""}, {"show", "busy", "bad-request"},
	} {
		if _, got := w.Available(w.res["ann"], text(tt.name, tt.value)); got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}
