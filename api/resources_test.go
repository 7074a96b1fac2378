package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/perch-im/perch"
)

// lockedWriter lets several goroutines write a log.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// field reads one string of a JSON object.
func field(t testing.TB, body []byte, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("%v in %s, want a JSON object", err, body)
	}
	s, _ := m[name].(string)
	return s
}

type buddyItem struct {
	perch.Buddy
	Ask      *string         `json:"ask"`
	Presence json.RawMessage `json:"presence"`
}

type buddyList struct {
	Items []buddyItem `json:"items"`
	Next  *string     `json:"next"`
}

func (l buddyList) jids() string {
	var s []string
	for _, b := range l.Items {
		s = append(s, b.JID.Local())
	}
	return strings.Join(s, " ")
}

func withRoster(f *gateway, names ...string) {
	f.up.Edit(func(d *fakeData) {
		for i, n := range names {
			b := perch.Buddy{JID: perch.JID(n + "@example.net"), Name: strings.ToUpper(n), Groups: []string{"all"}, Subscription: perch.SubscriptionBoth}
			if i%2 == 0 {
				b.Groups = append(b.Groups, "even")
			}
			d.Roster = append(d.Roster, b)
		}
	})
	f.signIn()
	f.eventually("the roster is there", func() bool {
		var list buddyList
		f.want(200, "GET", "/v1/buddies?limit=200", "", &list)
		return len(list.Items) == min(len(names), 200)
	})
}

func TestBuddyList(t *testing.T) {
	f := newGateway(t)
	withRoster(f, "bob", "carol", "dave", "erin", "frank")
	for query, want := range map[string]string{
		"":                    "bob carol dave erin frank",
		"?group=even":         "bob dave frank",
		"?group=none":         "",
		"?q=R":                "carol erin frank",
		"?q=ERIN%40example":   "erin",
		"?limit=2":            "bob carol",
		"?group=even&limit=1": "bob",
		"?include=presence":   "bob carol dave erin frank",
	} {
		var list buddyList
		f.want(200, "GET", "/v1/buddies"+query, "", &list)
		if list.jids() != want {
			t.Errorf("%s: %q, want %q", query, list.jids(), want)
		}
		if list.Items == nil {
			t.Errorf("%s: items is null, want a list", query)
		}
	}
}

func TestBuddyPages(t *testing.T) {
	f := newGateway(t)
	withRoster(f, "bob", "carol", "dave", "erin", "frank")
	var seen []string
	path := "/v1/buddies?limit=2&group=all"
	for path != "" {
		var list buddyList
		a := f.want(200, "GET", path, "", &list)
		seen = append(seen, list.jids())
		link := a.header.Get("Link")
		if (list.Next == nil) != (link == "") {
			t.Fatalf("got next %v, Link %q, want both or none", list.Next, link)
		}
		if path, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">"); link != "" && !strings.HasSuffix(link, `; rel="next"`) {
			t.Errorf("Link %q, want rel=\"next\"", link)
		}
	}
	if got := strings.Join(seen, "|"); got != "bob carol|dave erin|frank" {
		t.Errorf("pages %q, want bob carol|dave erin|frank", got)
	}
}

func TestBuddyETag(t *testing.T) {
	f := newGateway(t)
	withRoster(f, "bob")
	etag := f.want(200, "GET", "/v1/buddies", "", nil).header.Get("ETag")
	for _, match := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
		a := f.want(304, "GET", "/v1/buddies", "", nil, "If-None-Match", match)
		if len(a.body) != 0 || a.header.Get("ETag") != etag {
			t.Errorf("%s: %v %q, want 304 without a body", match, a.header, a.body)
		}
	}
	f.conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: "carol@example.net", Groups: []string{}, Subscription: perch.SubscriptionNone}})
	f.eventually("another tag", func() bool {
		return f.call("GET", "/v1/buddies", "", "If-None-Match", etag).status == 200
	})
}

