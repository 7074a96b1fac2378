package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/app"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/messenger"
)

// TestM06AddingIsTheOnlyChange adds a buddy, and shows that renaming and removing are
// refused without a stanza.
func TestM06AddingIsTheOnlyChange(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	answer := p.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"jid": p.jid("dora"), "name": "Döra", "groups": []string{"Doors"}})
	if b := answer.JSON(t); b.Str("jid") != p.jid("dora") || b.Str("name") != "Döra" {
		t.Errorf("added %v, want jid %v and name %q", b, p.jid("dora"), "Döra")
	}
	stream.Expect(t, "dora in the roster", func(f testkit.Frame) bool {
		return f.Type == "roster.item" && f.Data.Str("jid") == p.jid("dora") && f.Data.Str("subscription") == "to"
	})
	stream.Expect(t, "dora's presence", func(f testkit.Frame) bool {
		return f.Type == "presence" && f.Data.Str("jid") == p.jid("dora") && f.Data.Bool("available")
	})
	p.barrier(t)
	if n := p.sends(func() {
		for range 3 {
			wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodPatch, p.path("buddies", "bob"), map[string]any{"name": "Robert"}), "feature-unsupported")
			wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodDelete, p.path("buddies", "bob"), nil), "feature-unsupported")
		}
	}); n != 0 {
		t.Errorf("%d stanzas were sent for what is not supported, want 0", n)
	}
	again := p.api.Call(t, http.StatusOK, http.MethodPost, "/v1/buddies", map[string]any{"jid": p.jid("dora")}).JSON(t)
	if again.Str("subscription") != "to" {
		t.Errorf("added again: %v, want subscription %q", again, "to")
	}
}

