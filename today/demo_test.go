package today_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/xmpptest"
	"github.com/perch-im/perch/today"
)

// TestDemo: each of its people signs in by name, has bookmarks of rooms, and finds people and a picture in
// them.
func TestDemo(t *testing.T) {
	o := today.Demo()
	for i := range o.Accounts { // what is searched for secrets must not find a name
		if o.Accounts[i].Password != "" {
			o.Accounts[i].Password = canary.Mark + o.Accounts[i].Password
		}
	}
	s := start(t, o)
	for _, name := range today.DemoPeople() {
		c := online(t, s, name, "x")
		n := c.IQ("get", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
		if got := n.At("pubsub", "items").Kids; len(got) != 2 || got[0].At("conference").Get("autojoin") != "true" {
			t.Errorf("%s: got %v, want two bookmarks", name, n)
		}
		lounge := "lounge@rooms." + s.Domain()
		c.Send("<presence to='%s/%s'><x xmlns='%s'><history maxstanzas='50'/></x></presence>", lounge, name, muc)
		all := c.Sync()
		for _, nick := range []string{"Mia", "Noah", "Buddy"} {
			if !slices.ContainsFunc(all, func(n xmpptest.Node) bool { return n.Get("from") == lounge+"/"+nick }) {
				t.Errorf("%s: got %v, want %s in the lounge", name, all, nick)
			}
		}
		picture := ""
		for _, n := range xmpptest.Only(all, "message") {
			if url := kid(n, "jabber:x:oob").At("url").Text; url != "" {
				picture = url
			}
		}
		a, err := http.Get(picture)
		if err != nil {
			t.Fatalf("getting %q: got error %v, want none", picture, err)
		}
		b, _ := io.ReadAll(a.Body)
		a.Body.Close()
		if a.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(string(b), "\x89PNG") {
			t.Errorf("got %v and %d bytes, want a PNG", a.Header, len(b))
		}
	}
}

// TestDemoPictures: those of the history load after each start, in rooms and between people, from where the service
// listens then.
func TestDemoPictures(t *testing.T) {
	seen := map[string]string{}
	for _, which := range []string{"first", "second"} {
		t.Run(which, func(t *testing.T) {
			o := today.Demo()
			for i := range o.Accounts { // what is searched for secrets must not find a name
				o.Accounts[i].Password = canary.Mark + o.Accounts[i].Local
			}
			s := start(t, o)
			ada := online(t, s, "ada", "x")
			for _, to := range []string{"", "lounge@rooms." + s.Domain()} {
				ada.IQ("set", to, "<query xmlns='urn:xmpp:mam:2'/>")
				found := 0
				for _, n := range xmpptest.Only(ada.Sync(), "message") {
					m := n.At("result", "forwarded", "message")
					url := kid(m, "jabber:x:oob").At("url").Text
					if url == "" {
						continue
					}
					found++
					if !strings.HasPrefix(url, "http://"+s.HTTPAddr().String()+"/") || m.At("body").Text != url {
						t.Errorf("got the address %q with the body %q, want one of %s", url, m.At("body").Text, s.HTTPAddr())
					}
					res, body := web(t, "GET", url, "")
					if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(body, "\x89PNG") {
						t.Errorf("%s: got %d, %q and %d bytes, want a PNG", url, res.StatusCode, res.Header.Get("Content-Type"), len(body))
					}
					id := n.At("result").Get("id")
					if before, ok := seen[id]; which == "second" && (!ok || before != body) {
						t.Errorf("%s: got another picture than at the first start, want the same", id)
					}
					seen[id] = body
				}
				if found != 1 {
					t.Errorf("the archive of %q: got %d pictures, want one", to, found)
				}
			}
		})
	}
}