func TestBuddyWithPresence(t *testing.T) {
	f := newGateway(t)
	withRoster(f, "bob")
	f.conn.Deliver(&perch.PresenceIn{From: "bob@example.net/phone", Available: true, Show: perch.ShowAway, Status: "out", Priority: 3})
	f.eventually("presence", func() bool {
		var b struct {
			Presence struct{ Show, Status string }
		}
		a := f.call("GET", "/v1/buddies/bob@example.net?include=presence", "")
		return json.Unmarshal(a.body, &b) == nil && b.Presence.Show == "away" && b.Presence.Status == "out"
	})
	if a := f.want(200, "GET", "/v1/buddies/bob@example.net", "", nil); bytes.Contains(a.body, []byte("presence")) {
		t.Errorf("presence was not asked for: %s, want none", a.body)
	}
}

func TestBuddyAddChangeRemove(t *testing.T) {
	f := newGateway(t)
	withRoster(f, "bob")
	a := f.want(201, "POST", "/v1/buddies", `{"jid":"Carol@example.net","name":"C","groups":["x"],"message":"hi","nick":"Al"}`, nil)
	if a.header.Get("Location") != "/v1/buddies/carol@example.net" || field(t, a.body, "name") != "C" {
		t.Errorf("got %v %s, want the address and the name", a.header, a.body)
	}
	sub := next[*perch.SubscriptionOut](f)
	if sub.To != "carol@example.net" || sub.Type != "subscribe" || sub.Message != "hi" || sub.Nick != "Al" {
		t.Errorf("got %+v, want a subscribe with the message and the nickname", sub)
	}
	f.want(200, "POST", "/v1/buddies", `{"jid":"bob@example.net"}`, nil)

	b := f.want(200, "PATCH", "/v1/buddies/carol@example.net", `{"name":"Caroline"}`, nil)
	if field(t, b.body, "name") != "Caroline" || !bytes.Contains(b.body, []byte(`"groups":["x"]`)) {
		t.Errorf("got %s, want the new name, and the groups as they were", b.body)
	}
	c := f.want(200, "PATCH", "/v1/buddies/carol@example.net", `{"groups":[]}`, nil, "Content-Type", "application/merge-patch+json")
	if field(t, c.body, "name") != "Caroline" || !bytes.Contains(c.body, []byte(`"groups":[]`)) {
		t.Errorf("got %s, want the name as it was, and no groups", c.body)
	}
	f.want(204, "DELETE", "/v1/buddies/carol@example.net", "", nil)
	f.eventually("gone", func() bool { return f.call("GET", "/v1/buddies/carol@example.net", "").status == 404 })
	f.refused(404, "item-not-found", "", "DELETE", "/v1/buddies/nobody@example.net", "")
	f.refused(404, "item-not-found", "", "PATCH", "/v1/buddies/nobody@example.net", `{"name":"x"}`)
	f.refused(404, "item-not-found", "", "GET", "/v1/buddies/nobody@example.net", "")
}

func TestBuddyByAccount(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) { d.JIDs["mary@contoso.com"] = "1234@example.net" })
	f.signIn()
	a := f.want(201, "POST", "/v1/buddies", `{"account":"mary@contoso.com"}`, nil)
	if field(t, a.body, "jid") != "1234@example.net" || a.header.Get("Location") != "/v1/buddies/1234@example.net" {
		t.Errorf("got %v %s, want 1234@example.net and its address", a.header, a.body)
	}
	f.refused(404, "item-not-found", "", "POST", "/v1/buddies", `{"account":"nobody@contoso.com"}`)
	var found struct{ Account, JID string }
	f.want(200, "GET", "/v1/jids?account=mary@contoso.com", "", &found)
	if found.JID != "1234@example.net" || found.Account != "mary@contoso.com" {
		t.Errorf("got %+v, want 1234@example.net", found)
	}
	f.refused(404, "item-not-found", "", "GET", "/v1/jids?account=nobody@contoso.com", "")
}

// A roster item whose address fails strict parsing can be read and removed as it is.
func TestBuddyWithOddAddress(t *testing.T) {
	f := newGateway(t)
	const odd = "a b&c@example.net"
	f.up.Edit(func(d *fakeData) { d.Roster = []perch.Buddy{{JID: odd, Subscription: perch.SubscriptionBoth}} })
	f.signIn()
	path := "/v1/buddies/" + url.PathEscape(odd)
	f.eventually("there", func() bool { return f.call("GET", path, "").status == 200 })
	f.want(200, "GET", "/v1/presence/"+url.PathEscape(odd), "", nil)
	f.want(204, "DELETE", path, "", nil)
}

