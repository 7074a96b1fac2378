package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// blocks gives the upstream a block list.
func (w *world) blocks(jids ...perch.JID) {
	w.up.Edit(func(d *fakexmpp.Data) { d.Blocking, d.Blocked = true, jids })
}

// blockList is the list as clients read it; "+" says that there is more.
func (w *world) blockList(s *sessions.Session) (list []perch.JID) {
	w.t.Helper()
	l, err := sessions.BlockingOf(s).List(w.ctx())
	must(w.t, "List", err)
	for _, b := range l.Items {
		list = append(list, b.JID)
	}
	if !l.Complete {
		list = append(list, "+")
	}
	return list
}

func (w *world) wantBlocked(s *sessions.Session, want ...perch.JID) {
	w.t.Helper()
	if got := w.blockList(s); !slices.Equal(got, want) {
		w.t.Errorf("block list: got %q, want %q", got, want)
	}
}

// blockChanges are the events, in short.
func blockChanges(t tb, evs []event) (list []string) {
	for _, e := range evs {
		var d perch.BlockListChange
		if e.Type != perch.EventBlockedChanged {
			continue
		}
		e.into(t, &d)
		text := fmt.Sprintf("+%v -%v", d.Added, d.Removed)
		if d.All != nil {
			text += " all"
		}
		if d.Reset {
			text += " reset"
		}
		list = append(list, text)
	}
	return list
}

func wantChanges(t tb, evs []event, want ...string) {
	t.Helper()
	if got := blockChanges(t, evs); !slices.Equal(got, want) {
		t.Errorf("blocked.changed: got %q, want %q", got, want)
	}
}

// probes are the accounts whose presence the session has asked for.
func probes(c *conn) (list []perch.JID) {
	for _, out := range c.Sent() {
		if p, ok := out.(*perch.ProbeOut); ok {
			list = append(list, p.To)
		}
	}
	return list
}

// TestBlockList: the list is fetched by a login and kept, changed by every door, and read in every state.
func TestBlockList(t *testing.T) {
	inWorld(t, func(w *world) {
		w.blocks("eve@example.net", "Evil.example")
		s := w.open()
		if f := s.Info().Features; !slices.Contains(f, "blocking") {
			t.Errorf("features: got %q, want blocking among them", f)
		}
		c := w.attach(s, sessions.SubscribeOptions{})
		w.wantBlocked(s, "eve@example.net", "Evil.example")
		b := sessions.BlockingOf(s)
		must(t, "Block", b.Block(w.ctx(), bob, &perch.Report{Reason: "spam"}))
		must(t, "Block", b.Block(w.ctx(), bob, nil))
		must(t, "Unblock", b.Unblock(w.ctx(), "nobody@example.net"))
		w.deliver(&perch.BlockListIn{Added: []perch.JID{carol}}, &perch.BlockListIn{Removed: []perch.JID{"EVE@example.net"}})
		w.wantBlocked(s, bob, carol, "Evil.example")
		if e, err := b.Show(w.ctx(), "evil.example"); err != nil || e.JID != "Evil.example" {
			t.Errorf("Show: got %v, %v; want Evil.example as the server writes it", e, err)
		}
		_, err := b.Show(w.ctx(), "eve@example.net")
		kindOf(t, err, perch.KindItemNotFound)
		wantChanges(t, c.next(), "+[bob@example.net] -[]", "+[carol@example.net] -[]", "+[] -[eve@example.net]")
		must(t, "UnblockAll", b.UnblockAll(w.ctx()))
		must(t, "UnblockAll", b.UnblockAll(w.ctx()))
		wantChanges(t, c.next(), "+[] -[] all")
		w.wantBlocked(s)
		w.up.Edit(func(d *fakexmpp.Data) {
			if len(d.Reports) != 1 || d.Reports[0].Reason != "spam" {
				t.Errorf("reports: got %v, want one of spam", d.Reports)
			}
		})
		kindOf(t, b.Block(w.ctx(), alice+"/phone", nil), perch.KindValidation)

		w.deliver(&perch.BlockListIn{Added: []perch.JID{bob}})
		w.refuse(linkLost)
		w.conn().Fail(linkLost)
		w.wantBlocked(s, bob)
		kindOf(t, b.Unblock(w.ctx(), bob), perch.KindSessionOffline)
	})
}

