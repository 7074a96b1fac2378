package bookmarks_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/bookmarks"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsPubSub = "http://jabber.org/protocol/pubsub"
	nsItems  = "urn:xmpp:bookmarks:1"
	nsOld    = "storage:bookmarks"
)

// account is a server's side of the stores.
type account struct {
	features []string          // of service discovery
	refuse   map[string]string // conditions, by what is asked
	mu       sync.Mutex
	asked    []string
	items    map[string]string // by room
	document string            // what is in <storage/>
	before   func(what string) // is called with each request
}

const (
	compat     = "urn:xmpp:bookmarks:1#compat"
	conversion = "urn:xmpp:bookmarks-conversion:0"
)

// ask is what a list asks by.
func (a *account) ask(_ context.Context, kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed)) (*xmlstream.Element, error) {
	if kind != "bookmarks" || to != "" || part != nil {
		return nil, fmt.Errorf("asked %q of %q, want bookmarks of the account", kind, to)
	}
	el, err := xmlstream.Parse(string(payload), xmlstream.DefaultLimits())
	if err != nil {
		return nil, err
	}
	what := a.what(typ, el)
	if a.before != nil {
		a.before(what)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, what)
	if condition := a.refuse[what]; condition == "timeout" {
		return nil, perch.Errorf(perch.KindUpstreamTimeout, "no answer")
	} else if condition != "" {
		return nil, &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: condition}}
	}
	return a.answer(what, el)
}

// what names a request.
func (a *account) what(typ string, el *xmlstream.Element) string {
	if el.Local() == "query" {
		return map[string]string{"http://jabber.org/protocol/disco#info": "disco", "jabber:iq:private": typ + " private"}[el.Space()]
	}
	child := el.Children()[0]
	return typ + " " + child.Local() + " " + child.Attr("node")
}

func (a *account) answer(what string, el *xmlstream.Element) (*xmlstream.Element, error) {
	text := ""
	switch what {
	case "disco":
		text = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub' type='pep'/><feature var='" + nsPubSub + "#publish-options'/>"
		for _, f := range a.features {
			text += "<feature var='" + f + "'/>"
		}
		text += "</query>"
	case "get items " + nsItems:
		text = a.itemsOf(el.Children()[0])
	case "get items " + nsOld:
		text = "<pubsub xmlns='" + nsPubSub + "'><items node='" + nsOld + "'><item id='current'><storage xmlns='" + nsOld + "'>" + a.document + "</storage></item></items></pubsub>"
	case "get private":
		text = "<query xmlns='jabber:iq:private'><storage xmlns='" + nsOld + "'>" + a.document + "</storage></query>"
	case "set private":
		a.document = inside(el.Children()[0])
		return nil, nil
	case "set publish " + nsOld:
		a.document = inside(el.Children()[0].Children()[0].Children()[0])
		return nil, nil
	case "set publish " + nsItems:
		item := el.Children()[0].Children()[0]
		a.items[item.Attr("id")] = written(item.Children()[0], "")
		return nil, nil
	case "set retract " + nsItems:
		delete(a.items, el.Children()[0].Children()[0].Attr("id"))
		return nil, nil
	default:
		return nil, fmt.Errorf("asked %s", what)
	}
	return xmlstream.Parse(text, xmlstream.DefaultLimits())
}

func (a *account) itemsOf(query *xmlstream.Element) string {
	text := "<pubsub xmlns='" + nsPubSub + "'><items node='" + nsItems + "'>"
	for room, inner := range a.items {
		if len(query.Children()) == 0 || query.Children()[0].Attr("id") == room {
			text += "<item id='" + room + "'>" + inner + "</item>"
		}
	}
	return text + "</items></pubsub>"
}

func written(el *xmlstream.Element, space string) string {
	var w xmlstream.Writer
	w.Tree("", el.Borrowed(), space)
	b, _ := w.Result()
	return string(b)
}

func inside(el *xmlstream.Element) (text string) {
	for _, c := range el.Children() {
		text += written(c, nsOld)
	}
	return text
}

func mark(room perch.JID, name string) perch.RoomBookmark {
	return perch.RoomBookmark{JID: room, Bookmark: perch.Bookmark{Name: name}}
}