// What the Messenger service cannot do is refused before anything is sent to it.
func TestUpstreamWithoutFeatures(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) {
		d.Capabilities = perch.Capabilities{ChatOnly: true}
		d.Roster = []perch.Buddy{{JID: "bob@example.net", Subscription: perch.SubscriptionBoth}}
		d.Refuse = func(method string) error {
			if method == "Roster" {
				return nil
			}
			t.Errorf("%s reached the upstream, want it refused before", method)
			return nil
		}
	})
	f.signIn()
	f.eventually("in the roster", func() bool { return f.call("GET", "/v1/buddies/bob@example.net", "").status == 200 })
	for path, body := range map[string]string{
		"PATCH /v1/buddies/bob@example.net":     `{"name":"x"}`,
		"DELETE /v1/buddies/bob@example.net":    "",
		"PUT /v1/vcards/me":                     `{"nickname":"x"}`,
		"GET /v1/archive?with=bob@example.net":  "",
		"GET /v1/jids?account=mary@contoso.com": "",
		"POST /v1/buddies":                      `{"account":"mary@contoso.com"}`,

		"PATCH /v1/conversations/bob@example.net/messages/obTE":         `{"body":"x"}`,
		"DELETE /v1/conversations/bob@example.net/messages/obTE":        "",
		"PUT /v1/conversations/bob@example.net/messages/ibTE/reactions": `{"emojis":["👍"]}`,
		"GET /v1/conversations/bob@example.net/messages":                "",
		"GET /v1/conversations/bob@example.net/messages?q=x":            "",
	} {
		method, path, _ := strings.Cut(path, " ")
		f.refused(501, "feature-unsupported", "", method, path, body)
	}
	a := f.call("POST", "/v1/messages", `{"to":"bob@example.net","body":"x","kind":"headline"}`)
	if a.status != 501 && a.status != 422 {
		t.Errorf("another kind: %d %s, want 501 or 422", a.status, a.body)
	}
	for field, value := range map[string]string{
		"reply_to": `{"ref":"ibTE"}`, "mentions": `[{"jid":"bob@example.net"}]`, "attachments": `[{"url":"https://a.b/c"}]`, "payloads": `["<x xmlns='y'/>"]`,
	} {
		f.refused(422, "validation", "/"+field, "POST", "/v1/messages", `{"to":"bob@example.net","body":"x","`+field+`":`+value+`}`)
	}
}

type invitationList struct {
	Items []perch.Invitation `json:"items"`
	Next  *string            `json:"next"`
}

func TestInvitations(t *testing.T) {
	f := newGateway(t, func(o *gatewayOptions) { o.noRoster = true })
	conn := f.signIn()
	var list invitationList
	if f.want(200, "GET", "/v1/invitations", "", &list); list.Items == nil || len(list.Items) != 0 {
		t.Errorf("got %+v, want an empty list", list)
	}
	for _, n := range []string{"dave", "bob", "carol"} {
		conn.Deliver(&perch.SubscriptionIn{From: perch.JID(n + "@example.net"), Type: "subscribe", Nick: strings.ToUpper(n), Message: "let me in"})
	}
	f.eventually("all three", func() bool {
		f.want(200, "GET", "/v1/invitations", "", &list)
		return len(list.Items) == 3
	})
	if b := list.Items[0]; b.JID != "bob@example.net" || b.Nick != "BOB" || b.Message != "let me in" || b.ReceivedAt.IsZero() {
		t.Errorf("got %+v, want the invitation of bob", b)
	}
	if f.want(200, "GET", "/v1/invitations?limit=2", "", &list); len(list.Items) != 2 || list.Next == nil {
		t.Errorf("got %+v, want 2 items and a next page", list)
	}
	a := f.want(200, "POST", "/v1/invitations/bob@example.net/accept", `{"name":"Bob","groups":["x"]}`, nil)
	if field(t, a.body, "jid") != "bob@example.net" {
		t.Errorf("got %s, want the invitation of bob", a.body)
	}
	f.want(200, "POST", "/v1/invitations/carol@example.net/accept", `{"reciprocate":false}`, nil)
	f.want(200, "POST", "/v1/invitations/dave@example.net/decline", "", nil)
	got := map[string]bool{}
	for range 4 {
		s := next[*perch.SubscriptionOut](f)
		got[s.Type+" "+s.To.Local()] = true
	}
	for _, want := range []string{"subscribed bob", "subscribe bob", "subscribed carol", "unsubscribed dave"} {
		if !got[want] {
			t.Errorf("no %q among %v, want it among them", want, got)
		}
	}
	f.eventually("none pending", func() bool {
		f.want(200, "GET", "/v1/invitations", "", &list)
		return len(list.Items) == 0
	})
	a = f.call("POST", "/v1/invitations/bob@example.net/accept", "")
	if a.status != 404 {
		t.Errorf("the second answer: %d %s, want 404", a.status, a.body)
	}
}