// TestM08PresenceSendsNothingUpstream reads presence in every way, over and over, while
// the service counts.
func TestM08PresenceSendsNothingUpstream(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	p.barrier(t)
	if n := p.sends(func() {
		for range 50 { // below the limit of requests
			p.api.Get(t, "/v1/presence")
			p.api.Get(t, p.path("presence", "bob"))
			p.api.Get(t, "/v1/buddies?include=presence")
			p.api.Get(t, "/v1/presence/me")
		}
	}); n != 0 {
		t.Errorf("%d stanzas were sent for reading presence, want 0", n)
	}
	if b := p.api.Get(t, p.path("presence", "bob")); !b.Bool("available") {
		t.Errorf("bob is %v, want available true", b)
	}
	if err := p.s.SetPresence("bob", perch.OwnPresence{Available: true, Show: perch.ShowDND, Status: "prüft"}); err != nil {
		t.Fatalf("s.SetPresence: got error %v, want none", err)
	}
	f := stream.Expect(t, "bob busy", func(f testkit.Frame) bool { return f.Type == "presence" && f.Data.Str("show") == "dnd" })
	if f.Data.Str("status") != "prüft" {
		t.Errorf("got %s, want status %q", f.Raw, "prüft")
	}
	p.barrier(t)
	if n := p.s.Logins("alice"); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

// TestM08SocketsOpenAndClose opens and closes streams of all kinds as an impatient front end
// does: the service sees one login, and bob, who watches, sees one presence.
func TestM08SocketsOpenAndClose(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	carol := live(t, p.as(t, carolToken), "")
	since := ""
	for i := range 60 {
		s := p.api.Stream(t, since)
		s.ExpectType(t, "live")
		if i%5 == 0 {
			if err := p.s.Deliver("bob", "alice", fmt.Sprint("tick ", i)); err != nil {
				t.Fatalf("s.Deliver: got error %v, want none", err)
			}
			since = s.Expect(t, "tick", message("message.received", fmt.Sprint("tick ", i))).ID
		}
		s.Close()
		p.api.Get(t, "/v1/events?since="+since)
		p.api.Get(t, "/v1/presence")
	}
	if n := p.s.Logins("alice"); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	p.barrier(t)
	seen := 0
	for _, f := range carol.Frames() {
		if f.Type == "presence" && f.Data.Str("jid") == p.jid("alice") {
			if seen++; !f.Data.Bool("available") {
				t.Errorf("alice flapped: %s, want available true", f.Raw)
			}
		}
	}
	if seen > 1 {
		t.Errorf("carol saw %d presences of alice, want at most 1", seen)
	}
	if n := p.s.Stanzas("alice").Presences; n != 1 {
		t.Errorf("alice sent %d presences, want 1", n)
	}
}

// TestM08ReconnectReportsDifferences cuts the link: the cache is there, marked, and after the
// reconnect only what has changed is an event.
func TestM08ReconnectReportsDifferences(t *testing.T) {
	o := messengerAccounts()
	o.Accounts[0].Contacts = append(o.Accounts[0].Contacts, messenger.Contact{User: "dora"})
	p := startMessenger(t, o)
	stream := live(t, p.api, "")
	testkit.Eventually(t, 10*time.Second, func() error {
		for _, user := range []string{"bob", "dora"} {
			if b := p.api.Get(t, p.path("presence", user)); !b.Bool("available") {
				return fmt.Errorf("%s is %v", user, b)
			}
		}
		return nil
	})
	stream.Discard()
	p.s.Drop("alice")
	if err := p.s.SetPresence("dora", perch.OwnPresence{Available: true, Show: perch.ShowAway}); err != nil {
		t.Fatalf("s.SetPresence: got error %v, want none", err)
	}
	awaitReconnect(t, stream)
	stream.Expect(t, "dora away", func(f testkit.Frame) bool {
		return f.Type == "presence" && f.Data.Str("jid") == p.jid("dora") && f.Data.Str("show") == "away" && !f.Data.Bool("stale")
	})
	for _, f := range stream.Frames() {
		if f.Type == "presence" && f.Data.Str("jid") == p.jid("bob") && !f.Data.Bool("available") {
			t.Errorf("bob has not changed: %s, want available true", f.Raw)
		}
	}
	if n := p.s.Stanzas("alice").Presences; n != 2 {
		t.Errorf("alice sent %d presences in two logins, want 2", n)
	}
}

// TestM09VCards reads cards of oneself, of contacts, and of others; they are fetched
// once, with photo, and can not be written.
func TestM09VCards(t *testing.T) {
	o := messengerAccounts()
	o.Accounts[2].VCard.Photo = &perch.Photo{URL: "https://photos.contoso.com/carol.png"}
	o.Accounts[3].VCard.Photo = nil
	p := startMessenger(t, o)
	live(t, p.api, "")
	p.barrier(t)

	card := p.api.Get(t, p.path("vcards", "bob"))
	if card.Str("full_name") != "Bob Ünlü" || card.Str("photo.type") != "image/png" || card.Str("photo.hash") == "" || card.Str("fetched_at") == "" {
		t.Errorf("bob's card %v, want full_name %q and photo.type %q and some text", card, "Bob Ünlü", "image/png")
	}
	if n := p.sends(func() {
		if again := p.api.Get(t, p.path("vcards", "bob")); again.Str("fetched_at") != card.Str("fetched_at") {
			t.Errorf("a cached card has the age %s, before %s, want fetched_at %v", again.Str("fetched_at"), card.Str("fetched_at"), card.Str("fetched_at"))
		}
		photo := p.api.Call(t, http.StatusOK, http.MethodGet, p.path("vcards", "bob")+"/photo", nil)
		if photo.Header.Get("Content-Type") != "image/png" || !bytes.Equal(photo.Body, messenger.Portrait("bob").Data) {
			t.Errorf("photo of %d bytes, %v; want image/png and the portrait of bob", len(photo.Body), photo.Header)
		}
	}); n != 0 {
		t.Errorf("%d stanzas for a card that is there, want 0", n)
	}
	if n := p.sends(func() { p.api.Get(t, p.path("vcards", "bob")+"?refresh=1") }); n != 1 {
		t.Errorf("%d stanzas for a fresh card, want 1", n)
	}
	text := p.accept(t, "text/vcard", p.path("vcards", "bob"))
	if !strings.HasPrefix(string(text.Body), "BEGIN:VCARD\r\n") || !strings.Contains(string(text.Body), "FN:Bob Ünlü\r\n") {
		t.Errorf("text/vcard: %s, want %q at its beginning and %q in it", text.Body, "BEGIN:VCARD\r\n", "FN:Bob Ünlü\r\n")
	}
	if me := p.api.Get(t, "/v1/vcards/me"); me.Str("jid") != p.jid("alice") || me.Str("full_name") != "Alice Ünlü" {
		t.Errorf("my card %v, want jid %v and full_name %q", me, p.jid("alice"), "Alice Ünlü")
	}
	carol := p.api.Get(t, p.path("vcards", "carol")) // EXTVAL: an address, which we do not fetch
	if carol.Str("photo.url") != "https://photos.contoso.com/carol.png" {
		t.Errorf("carol's card %v, want photo.url %q", carol, "https://photos.contoso.com/carol.png")
	}
	wantProblem(t, p.api.Call(t, http.StatusNotFound, http.MethodGet, p.path("vcards", "carol")+"/photo", nil), "item-not-found")
	wantProblem(t, p.api.Call(t, http.StatusNotFound, http.MethodGet, p.path("vcards", "mary"), nil), "item-not-found") // pending
	if n := p.sends(func() {
		wantProblem(t, p.api.Call(t, http.StatusNotImplemented, http.MethodPut, "/v1/vcards/me", map[string]any{"full_name": "x"}), "feature-unsupported")
	}); n != 0 {
		t.Errorf("%d stanzas to store a card, want 0", n)
	}
}

// accept asks for another representation.
func (p *profile) accept(t *testing.T, mediaType, path string) testkit.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.app.URL()+path, nil)
	if err != nil {
		t.Fatalf("http.NewRequestWithContext: got error %v, want none", err)
	}
	req.Header.Set("Authorization", "Bearer "+aliceToken)
	req.Header.Set("Accept", mediaType)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("DefaultClient.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatalf("b.ReadFrom: got error %v, want none", err)
	}
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, mediaType) {
		t.Errorf("content type %q, want %q at its beginning", got, mediaType)
	}
	return testkit.Answer{Status: res.StatusCode, Header: res.Header, Body: b.Bytes()}
}