// TestStores writes and reads in the store that each kind of server has.
func TestStores(t *testing.T) {
	for name, tt := range map[string]struct {
		features []string
		refuse   map[string]string
		store    string // "": none
	}{
		"items that all clients see": {[]string{compat}, nil, "0402"},
		"a document in a node":       {[]string{conversion}, nil, "0048"},
		"private storage":            {nil, nil, "0049"},
		"no private storage":         {nil, map[string]string{"get private": "service-unavailable"}, "0402"},
		"a node that is not safe":    {[]string{conversion}, map[string]string{"set publish " + nsOld: "conflict", "get configure " + nsOld: "forbidden"}, "0049"},
		"nothing":                    {nil, map[string]string{"get private": "service-unavailable", "get items " + nsItems: "feature-not-implemented"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := context.Background()
				a := &account{features: tt.features, refuse: tt.refuse, items: map[string]string{}}
				l := bookmarks.New(a.ask)
				err := l.PutBookmark(ctx, mark("r@c.test", "R"))
				if tt.store == "" {
					if perch.KindOf(err) != perch.KindFeatureUnsupported {
						t.Errorf("PutBookmark() = %v, want %s", err, perch.KindFeatureUnsupported)
					}
					if _, err := l.Bookmarks(ctx); perch.KindOf(err) != perch.KindFeatureUnsupported || l.Hears("0402") {
						t.Errorf("Bookmarks() = %v, hears %v; want %s, and nothing heard", err, l.Hears("0402"), perch.KindFeatureUnsupported)
					}
					return
				}
				if err != nil {
					t.Fatalf("PutBookmark() = %v, want no error", err)
				}
				if store, err := l.BookmarkStore(ctx); store != tt.store || err != nil || !l.Hears(tt.store) || l.Hears("x") {
					t.Errorf("BookmarkStore() = %q, %v; want %q, and it alone heard", store, err, tt.store)
				}
				want := mark("r@c.test", "R")
				want.Store = tt.store
				list, err := l.Bookmarks(ctx)
				if diff := cmp.Diff([]perch.RoomBookmark{want}, list); diff != "" || err != nil {
					t.Errorf("Bookmarks(): got error %v, want none; -want +got:\n%s", err, diff)
				}
				asked := len(a.asked)
				if err := l.PutBookmark(ctx, mark("r@c.test", "R")); err != nil || len(a.asked) != asked+1 {
					t.Errorf("PutBookmark() of the same = %v after %d requests, want no error after 1", err, len(a.asked)-asked)
				}
				for range 2 {
					if err := l.RemoveBookmark(ctx, "r@c.test"); err != nil {
						t.Errorf("RemoveBookmark() = %v, want no error", err)
					}
				}
				if list, err := l.Bookmarks(ctx); len(list) != 0 || err != nil {
					t.Errorf("Bookmarks() = %v, %v; want none", list, err)
				}
			})
		})
	}
}

// TestChangesThatAreReplaced writes once more what another client has replaced, and not for ever.
func TestChangesThatAreReplaced(t *testing.T) {
	for times, want := range map[int]perch.Kind{0: "", 2: "", 4: "", 5: perch.KindConflict, 100: perch.KindConflict} {
		synctest.Test(t, func(t *testing.T) {
			a := &account{features: []string{conversion}, document: "<conference jid='o@c.test'/>"}
			left := times
			a.before = func(what string) {
				a.mu.Lock()
				defer a.mu.Unlock()
				if what == "get items "+nsOld && strings.Contains(a.document, "r@c.test") && left > 0 {
					left--
					a.document = fmt.Sprintf("<conference jid='o@c.test'/><conference jid='other-%d@c.test'/>", left) // what it had read before
				}
			}
			began := time.Now()
			err := bookmarks.New(a.ask).PutBookmark(context.Background(), mark("r@c.test", "R"))
			if want == "" && err != nil || want != "" && perch.KindOf(err) != want {
				t.Errorf("replaced %d times: got %v, want kind %q", times, err, want)
			}
			if want == "" && (!strings.Contains(a.document, "r@c.test") || !strings.Contains(a.document, "o@c.test")) {
				t.Errorf("replaced %d times: the document is %s, want both rooms", times, a.document)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("replaced %d times: took %v, want at most 2 s", times, took)
			}
		})
	}
}