type presenceList struct {
	Items []perch.Presence `json:"items"`
	AsOf  perch.Time       `json:"as_of"`
}

func TestPresence(t *testing.T) {
	f := newGateway(t)
	withRoster(f, "bob", "carol")
	f.conn.Deliver(&perch.PresenceIn{From: "bob@example.net/phone", Available: true, Show: perch.ShowDND, Priority: 1})
	var list presenceList
	f.eventually("bob is there", func() bool {
		f.want(200, "GET", "/v1/presence?jid=bob@example.net", "", &list)
		return len(list.Items) == 1 && list.Items[0].Available
	})
	if list.AsOf.IsZero() {
		t.Error("got no as_of, want the time")
	}
	a := f.want(200, "GET", "/v1/presence", "", &list)
	if len(list.Items) != 2 || list.Items[0].JID != "bob@example.net" || list.Items[0].Show != perch.ShowDND || list.Items[1].Available {
		t.Errorf("got %s, want bob, dnd, and another who is not available", a.body)
	}
	f.want(304, "GET", "/v1/presence", "", nil, "If-None-Match", a.header.Get("ETag"))
	if f.want(200, "GET", "/v1/presence?jid=BOB@example.net&jid=carol@example.net&jid=bob@example.net&jid=nobody@example.net", "", &list); len(list.Items) != 2 {
		t.Errorf("got %+v, want 2 items", list.Items)
	}
	one := f.want(200, "GET", "/v1/presence/carol@example.net", "", nil)
	if !bytes.Contains(one.body, []byte(`"available":false`)) || !bytes.Contains(one.body, []byte(`"resources":[]`)) || !bytes.Contains(one.body, []byte(`"show":null`)) {
		t.Errorf("got %s, want unavailable, without resources and show", one.body)
	}
	f.want(304, "GET", "/v1/presence/carol@example.net", "", nil, "If-None-Match", one.header.Get("ETag"))
	if p := f.want(404, "GET", "/v1/presence/nobody@example.net", "", nil).problem(t); p.Code != "item-not-found" && p.Code != "not-found" {
		t.Errorf("got %+v, want not-found", p)
	}
	f.refused(422, "validation", "?jid", "GET", "/v1/presence?"+strings.Repeat("jid=a@b.c&", 201), "")
	if n := len(f.up.Dials()); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

func TestOwnPresence(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	var own perch.OwnPresence
	f.want(200, "PUT", "/v1/presence/me", `{"show":"away","status":"lunch","priority":5}`, &own)
	want := perch.OwnPresence{Available: true, Show: perch.ShowAway, Status: "lunch", Priority: 5}
	if own != want {
		t.Errorf("got %+v, want %+v", own, want)
	}
	f.eventually("sent", func() bool { return next[*perch.PresenceOut](f).OwnPresence == want })
	f.eventually("kept", func() bool {
		f.want(200, "GET", "/v1/presence/me", "", &own)
		return own == want
	})
}

func TestVCards(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) {
		d.Cards["bob@example.net"] = perch.VCard{JID: "bob@example.net", FullName: "Bob", Photo: &perch.Photo{Data: pngOf(t, 2, 2)}}
		d.Cards["eve@example.net"] = perch.VCard{JID: "eve@example.net", Photo: &perch.Photo{Data: []byte("<svg><script/></svg>"), Type: "image/png"}}
	})
	f.signIn()
	a := f.want(200, "GET", "/v1/vcards/bob@example.net", "", nil)
	if field(t, a.body, "full_name") != "Bob" || a.header.Get("Vary") == "" {
		t.Errorf("got %v %s, want the card of Bob, by Accept", a.header, a.body)
	}
	f.want(304, "GET", "/v1/vcards/bob@example.net", "", nil, "If-None-Match", a.header.Get("ETag"))
	f.want(304, "GET", "/v1/vcards/bob@example.net?refresh=1", "", nil, "If-None-Match", a.header.Get("ETag"))
	text := f.want(200, "GET", "/v1/vcards/bob@example.net", "", nil, "Accept", "text/vcard")
	if !strings.HasPrefix(text.header.Get("Content-Type"), "text/vcard") || !bytes.Contains(text.body, []byte("\r\nFN:Bob\r\n")) {
		t.Errorf("got %v %s, want text/vcard with FN:Bob", text.header, text.body)
	}
	photo := f.want(200, "GET", "/v1/vcards/bob@example.net/photo", "", nil)
	if photo.header.Get("Content-Type") != "image/png" || photo.header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || !bytes.Equal(photo.body, pngOf(t, 2, 2)) {
		t.Errorf("got %v, want the PNG in a sandbox", photo.header)
	}
	f.want(304, "GET", "/v1/vcards/bob@example.net/photo", "", nil, "If-None-Match", photo.header.Get("ETag"))
	f.refused(404, "item-not-found", "", "GET", "/v1/vcards/eve@example.net/photo", "")
	f.refused(404, "item-not-found", "", "GET", "/v1/vcards/nobody@example.net", "")
	f.refused(404, "item-not-found", "", "GET", "/v1/vcards/nobody@example.net/photo", "")

	f.want(204, "PUT", "/v1/vcards/me", `{"full_name":"Alice","emails":["a@example.net"]}`, nil)
	f.eventually("the new card", func() bool {
		me := f.call("GET", "/v1/vcards/me?refresh=1", "")
		return me.status == 200 && field(t, me.body, "full_name") == "Alice" && field(t, me.body, "jid") == "alice@example.net"
	})
	f.refused(404, "item-not-found", "", "GET", "/v1/vcards/me/photo", "")
}

