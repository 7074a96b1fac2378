package today_test

import (
	"testing"

	"github.com/perch-im/perch/internal/xmpptest"
)

// TestDirectedPresenceEnds with the session that has shown it, however that ends (RFC 6121, 4.6.3): once, and
// not for one whom it was taken back from before.
func TestDirectedPresenceEnds(t *testing.T) {
	for what, tt := range map[string]struct {
		end    string
		status string
		to     string // the address that is shown the presence
		want   int    // the ends that its owner sees
	}{
		"unavailable":                {"<presence type='unavailable'><status>bye</status></presence>", "bye", at("cat"), 1},
		"the end of the stream":      {"</stream:stream>", "", at("cat"), 1},
		"to a resource":              {"</stream:stream>", "", at("cat") + "/c", 1},
		"to a contact, once for all": {"</stream:stream>", "", at("ben"), 1},
		"taken back before":          {"<presence type='unavailable' to='" + at("cat") + "'/></stream:stream>", "", at("cat"), 1},
	} {
		t.Run(what, func(t *testing.T) {
			s := start(t, world())
			ben, cat, ann := online(t, s, "ben", "b"), online(t, s, "cat", "c"), online(t, s, "ann", "a")
			who := cat
			if tt.to == at("ben") {
				who = ben
			}
			for range 2 {
				ann.Send("<presence to='%s'/>", tt.to)
			}
			ann.Sync()
			who.Sync()
			ann.Send("%s", tt.end)
			ben.Find("the end", func(n xmpptest.Node) bool { return n.Get("type") == "unavailable" })
			got := xmpptest.Only(who.Sync(), "presence unavailable")
			if who == ben {
				tt.want-- // found already
			}
			if len(got) != tt.want || tt.want > 0 && (got[0].Get("from") != at("ann")+"/a" || got[0].At("status").Text != tt.status) {
				t.Errorf("got %v, want the end of the presence %d times, with the status %q", got, tt.want, tt.status)
			}
		})
	}
}

// TestDirectedPresenceIsLimited: what is over the bound is refused, and what is taken back makes room.
func TestDirectedPresenceIsLimited(t *testing.T) {
	s := start(t, world())
	ann := signIn(t, s, "ann", "a")
	for i := range 100 {
		ann.Send("<presence to='%s/%d'/>", at("cat"), i)
	}
	equal(t, "a hundred", bounced(ann.Sync()), "")
	ann.Send("<presence to='%s/more'/>", at("cat"))
	equal(t, "one more", bounced(ann.Sync()), "resource-constraint")
	ann.Send("<presence to='%s/7' type='unavailable'/><presence to='%s/more'/>", at("cat"), at("cat"))
	equal(t, "one less and one more", bounced(ann.Sync()), "")
}