// TestBlockListMissing: where the server has none, nothing more is asked, and everything is refused, also
// while offline; a service of chat alone is asked nothing at all.
func TestBlockListMissing(t *testing.T) {
	for _, chatOnly := range []bool{false, true} {
		inWorld(t, func(w *world) {
			asked := 0
			w.up.Edit(func(d *fakexmpp.Data) {
				d.Capabilities.ChatOnly = chatOnly
				d.Refuse = func(method string) error {
					if strings.Contains(method, "lock") {
						asked++
					}
					return nil
				}
			})
			s := w.open()
			b := sessions.BlockingOf(s)
			refused := func() {
				t.Helper()
				_, err := b.List(w.ctx())
				kindOf(t, err, perch.KindFeatureUnsupported)
				_, err = b.Show(w.ctx(), bob)
				kindOf(t, err, perch.KindFeatureUnsupported)
				kindOf(t, b.Block(w.ctx(), bob, nil), perch.KindFeatureUnsupported)
				kindOf(t, b.Unblock(w.ctx(), bob), perch.KindFeatureUnsupported)
				kindOf(t, b.UnblockAll(w.ctx()), perch.KindFeatureUnsupported)
			}
			refused()
			w.refuse(linkLost)
			w.conn().Fail(linkLost)
			refused()
			if want := map[bool]int{false: 1}[chatOnly]; asked != want {
				t.Errorf("chat only %v: %d requests, want %d", chatOnly, asked, want)
			}
			if f := s.Info().Features; slices.Contains(f, "blocking") {
				t.Errorf("features: got %q, want no blocking", f)
			}
		})
	}
}

// TestBlockedLooksOffline: whom the account blocks is offline whatever still comes of it, by its device, account
// or domain, nothing can be sent there, and its messages, which no server should pass on, are shown but
// call for nobody. Unblocked, it is asked how it is.
func TestBlockedLooksOffline(t *testing.T) {
	for _, tt := range []struct {
		entry   perch.JID
		offline bool // all of bob
		probed  []perch.JID
	}{
		{bob, true, []perch.JID{bob}},
		{"BOB@example.net", true, []perch.JID{bob}},
		{bob + "/a", false, []perch.JID{bob}},
		{"example.net", true, []perch.JID{bob, carol}},
		{"example.org", false, nil},
		{"eve@example.net", false, nil},
	} {
		t.Run(string(tt.entry), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.blocks()
				w.roster(bob, carol)
				s := w.open()
				_, err := sessions.ConversationsOf(s).List(w.ctx(), sessions.ConversationQuery{Limit: 10})
				must(t, "Conversations", err)
				w.deliver(here(bob+"/a", "dnd", 1), here(bob+"/b", "", 0), here(carol+"/a", "", 0))
				b := sessions.BlockingOf(s)
				must(t, "Block", b.Block(w.ctx(), tt.entry, nil))
				w.deliver(here(bob+"/a", "xa", 1))
				p := w.presence(s, bob)
				onlyB := tt.entry == bob+"/a"
				if p.Available == tt.offline || onlyB && len(p.Resources) != 1 {
					t.Errorf("presence of bob: got %+v, want him offline: %v", p, tt.offline)
				}
				hits := tt.offline
				err = s.SetChatState(w.ctx(), bob, perch.StateComposing)
				_, serr := s.SendMessage(w.ctx(), hi("x"))
				_, _, aerr := s.AddBuddy(w.ctx(), sessions.NewBuddy{JID: bob})
				for _, err := range []error{err, serr, aerr} {
					if hits != (perch.KindOf(err) == perch.KindBlocked) && (hits || err != nil) {
						t.Errorf("sending to bob: got %v, want it refused: %v", err, hits)
					}
				}
				w.deliver(text("1", "still"))
				v, err := sessions.ConversationsOf(s).Get(w.ctx(), bob)
				must(t, "Conversation", err)
				if want := map[bool]int{false: 1}[hits]; v.Unread != want || v.LastMessage == nil || v.LastMessage.Body != "still" {
					t.Errorf("conversation: got %+v, want it to have the message, and %d unread", v, want)
				}
				must(t, "Unblock", b.Unblock(w.ctx(), tt.entry))
				if got := probes(w.conn()); !slices.Equal(got, tt.probed) {
					t.Errorf("probes: got %q, want %q", got, tt.probed)
				}
				w.deliver(here(bob+"/a", "xa", 1))
				if p := w.presence(s, bob); !p.Available {
					t.Errorf("presence of bob: got %+v, want him available", p)
				}
			})
		})
	}
}

// TestBlockListOverRestarts: what changed while the session was away is an event of the difference; of a list
// that is too long for the record, that it is to be read again.
func TestBlockListOverRestarts(t *testing.T) {
	var many, more []perch.JID
	for i := range 300 {
		many = append(many, perch.JID(fmt.Sprintf("u%03d@example.net", i)))
	}
	more = append(slices.Clone(many), "v@example.net")
	for name, tt := range map[string]struct {
		before, after []perch.JID
		want          []string
	}{
		"the same":         {[]perch.JID{bob}, []perch.JID{bob}, nil},
		"another":          {[]perch.JID{bob}, []perch.JID{carol}, []string{"+[carol@example.net] -[bob@example.net]"}},
		"none, then one":   {nil, []perch.JID{carol}, []string{"+[carol@example.net] -[]"}},
		"one, then none":   {[]perch.JID{carol}, nil, []string{"+[] -[carol@example.net]"}},
		"long, the same":   {many, many, nil},
		"long, and more":   {many, more, []string{"+[] -[] reset"}},
		"long, and nobody": {many, nil, []string{"+[] -[] reset"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.blocks(tt.before...)
				s := w.open()
				wantChanges(t, w.durable(s)) // a first list is no news
				w.blocks(tt.after...)
				w.restart()
				s = w.open()
				pass(10 * time.Second)
				w.wantBlocked(s, tt.after...)
				wantChanges(t, w.durable(s), tt.want...)
			}, durable)
		})
	}
}