func TestArchive(t *testing.T) {
	f := newGateway(t)
	f.up.Edit(func(d *fakeData) {
		d.Archive = perch.ArchivePage{First: "a1", Last: "a2", Items: []perch.ArchiveItem{
			{Time: 1, MessageIn: perch.MessageIn{Message: perch.Message{StanzaID: "a1", ID: "m1", From: "bob@example.net/x", To: "alice@example.net",
				Kind: perch.NormalMessage, Body: "one", Subject: "S", Thread: "t", OriginID: "o1", Delay: &perch.Delay{Stamp: 1, From: "example.net"}, Source: perch.SourceArchive}}},
			{Time: 2, TimeIsArrival: true, MessageIn: perch.MessageIn{Sent: true, Message: perch.Message{StanzaID: "a2", From: "alice@example.net",
				To: "bob@example.net", Kind: perch.ChatMessage, Body: "two", Delay: &perch.Delay{}, Source: perch.SourceArchive}}},
			{Time: 3, Dropped: perch.DroppedEncrypted, MessageIn: perch.MessageIn{Message: perch.Message{StanzaID: "a3", ID: "m3", From: "bob@example.net/x",
				To: "alice@example.net", Kind: perch.ChatMessage, Delay: &perch.Delay{Stamp: 3}, Source: perch.SourceArchive}}},
			{Time: 4, TimeIsArrival: true, Dropped: perch.DroppedTooLarge, MessageIn: perch.MessageIn{Message: perch.Message{StanzaID: "a4",
				Delay: &perch.Delay{}, Source: perch.SourceArchive}}},
		}}
	})
	f.signIn()
	type page struct {
		Items      []map[string]any
		Relations  []map[string]any
		Dropped    []map[string]any
		Next, Prev *string
		Complete   bool
	}
	var got page
	a := f.want(200, "GET", "/v1/archive?with=bob@example.net&limit=2&start=2020-01-01T00:00:00Z", "", &got)
	if len(got.Items) != 2 || got.Items[0]["body"] != "one" || got.Next == nil || *got.Next != "a2" || got.Prev == nil || *got.Prev != "a1" {
		t.Errorf("got %s, want two items between a1 and a2", a.body)
	}
	want := []map[string]any{
		{"id": "a1", "message_id": "m1", "ref": theirRef("m1"), "origin_id": "o1", "from": "bob@example.net/x", "to": "alice@example.net", "direction": "in", "kind": "normal",
			"body": "one", "subject": "S", "thread": "t", "delay": map[string]any{"stamp": "1970-01-01T00:00:00.001Z", "from": "example.net"},
			"time": "1970-01-01T00:00:00.001Z", "time_is_arrival": false},
		{"id": "a2", "ref": perch.Ref{StanzaID: "a2"}.String(), "from": "alice@example.net", "to": "bob@example.net", "direction": "out", "kind": "chat",
			"body": "two", "delay": map[string]any{"stamp": nil}, "time": "1970-01-01T00:00:00.002Z", "time_is_arrival": true},
	}
	if !reflect.DeepEqual(got.Items, want) {
		t.Errorf("items %v, want %v", got.Items, want)
	}
	dropped := []map[string]any{
		{"reason": "encrypted", "from": "bob@example.net/x", "stanza_id": "a3", "time": "1970-01-01T00:00:00.003Z", "time_is_arrival": false},
		{"reason": "too_large", "stanza_id": "a4", "time": "1970-01-01T00:00:00.004Z", "time_is_arrival": true},
	}
	if !reflect.DeepEqual(got.Dropped, dropped) {
		t.Errorf("dropped %v, want %v", got.Dropped, dropped)
	}
	links := strings.Join(a.header.Values("Link"), " ")
	for _, want := range []string{"after=a2", "before=a1", "limit=2", `rel="next"`, `rel="prev"`} {
		if !strings.Contains(links, want) {
			t.Errorf("no %s in %s, want it in them", want, links)
		}
	}
	f.up.Edit(func(d *fakeData) { d.Archive.Complete = true })
	if f.want(200, "GET", "/v1/archive?with=bob@example.net&before=a9", "", &got); got.Prev != nil || got.Next == nil || !got.Complete {
		t.Errorf("the oldest page: %+v, want no previous page", got)
	}
	if f.want(200, "GET", "/v1/archive?with=bob@example.net&after=a0", "", &got); got.Prev == nil || got.Next != nil {
		t.Errorf("the newest page: %+v, want no next page", got)
	}
	f.up.Edit(func(d *fakeData) { d.Archive = perch.ArchivePage{Complete: true} })
	if a := f.want(200, "GET", "/v1/archive?with=bob@example.net", "", &got); !bytes.Contains(a.body, []byte(`"items":[],"dropped":[]`)) || got.Next != nil {
		t.Errorf("got %s, want an empty page", a.body)
	}
}

