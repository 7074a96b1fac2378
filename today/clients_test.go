package today_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/today"
)

// foreign is a world for clients that know nothing of Perch: of libraries that others have made.
type foreign struct {
	s      *today.Service
	caFile string
}

func newForeign(t *testing.T) foreign {
	t.Helper()
	w := foreign{start(t, world()), filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(w.caFile, w.s.CAPEM(), 0o600); err != nil {
		t.Fatalf("os.WriteFile: got error %v, want none", err)
	}
	return w
}

// slixmpp signs in by a mechanism; "": the one that slixmpp thinks best.
func (w foreign) slixmpp(t *testing.T, user, mechanism string) *testkit.Peer {
	t.Helper()
	return testkit.Slixmpp(t, testkit.SlixmppOptions{
		Addr: w.s.Addr().String(), CAFile: w.caFile, JID: at(user), Password: canary.Mark + user, Mechanism: mechanism, Stanzas: true,
	})
}

// nbxmpp signs in with the library of Gajim, and is available.
func (w foreign) nbxmpp(t *testing.T, user string) *testkit.Peer {
	t.Helper()
	server := testkit.Server{Addr: w.s.Addr().String(), CAFile: w.caFile}
	return server.NbxmppFor(t, testkit.User{JID: at(user), Password: canary.Mark + user})
}

// got waits for a message as the library has read it.
func got(t *testing.T, p *testkit.Peer, id string) testkit.PeerEvent {
	t.Helper()
	return p.Expect(t, "message "+id, func(e testkit.PeerEvent) bool { return e.Event == "stanza" && e.ID == id })
}

// uploads has a library upload a picture; the address in its hands has what was uploaded.
func (w foreign) uploads(t *testing.T, p *testkit.Peer) {
	t.Helper()
	want := []byte("a picture of " + p.JID)
	address := p.Upload(t, "upload."+w.s.Domain(), "tea.png", "image/png", want)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("GET %s: got error %v, want none", address, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(got, want) || res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("GET %s: got %d %q of type %q, error %v; want what was uploaded", address, res.StatusCode, got, res.Header.Get("Content-Type"), err)
	}
}

// TestTodayBySlixmpp signs in, talks, has copies, reads the archive, and uploads. Of the mechanisms slixmpp 1.8 has PLAIN
// alone here: it binds to tls-unique, which TLS 1.3 does not have, and says of SCRAM that it was offered nothing
// to bind to, as if somebody had taken -PLUS out of the offer.
func TestTodayBySlixmpp(t *testing.T) {
	w := newForeign(t)
	for _, mechanism := range []string{"", "PLAIN"} {
		p := w.slixmpp(t, "cat", mechanism)
		if !strings.HasPrefix(p.JID, at("cat")+"/") {
			t.Errorf("%q: got %s, want a resource of cat", mechanism, p.JID)
		}
		p.Do(t, "ping", nil)
		p.Close()
	}
	ann, tab, ben := w.slixmpp(t, "ann", ""), w.slixmpp(t, "ann", ""), w.slixmpp(t, "ben", "")
	for _, p := range []*testkit.Peer{ann, tab, ben} {
		p.Presence(t, "", "")
		p.Do(t, "iq", map[string]any{"to": nil, "type": "set", "payload": "<enable xmlns='urn:xmpp:carbons:2'/>"})
	}
	ben.ExpectPresence(t, ann.JID, "available", "")
	ann.Presence(t, "dnd", "busy")
	ben.ExpectPresence(t, ann.JID, "available", "dnd")
	ann.Message(t, ben.JID, "hello, Ben")
	ben.ExpectMessage(t, ann.JID, "hello, Ben")
	tab.Expect(t, "a copy", func(e testkit.PeerEvent) bool {
		return strings.Contains(e.XML, "hello, Ben") && strings.Contains(e.XML, "urn:xmpp:carbons:2")
	})
	ben.ChatState(t, at("ann"), "composing")
	ann.Expect(t, "typing", func(e testkit.PeerEvent) bool { return e.Event == "chat_state" && e.State == "composing" })
	w.uploads(t, ann)
	if list := ben.Roster(t); len(list) != 1 || list[0].JID != at("ann") || list[0].Subscription != "both" {
		t.Errorf("the roster: got %v, want ann in both directions", list)
	}
	ben.Do(t, "iq", map[string]any{"to": nil, "type": "set", "payload": "<query xmlns='urn:xmpp:mam:2' queryid='q'/>"})
	ben.Expect(t, "the archive", func(e testkit.PeerEvent) bool {
		return strings.Contains(e.XML, "urn:xmpp:mam:2") && strings.Contains(e.XML, "hello, Ben")
	})
}

// TestTodayByNbxmpp talks in a room: what is said, corrected, reacted to, answered and retracted there is what the
// library, and another one beside it, has read.
func TestTodayByNbxmpp(t *testing.T) {
	w := newForeign(t)
	ann, ben := w.nbxmpp(t, "ann"), w.nbxmpp(t, "ben")
	cat := w.slixmpp(t, "cat", "")
	ben.Do(t, "message", map[string]any{"to": at("ann"), "id": "hi", "body": "hello, Ann"})
	if e := got(t, ann, "hi"); e.Body != "hello, Ann" || !strings.HasPrefix(e.From, at("ben")+"/") {
		t.Errorf("got %+v, want the message of Ben", e)
	}
	w.uploads(t, ann)
	room := "garden@rooms." + w.s.Domain()
	ann.Join(t, room, "Ann")
	ann.Open(t, room)
	ben.Join(t, room, "Ben")
	cat.Raw(t, "<presence to='"+room+"/Cat'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	cat.Expect(t, "itself", func(e testkit.PeerEvent) bool { return e.Event == "presence" && e.From == room+"/Cat" })
	ann.Say(t, room, "a1", "first")
	all := []*testkit.Peer{ann, ben, cat}
	id := got(t, cat, "a1").StanzaID
	for _, p := range all[:2] {
		if e := got(t, p, "a1"); e.StanzaID != id || id == "" || e.From != room+"/Ann" {
			t.Errorf("%s: got %+v, want the message of Ann with the id %q of the room", p.JID, e, id)
		}
	}
	ann.Correct(t, room, "a2", "a1", "first, corrected")
	ben.React(t, room, "b1", id, "👍", "🎉")
	ben.Answer(t, room, "b2", id, room+"/Ann", "> first\n", "second")
	ann.Retract(t, room, "a3", id)
	for _, p := range all {
		if e := got(t, p, "a2"); e.Corrects != "a1" {
			t.Errorf("%s: got %+v, want a correction of a1", p.JID, e)
		}
		if e := got(t, p, "b1"); e.ReactsTo != id || !slices.Equal(e.Emojis, []string{"🎉", "👍"}) && !slices.Equal(e.Emojis, []string{"👍", "🎉"}) {
			t.Errorf("%s: got %+v, want both reactions to %s", p.JID, e, id)
		}
		if e := got(t, p, "b2"); e.RepliesTo != id || e.Author != room+"/Ann" {
			t.Errorf("%s: got %+v, want a reply to %s", p.JID, e, id)
		}
		if e := got(t, p, "a3"); e.Retracts != id {
			t.Errorf("%s: got %+v, want a retraction of %s", p.JID, e, id)
		}
	}
	cat.Do(t, "iq", map[string]any{"to": room, "type": "set", "payload": "<query xmlns='urn:xmpp:mam:2' queryid='q'/>"})
	cat.Expect(t, "the archive of the room", func(e testkit.PeerEvent) bool {
		return strings.Contains(e.XML, "urn:xmpp:mam:2") && strings.Contains(e.XML, "second")
	})
}