// TestM09NamesAndChanges shows the card's name for a buddy without a roster name, and reports
// when presence names another photo (XEP-0153); the cached card is then fetched anew.
func TestM09NamesAndChanges(t *testing.T) {
	o := messengerAccounts()
	o.PhotoHashes = true
	o.Accounts[0].Contacts[0].Name = ""
	p := startMessenger(t, o)
	stream := live(t, p.api, "")
	p.api.Get(t, p.path("vcards", "bob"))
	stream.Expect(t, "bob's name", func(f testkit.Frame) bool {
		return f.Type == "roster.item" && f.Data.Str("jid") == p.jid("bob") && f.Data.Str("name") == "Bob Ünlü"
	})
	if b := p.api.Get(t, p.path("buddies", "bob")); b.Str("name") != "Bob Ünlü" {
		t.Errorf("bob is %v, want name %q", b, "Bob Ünlü")
	}
	fresh := messenger.Portrait("bob with a hat")
	if err := p.s.SetVCard("bob", perch.VCard{FullName: "Bob Hat", Photo: fresh}); err != nil {
		t.Fatalf("s.SetVCard: got error %v, want none", err)
	}
	f := stream.ExpectType(t, "vcard.changed")
	if f.Data.Str("jid") != p.jid("bob") || len(f.Data.Str("photo_hash")) != 40 || f.ID == "" {
		t.Errorf("got %s, want jid %v and 40 and some text", f.Raw, p.jid("bob"))
	}
	if card := p.api.Get(t, p.path("vcards", "bob")); card.Str("full_name") != "Bob Hat" || card.Str("photo.hash") != f.Data.Str("photo_hash") {
		t.Errorf("after the change: %v, want full_name %q and photo.hash %v", card, "Bob Hat", f.Data.Str("photo_hash"))
	}
}