func TestUpstreamErrorsReachTheClient(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	var answer error
	f.up.Edit(func(d *fakeData) { d.Refuse = func(string) error { return answer } })
	for condition, status := range map[string]int{"forbidden": 403, "internal-server-error": 502, "remote-server-timeout": 504} {
		f.up.Edit(func(*fakeData) {
			answer = &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: condition, Type: "cancel", Text: "so"}}
		})
		p := f.want(status, "GET", "/v1/vcards/bob@example.net?refresh=1", "", nil).problem(t)
		if p.XMPP == nil || p.XMPP.Condition != condition || p.XMPP.Text != "so" {
			t.Errorf("%s: %+v, want the condition and the text of the upstream", condition, p)
		}
	}
}

func TestMessages(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	a := f.want(202, "POST", "/v1/messages", `{"to":"bob@example.net","body":"hé \ud83d\ude00","subject":"s","thread":"t"}`, nil)
	id := field(t, a.body, "id")
	if field(t, a.body, "status") != "accepted" || a.header.Get("Location") != "/v1/messages/"+id {
		t.Errorf("got %v %s, want accepted, and the address", a.header, a.body)
	}
	if m := next[*perch.MessageOut](f); m.To != "bob@example.net" || m.Body != "hé 😀" || m.Kind != perch.ChatMessage || m.ID != id || m.Subject != "s" || m.Thread != "t" {
		t.Errorf("got %+v, want the message as it was sent", m)
	}
	conn.Ack()
	var record perch.MessageRecord
	f.eventually("acked", func() bool {
		f.want(200, "GET", "/v1/messages/"+id, "", &record)
		return record.Status == perch.StatusAcked
	})
	if record.ID != id || record.To != "bob@example.net" || len(record.History) < 2 || record.History[0].Status != perch.StatusAccepted {
		t.Errorf("got %+v, want the history, from accepted on", record)
	}
	f.refused(404, "not-found", "", "GET", "/v1/messages/unknown", "")
}