// TestItemsThatAreLost writes an item once more that a server loses, or shows again after it was retracted.
func TestItemsThatAreLost(t *testing.T) {
	for times, want := range map[int]perch.Kind{0: "", 2: "", 4: "", 5: perch.KindConflict, 100: perch.KindConflict} {
		synctest.Test(t, func(t *testing.T) {
			a := &account{features: []string{compat}, items: map[string]string{}}
			put, again := false, times
			a.before = func(what string) {
				a.mu.Lock()
				defer a.mu.Unlock()
				if _, there := a.items["r@c.test"]; what != "get items "+nsItems || again == 0 || there != put {
					return
				}
				if again--; put {
					delete(a.items, "r@c.test")
				} else {
					a.items["r@c.test"] = "<conference xmlns='" + nsItems + "' name='R'/>"
				}
			}
			l := bookmarks.New(a.ask)
			put = true
			if err := l.PutBookmark(context.Background(), mark("r@c.test", "R")); (err == nil) != (want == "") || err != nil && perch.KindOf(err) != want {
				t.Errorf("PutBookmark(), lost %d times: got %v, want kind %q", times, err, want)
			}
			if _, there := a.items["r@c.test"]; want == "" && !there {
				t.Errorf("lost %d times: got no item, want it", times)
			}
			put, again = false, 0
			if err := l.RemoveBookmark(context.Background(), "r@c.test"); err != nil {
				t.Fatalf("RemoveBookmark() = %v, want no error", err)
			}
			again = times
			a.items["r@c.test"] = "<conference xmlns='" + nsItems + "' name='R'/>"
			if err := l.RemoveBookmark(context.Background(), "r@c.test"); (err == nil) != (want == "") || err != nil && perch.KindOf(err) != want {
				t.Errorf("RemoveBookmark(), shown again %d times: got %v, want kind %q", times, err, want)
			}
		})
	}
}

// TestManyWriters writes at once, by one connection and by two: each has its turn, and none is lost.
func TestManyWriters(t *testing.T) {
	for _, feature := range []string{compat, conversion} {
		synctest.Test(t, func(t *testing.T) {
			a := &account{features: []string{feature}, items: map[string]string{}}
			lists := []*bookmarks.List{bookmarks.New(a.ask), bookmarks.New(a.ask)}
			a.before = func(string) { time.Sleep(10 * time.Millisecond) } // virtual: a round trip
			var wg sync.WaitGroup
			for i := range 40 {
				wg.Go(func() {
					if err := lists[i%2].PutBookmark(context.Background(), mark(perch.JID(fmt.Sprintf("r%d@c.test", i)), "R")); err != nil {
						t.Errorf("PutBookmark() = %v, want no error", err)
					}
				})
			}
			wg.Wait()
			if list, err := lists[0].Bookmarks(context.Background()); len(list) != 40 || err != nil {
				t.Errorf("%s: Bookmarks() = %d, %v; want 40", feature, len(list), err)
			}
		})
	}
}

// TestErrors passes on what a server does not answer, or refuses for now, and stays with its store.
func TestErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		a := &account{features: []string{conversion}, refuse: map[string]string{"disco": "timeout"}}
		l := bookmarks.New(a.ask)
		fails := func(what string, err error, want perch.Kind) {
			t.Helper()
			if perch.KindOf(err) != want {
				t.Errorf("%s = %v, want %s", what, err, want)
			}
		}
		_, err := l.Bookmarks(ctx)
		fails("Bookmarks()", err, perch.KindUpstreamTimeout)
		a.refuse = map[string]string{"get items " + nsOld: "internal-server-error"}
		_, err = l.Bookmarks(ctx)
		fails("Bookmarks()", err, perch.KindXMPP)
		fails("PutBookmark()", l.PutBookmark(ctx, mark("r@c.test", "R")), perch.KindXMPP)
		a.refuse = map[string]string{"set publish " + nsOld: "timeout"}
		fails("PutBookmark()", l.PutBookmark(ctx, mark("r@c.test", "R")), perch.KindUpstreamTimeout)
		fails("PutBookmark() of an occupant", l.PutBookmark(ctx, mark("r@c.test/x", "R")), perch.KindValidation)
		fails("RemoveBookmark() of nothing", l.RemoveBookmark(ctx, ""), perch.KindValidation)
		fails("PutBookmark() of control characters", l.PutBookmark(ctx, mark("r@c.test", "\x01")), perch.KindValidation)
		a.refuse = nil
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		fails("PutBookmark() in no time", l.PutBookmark(short, mark("r@c.test", "R")), perch.KindUpstreamTimeout)
		if store, err := l.BookmarkStore(ctx); store != "0048" || err != nil {
			t.Errorf("BookmarkStore() = %q, %v; want 0048", store, err)
		}
	})
}