// TestM11NicknameOfInvitations keeps the sender, with the nickname, across reconnects; and
// our own nickname goes out with our request.
func TestM11NicknameOfInvitations(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	var inv testkit.Object
	testkit.Eventually(t, 10*time.Second, func() error {
		if inv = p.api.Get(t, "/v1/invitations").Find("items", "jid", p.jid("mary")); inv == nil {
			return fmt.Errorf("no invitation")
		}
		return nil
	})
	if inv.Str("nick") != "Mary from accounting" || inv.Str("message") != "Hello!" {
		t.Errorf("invitation %v, want nick %q and message %q", inv, "Mary from accounting", "Hello!")
	}
	for range 2 {
		p.s.Drop("alice")
		awaitReconnect(t, stream)
	}
	p.barrier(t)
	if again := p.api.Get(t, "/v1/invitations").Find("items", "jid", p.jid("mary")); again.Str("nick") != inv.Str("nick") || again.Str("received_at") != inv.Str("received_at") {
		t.Errorf("after reconnects: %v, want nick %v and received_at %v", again, inv.Str("nick"), inv.Str("received_at"))
	}
	n := 0
	for _, f := range stream.Frames() {
		if f.Type == "invitation.received" {
			n++
		}
	}
	if n > 1 {
		t.Errorf("the same request was news %d times, want at most 1", n)
	}
	p.api.Call(t, http.StatusOK, http.MethodPost, p.path("invitations", "mary")+"/accept", map[string]any{})
	stream.Expect(t, "accepted", func(f testkit.Frame) bool {
		return f.Type == "invitation.accepted" && f.Data.Str("jid") == p.jid("mary")
	})
	if b := p.api.Get(t, p.path("buddies", "mary")); b.Str("name") != "Mary from accounting" {
		t.Errorf("mary is %v, want name %q", b, "Mary from accounting")
	}

	mary := live(t, p.as(t, "bWFyeQ=="), "")
	carol := p.as(t, carolToken)
	carol.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"jid": p.jid("mary"), "nick": "Çarol 👋", "message": "It is me"})
	f := mary.Expect(t, "carol's request", func(f testkit.Frame) bool {
		return f.Type == "invitation.received" && f.Data.Str("jid") == p.jid("carol")
	})
	if f.Data.Str("nick") != "Çarol 👋" || f.Data.Str("message") != "It is me" {
		t.Errorf("got %s, want nick %q and message %q", f.Raw, "Çarol 👋", "It is me")
	}
	p.as(t, "bWFyeQ==").Call(t, http.StatusOK, http.MethodPost, p.path("invitations", "carol")+"/decline", map[string]any{})
	mary.ExpectType(t, "invitation.declined")
}

// TestM14AccountsAreFoundByName looks accounts up, adds one by its account id, and gets 404
// when there is none.
func TestM14AccountsAreFoundByName(t *testing.T) {
	p := startMessenger(t, messengerAccounts())
	stream := live(t, p.api, "")
	found := p.api.Get(t, "/v1/jids?account=dora@contoso.com")
	if found.Str("jid") != p.jid("dora") || found.Str("account") != "dora@contoso.com" {
		t.Errorf("found %v, want jid %v and account %q", found, p.jid("dora"), "dora@contoso.com")
	}
	wantProblem(t, p.api.Call(t, http.StatusNotFound, http.MethodGet, "/v1/jids?account=nobody@contoso.com", nil), "item-not-found")
	wantProblem(t, p.api.Call(t, http.StatusNotFound, http.MethodPost, "/v1/buddies", map[string]any{"account": "nobody@contoso.com"}), "item-not-found")
	b := p.api.Call(t, http.StatusCreated, http.MethodPost, "/v1/buddies", map[string]any{"account": "Dora@Contoso.com", "name": "Dora"}).JSON(t)
	if b.Str("jid") != p.jid("dora") {
		t.Errorf("added %v, want jid %v", b, p.jid("dora"))
	}
	stream.Expect(t, "dora's presence", func(f testkit.Frame) bool {
		return f.Type == "presence" && f.Data.Str("jid") == p.jid("dora") && f.Data.Bool("available")
	})
	if n := len(p.api.Get(t, "/v1/buddies").List("items")); n != 3 {
		t.Errorf("%d buddies, want 3", n)
	}
}

// TestM14NoLookupOnProsody is 501 where the upstream has none.
func TestM14NoLookupOnProsody(t *testing.T) {
	s := testkit.SharedProsody(t)
	a := start(t, app.Upstream{Name: "real", Domain: s.Domain, Address: s.Addr, CAFile: s.CAFile, TokenMechanism: "X-MESSENGER-OAUTH2"})
	g := testkit.NewGateway(t, a.URL(), s.IssueToken(t, s.NewUser(t, "alice").JID))
	wantProblem(t, g.Call(t, http.StatusNotImplemented, http.MethodGet, "/v1/jids?account=dora@contoso.com", nil), "feature-unsupported")
	wantProblem(t, g.Call(t, http.StatusNotImplemented, http.MethodPost, "/v1/buddies", map[string]any{"account": "dora@contoso.com"}), "feature-unsupported")
}