func TestIdempotency(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	const body, other = `{"to":"bob@example.net","body":"once"}`, `{"to":"bob@example.net","body":"twice"}`
	first := f.want(202, "POST", "/v1/messages", body, nil, "Idempotency-Key", `"k-1"`)
	for _, key := range []string{`"k-1"`, "k-1"} {
		if again := f.want(202, "POST", "/v1/messages", body, nil, "Idempotency-Key", key); !bytes.Equal(again.body, first.body) {
			t.Errorf("%s: %s, first %s, want the same answer", key, again.body, first.body)
		}
	}
	f.refused(422, "idempotency-mismatch", "", "POST", "/v1/messages", other, "Idempotency-Key", `"k-1"`)

	withID := `{"id":"m-1","to":"bob@example.net","body":"once"}`
	second := f.want(202, "POST", "/v1/messages", withID, nil)
	if field(t, second.body, "id") != "m-1" {
		t.Errorf("got %s, want m-1", second.body)
	}
	f.want(202, "POST", "/v1/messages", withID, nil)
	f.refused(422, "idempotency-mismatch", "", "POST", "/v1/messages", `{"id":"m-1","to":"bob@example.net","body":"other"}`)
	f.want(202, "POST", "/v1/messages", `{"id":"last","to":"bob@example.net","body":"last"}`, nil)

	f.eventually("the last one is sent", func() bool { return next[*perch.MessageOut](f).ID == "last" })
	n := 0
	for _, out := range conn.Sent() {
		if _, ok := out.(*perch.MessageOut); ok {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d stanzas, want 3", n)
	}
}

func TestIdempotencyAtOnce(t *testing.T) {
	f := newGateway(t)
	conn := f.signIn()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := f.call("POST", "/v1/messages", `{"to":"bob@example.net","body":"once"}`, "Idempotency-Key", "k")
			if a.status != http.StatusAccepted && a.status != http.StatusConflict {
				t.Errorf("request %d: %d %s, want 202 or 409", i, a.status, a.body)
			}
		})
	}
	wg.Wait()
	f.want(202, "POST", "/v1/messages", `{"id":"last","to":"bob@example.net","body":"last"}`, nil)
	f.eventually("the last one is sent", func() bool { return next[*perch.MessageOut](f).ID == "last" })
	n := 0
	for _, out := range conn.Sent() {
		if m, ok := out.(*perch.MessageOut); ok && m.Body == "once" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d stanzas, want 1", n)
	}
}

func TestChatStates(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	for _, state := range []string{"active", "composing", "paused", "inactive", "gone"} {
		f.want(204, "PUT", "/v1/chat-states/bob@example.net", fmt.Sprintf(`{"state":%q}`, state), nil)
		if out := next[*perch.ChatStateOut](f); string(out.State) != state || out.To != "bob@example.net" {
			t.Errorf("got %+v, want %s to bob", out, state)
		}
	}
}
