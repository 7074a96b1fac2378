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