// TestBlockListWhileOffline: a restarted session whose upstream is away has the list of before.
func TestBlockListWhileOffline(t *testing.T) {
	inWorld(t, func(w *world) {
		w.blocks(bob)
		w.open()
		w.refuse(linkLost)
		w.restart()
		s := w.open()
		w.wantBlocked(s, bob)
		kindOf(t, s.SetChatState(w.ctx(), bob, perch.StateComposing), perch.KindBlocked)
	}, durable)
}

// TestBlockListByRebind: what changed while the link was lost is an event, in pieces that a client can take.
func TestBlockListByRebind(t *testing.T) {
	inWorld(t, func(w *world) {
		w.blocks(bob)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		var many []perch.JID
		for i := range 250 {
			many = append(many, perch.JID(fmt.Sprintf("u%03d@example.net", i)))
		}
		w.blocks(many...)
		w.lose(linkLost)
		pass(time.Second)
		var sizes []int
		for _, e := range c.next() {
			var d perch.BlockListChange
			if e.Type == perch.EventBlockedChanged {
				e.into(t, &d)
				sizes = append(sizes, len(d.Added)+len(d.Removed))
			}
		}
		if diff := cmp.Diff([]int{100, 100, 51}, sizes); diff != "" {
			t.Errorf("sizes of the events: -want +got:\n%s", diff)
		}
		w.wantBlocked(s, many...)
	})
}

// TestBlockListIsBounded: of a longer list the first entries are kept, which is said, and nothing is added
// while it is full.
func TestBlockListIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		var many []perch.JID
		for i := range 2000 {
			many = append(many, perch.JID(fmt.Sprintf("u%04d@example.net", i)))
		}
		w.blocks(many...)
		s := w.open()
		b := sessions.BlockingOf(s)
		kindOf(t, b.Block(w.ctx(), bob, nil), perch.KindQuotaExceeded)
		must(t, "Block", b.Block(w.ctx(), many[7], nil))
		w.wantBlocked(s, many...)
		w.deliver(&perch.BlockListIn{Added: []perch.JID{"z@example.net"}})
		w.wantBlocked(s, append(slices.Clone(many), "+")...)
		w.blocks(many[:1999]...)
		w.lose(linkLost)
		w.wantBlocked(s, many[:1999]...)
		must(t, "Block", b.Block(w.ctx(), bob, nil))
	})
}

// TestSlowBlockList: a server that does not answer holds a login up for no longer than two seconds.
func TestSlowBlockList(t *testing.T) {
	inWorld(t, func(w *world) {
		w.blocks(bob)
		w.up.set(func(u *upstream) { u.slowBlocks = true })
		begun := time.Now()
		s := w.open()
		if took := time.Since(begun); took != 2*time.Second || s.Info().State != perch.StateOnline {
			t.Errorf("the login took %s, %s; want 2s, online", took, s.Info().State)
		}
		pass(time.Minute)
		w.up.set(func(u *upstream) { u.slowBlocks = false })
		w.wantBlocked(s, bob) // whoever asks has it fetched
	})
}

// TestBlockListFetchedAgain: a server that did not answer has not been asked, and tells of no change; the list is
// asked for again, a few times until the next login.
func TestBlockListFetchedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.blocks(bob)
		s := w.open()
		c := w.attach(s, sessions.SubscribeOptions{})
		w.up.set(func(u *upstream) { u.slowBlocks = true })
		w.blocks(carol)
		w.lose(linkLost)
		pass(30 * time.Second)
		w.wantBlocked(s, bob)
		w.up.set(func(u *upstream) { u.slowBlocks = false })
		pass(time.Minute)
		w.wantBlocked(s, carol)
		wantChanges(t, c.next(), "+[carol@example.net] -[bob@example.net]")
	})
}

// TestBlockListTriesEdge: the fifth fetch is the last one until the next login.
func TestBlockListTriesEdge(t *testing.T) {
	inWorld(t, func(w *world) {
		w.blocks(bob)
		asked := 0
		w.up.Edit(func(d *fakexmpp.Data) {
			d.Refuse = func(method string) error {
				if method != "FetchBlockList" {
					return nil
				}
				asked++
				return perch.Errorf(perch.KindUpstreamTimeout, "no answer")
			}
		})
		w.open()
		for _, want := range []int{5, 10} {
			if pass(time.Hour); asked != want {
				t.Errorf("got %d fetches, want %d", asked, want)
			}
			w.lose(linkLost)
		}
	})
}
