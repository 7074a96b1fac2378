package api_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// preambleOf is what a stream says before its first live event.
type preambleOf struct {
	resumed bool
	reason  string
	ids     []string // durable events
	types   []string // of everything else, hello and live left out
	tip     string
}

// preamble opens a stream in any encoding, the poll included, and reads up to live.
func (g *gateway) preamble(encoding, token, query string) preambleOf {
	g.t.Helper()
	p := preambleOf{}
	var rest []envelope
	if encoding == "poll" {
		a := g.poll(token, query)
		p.resumed, p.tip, rest = a.Reset == nil, a.Next, a.Events
		if a.Reset != nil {
			p.reason = a.Reset.Reason
		}
	} else {
		f := g.stream(encoding, token, query)
		defer f.close()
		all := upTo(g.t, f, "live")
		var hello helloFrame
		all[0].into(g.t, &hello)
		var live struct{ Tip string }
		all[len(all)-1].into(g.t, &live)
		if all[0].Type != "hello" || hello.Tip != live.Tip {
			g.t.Fatalf("%s: began with %s of tip %s, live has tip %s, want hello first, and one tip", encoding, all[0].Type, hello.Tip, live.Tip)
		}
		p.resumed, p.reason, p.tip, rest = hello.Resumed, hello.reason(), hello.Tip, all[1:len(all)-1]
	}
	p.ids = durable(rest)
	for _, e := range rest {
		if e.ID == "" {
			p.types = append(p.types, e.Type)
		}
	}
	return p
}

// TestResumeMatrix asks every encoding with every kind of cursor.
func TestResumeMatrix(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.retention = sessions.Retention{Events: 20} })
	conn := g.open("tok-alice")
	other := g.open("tok-other")
	say(other, "other")
	foreign := g.waitLogged("tok-other", other)
	early := g.waitLogged("tok-alice", conn)
	for i := range 25 { // the early ones leave the log
		say(conn, fmt.Sprint("late-", i))
	}
	tip := g.waitLogged("tok-alice", conn)
	epoch, offset, _ := strings.Cut(tip, "-")
	n, _ := strconv.Atoi(offset)
	same := fmt.Sprint(epoch, "-", n-3)
	snapshots := []string{"roster.snapshot", "invitations.snapshot", "presence.snapshot"}

	for _, c := range []struct {
		name, since string
		reason      string // "": resumed
		ids         int
	}{
		{"first", "", sessions.ResetFirst, 0},
		{"same epoch", same, "", 3},
		{"same epoch, nothing new", tip, "", 0},
		{"expired", early, sessions.ResetExpired, 0},
		{"epoch of a log that was lost", "0123456789-3", sessions.ResetEpoch, 0},
		{"other session's id", foreign, sessions.ResetEpoch, 0},
		{"future", fmt.Sprint(epoch, "-", n+1), sessions.ResetUnknown, 0},
		{"far future", epoch + "-18446744073709551615", sessions.ResetUnknown, 0},
		{"garbage", "garbage", sessions.ResetUnknown, 0},
		{"garbage like a cursor", epoch + "-007", sessions.ResetUnknown, 0},
		{"garbage with signs", "'\"><é€", sessions.ResetUnknown, 0},
		{"very long", strings.Repeat("a", 3000) + "-1", sessions.ResetUnknown, 0},
	} {
		for _, encoding := range append([]string{"poll"}, encodings...) {
			t.Run(c.name+"/"+encoding, func(t *testing.T) {
				query := ""
				if c.since != "" {
					query = since(c.since)
				}
				p := g.preamble(encoding, "tok-alice", query)
				if p.resumed != (c.reason == "") || p.reason != c.reason {
					t.Fatalf("resumed %v, reason %q; want reason %q", p.resumed, p.reason, c.reason)
				}
				if len(p.ids) != c.ids || c.ids > 0 && p.ids[c.ids-1] != tip {
					t.Errorf("durable ids %v; want %d up to %s", p.ids, c.ids, tip)
				}
				want := snapshots
				if c.reason == "" {
					want = snapshots[2:]
					if encoding == "poll" {
						want = nil
					}
				}
				if diff := cmp.Diff(want, p.types); diff != "" {
					t.Errorf("snapshots (-want +got):\n%s", diff)
				}
				if p.tip != tip {
					t.Errorf("tip %s, want %s", p.tip, tip)
				}
			})
		}
	}
}

// waitLogged waits until everything that was delivered is in the log, and returns the tip.
func (g *gateway) waitLogged(token string, conn *fakexmpp.Conn) (tip string) {
	g.t.Helper()
	f := g.stream("ndjson", token, "types=message.received")
	defer f.close()
	upTo(g.t, f, "live")
	marker := rand.Text()
	say(conn, marker)
	for {
		e, err := f.next()
		if err != nil {
			g.t.Fatalf("f.next: got error %v, want none", err)
		}
		if strings.Contains(string(e.Data), marker) {
			return e.ID
		}
	}
}

// TestHello has everything that the contract lists.
func TestHello(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		e, err := f.next()
		if err != nil {
			t.Fatalf("f.next: got error %v, want none", err)
		}
		var h helloFrame
		e.into(t, &h)
		if e.Type != "hello" || e.Time == "" || h.Protocol != 1 || !strings.HasPrefix(h.ConnectionID, "c_") || h.HeartbeatMS != 25000 ||
			h.Resumed || h.reason() != "first" || h.Tip == "" || h.Session.JID != "alice@example.net" || h.Session.State != "online" ||
			h.Limits["frame_bytes"] != 65536 || h.Limits["commands_per_min"] != 120 || h.Retention["events"] != 10000 || h.Retention["seconds"] != 86400 {
			t.Errorf("%s: hello %s, want the fields of protocol 1", encoding, e.Data)
		}
		f.close()
	}
}

// TestSameEventsEverywhere compares one live series in all streaming encodings.
func TestSameEventsEverywhere(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	var feeds []feed
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
		feeds = append(feeds, f)
	}
	for i := range 50 {
		say(conn, fmt.Sprint("m", i))
	}
	var want []envelope
	for i, f := range feeds {
		var got []envelope
		for len(durable(got)) < 50 {
			e, err := f.next()
			if err != nil {
				t.Fatalf("f.next: got error %v, want none", err)
			}
			if e.Type == "message.received" {
				got = append(got, e)
			}
		}
		if i == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from %s (-want +got):\n%s", encodings[i], encodings[0], diff)
		}
	}
}

func TestSSEForm(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	tip := g.waitLogged("tok-alice", conn)
	say(conn, "m1")
	say(conn, "m2")
	g.waitLogged("tok-alice", conn)
	all := g.poll("tok-alice", since(tip)).Events
	res, err := g.client.Do(g.request(t.Context(), http.MethodGet, "/v1/events?since=garbage", "tok-alice",
		http.Header{"Accept": {"text/event-stream"}, "Last-Event-ID": {all[0].ID}}))
	if err != nil {
		t.Fatalf("g.client.Do: got error %v, want none", err)
	}
	defer res.Body.Close()
	for k, v := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if res.Header.Get(k) != v {
			t.Errorf("%s: %q, want %q", k, res.Header.Get(k), v)
		}
	}
	f := newLines(res, true)
	got := upTo(t, f, "live")
	if diff := cmp.Diff(durable(all)[1:], durable(got)); diff != "" {
		t.Errorf("Last-Event-ID must beat since (-want +got):\n%s", diff)
	}
	if f.retry != "2000" || f.lastID != all[2].ID || len(all) != 3 {
		t.Errorf("got retry %q, last id %q, want 2000, the id of the third frame, and 3 frames", f.retry, f.lastID)
	}
}

// EventSource polyfills put the id of the last event into the query.
func TestLastEventIDInTheQuery(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	tip := g.waitLogged("tok-alice", conn)
	say(conn, "m1")
	say(conn, "m2")
	g.waitLogged("tok-alice", conn)
	all := g.poll("tok-alice", since(tip)).Events
	for _, tt := range []struct {
		query, header string
		want          int // events of all that are not repeated
	}{
		{"lastEventId=" + all[0].ID, "", 1},
		{"since=" + tip + "&lastEventId=" + all[1].ID, "", 2},
		{"lastEventId=" + tip, all[0].ID, 1},
		{"lastEventId=&since=" + all[0].ID, "", 1},
		{"lastEventID=" + all[0].ID, "", 1},
		{"evs_last_event_id=" + all[0].ID, "", 1},
		{"Last-Event-ID=" + all[0].ID, "", 1},
		{"last_event_id=" + all[0].ID, "", 1},
	} {
		header := http.Header{"Accept": {"text/event-stream"}}
		if tt.header != "" {
			header.Set("Last-Event-ID", tt.header)
		}
		res, err := g.client.Do(g.request(t.Context(), http.MethodGet, "/v1/events?"+tt.query, "tok-alice", header))
		if err != nil {
			t.Fatalf("g.client.Do: got error %v, want none", err)
		}
		got := durable(upTo(t, newLines(res, true), "live"))
		if diff := cmp.Diff(durable(all)[tt.want:], got); diff != "" {
			t.Errorf("%s, header %q (-want +got):\n%s", tt.query, tt.header, diff)
		}
		res.Body.Close()
	}
	sse := http.Header{"Accept": {"text/event-stream"}}
	for _, tt := range []struct {
		query   string
		header  http.Header
		pointer string
	}{
		{"lastEventId=a&lastEventId=b", sse, "?lastEventId"},
		{"lastEventId=%00", sse, "?lastEventId"},
		{"lastEvent=a", sse, "?lastEvent"},
		{"lastEventId=a", nil, "?lastEventId"},
		{"lastEventId=a", http.Header{"Accept": {"application/x-ndjson"}}, "?lastEventId"},
	} {
		res, body := g.get("/v1/events?"+tt.query, "tok-alice", tt.header)
		if res.StatusCode != 422 || !strings.Contains(string(body), `"pointer":"`+tt.pointer+`"`) {
			t.Errorf("%s %v: %d %s, want 422 at %s", tt.query, tt.header, res.StatusCode, body, tt.pointer)
		}
	}
	if res, body := g.get("/v1/events?lastEventId=a&last_event_id=b", "tok-alice", sse); res.StatusCode != 422 || !strings.Contains(string(body), "must not be repeated") {
		t.Errorf("two spellings: %d %s, want 422: must not be repeated", res.StatusCode, body)
	}
}

func TestAcceptChoosesEncoding(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	for accept, want := range map[string]string{
		"":                                "application/json",
		"*/*":                             "application/json",
		"application/json":                "application/json",
		"text/html":                       "application/json",
		"text/event-stream":               "text/event-stream",
		"application/x-ndjson, */*;q=0.1": "application/x-ndjson",
		"text/event-stream, */*":          "text/event-stream",
		"text/event-stream;q=0.5, application/x-ndjson":        "application/x-ndjson",
		"application/json, text/event-stream":                  "application/json",
		"application/json;q=0.5, text/event-stream":            "text/event-stream",
		"text/event-stream;q=0, application/json;q=0.1":        "application/json",
		"application/problem+json, application/json, text/xml": "application/json",

		"TEXT/EVENT-STREAM":                                    "text/event-stream",
		"Application/X-NDJson;Q=0.9, */*;q=0.1":                "application/x-ndjson",
		"text/event-streaming, */*":                            "application/json",
		"application/x-ndjson-seq, */*;q=0.1":                  "application/json",
		"application/json-seq, text/event-stream":              "text/event-stream",
		"x-text/event-stream":                                  "application/json",
		`application/json;a="text/event-stream"`:               "application/json",
		`application/xml;a=", text/event-stream, "`:            "application/json",
		"text/event-stream;q=0, */*":                           "application/json",
		"text/event-stream;q=0":                                "application/json",
		"text/event-stream;q=0.000, application/x-ndjson;q=.2": "application/x-ndjson",
		"text/event-stream;q=0.5, */*":                         "application/json",
		"application/json;q=0, */*":                            "text/event-stream",
		"application/json;q=0.5, */*":                          "application/json",
		"application/json;q=0.9, text/event-stream;q=0.8":      "application/json",
		"application/json;q=NaN, text/event-stream":            "text/event-stream",
		"text/event-stream;q=NaN":                              "application/json",
		"text/event-stream;q=1e0":                              "application/json",
		"text/*":                                               "text/event-stream",
		"text/*, application/json":                             "application/json",
		"application/*":                                        "application/json",
		"text/event-stream;charset=UTF-8":                      "text/event-stream",
		"text/event-stream; charset=\"utf8\"":                  "text/event-stream",
		"text/event-stream;charset=iso-8859-1, */*;q=0.1":      "application/json",
		"\ttext/event-stream ;":                                "text/event-stream",
		"*":                                                    "application/json",
		",, text/event-stream,":                                "text/event-stream",
		"text/html;level, text/event-stream;q=0.1":             "text/event-stream",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		res, err := g.client.Do(g.request(ctx, http.MethodGet, "/v1/events", "tok-alice", http.Header{"Accept": {accept}}))
		if err != nil {
			t.Fatalf("g.client.Do: got error %v, want none", err)
		}
		if got := res.Header.Get("Content-Type"); got != want || res.StatusCode != 200 {
			t.Errorf("Accept %q: %d %s, want %s", accept, res.StatusCode, got, want)
		}
		cancel()
		res.Body.Close()
	}
}

func TestEventQueryIsChecked(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	for query, pointer := range map[string]string{
		"wait=61": "?wait", "wait=-1": "?wait", "wait=x": "?wait", "limit=0": "?limit", "limit=201": "?limit",
		"types=nope": "?types", "types=message": "?types", "types=*.*": "?types", "types=*,nope": "?types", "types=stanza.*": "?types", "types=message.*,nope.*": "?types", "types=hello": "?types",
		"sinse=x": "?sinse", "since=a&since=b": "?since",
	} {
		res, body := g.get("/v1/events?"+query, "tok-alice", nil)
		if res.StatusCode != 422 || !strings.Contains(string(body), `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s, want 422 at %s", query, res.StatusCode, body, pointer)
		}
	}
	res, _ := g.get("/v1/events", "", nil)
	if res.StatusCode != 401 {
		t.Errorf("without a token: %d, want 401", res.StatusCode)
	}
}

func TestTypesFilter(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "types=message.*,vcard.changed")
		if got := typesIn(upTo(t, f, "live")); got[0] != "hello" || got[len(got)-1] != "live" {
			t.Errorf("%s: control frames %v, want hello first and live last", encoding, got)
		}
		conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: "eve@example.net", Groups: []string{}, Subscription: perch.SubscriptionTo, Name: encoding}})
		conn.Deliver(&perch.PresenceIn{From: "bob@example.net/phone", Available: true, Status: encoding})
		say(conn, "after-"+encoding)
		e, err := f.next()
		if err != nil || e.Type != "message.received" {
			t.Errorf("%s: %s, %v, want message.received", encoding, e.Type, err)
		}
		f.close()
	}
}

// TestCutStreamsLoseNoEvent cuts streams of random encodings at random frames while messages
// arrive: what was received, put together, has no hole and no repeat.
func TestCutStreamsLoseNoEvent(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	number := 0
	rapid.Check(t, func(rt *rapid.T) {
		cursor := g.poll("tok-alice", "").Next
		var want, got []string
		send := func(n int) {
			for range min(n, 60-len(want)) {
				number++
				id := fmt.Sprint("n", number)
				want = append(want, id)
				say(conn, id)
			}
		}
		take := func(e envelope) {
			if e.ID == "" {
				return
			}
			cursor = e.ID
			if e.Type == "message.received" {
				var m struct{ ID string }
				e.into(t, &m)
				got = append(got, m.ID)
			}
		}
		for len(want) < 60 || len(got) < len(want) {
			send(rapid.IntRange(0, 8).Draw(rt, "before"))
			switch encoding := rapid.SampledFrom([]string{"ws", "sse", "ndjson", "poll"}).Draw(rt, "encoding"); encoding {
			case "poll":
				p := g.poll("tok-alice", since(cursor)+"&limit="+fmt.Sprint(rapid.IntRange(1, 9).Draw(rt, "limit")))
				for _, e := range p.Events {
					take(e)
				}
				cursor = p.Next
			default:
				f := g.stream(encoding, "tok-alice", since(cursor))
				send(rapid.IntRange(0, 8).Draw(rt, "during"))
				live := false
				for range rapid.IntRange(0, 12).Draw(rt, "frames") {
					e, err := f.next()
					if err != nil {
						rt.Fatalf("f.next: got error %v, want none", err)
					}
					if e.Type == "hello" && !strings.Contains(string(e.Data), `"resumed":true`) {
						rt.Fatalf("not resumed: %s, want resumed", e.Data)
					}
					take(e)
					if live = live || e.Type == "live"; live && len(got) == len(want) {
						break // nothing more will come
					}
				}
				f.close()
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("received (-want +got):\n%s", diff)
		}
	})
}

// TestOverTLS: SSE and NDJSON over HTTP/2, the socket over TLS, and a drain of all.
func TestOverTLS(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.tls = true })
	conn := g.open("tok-alice")
	res, _ := g.get("/v1/events", "tok-alice", nil)
	if res.ProtoMajor != 2 {
		t.Fatalf("got HTTP/%d, want HTTP/2", res.ProtoMajor)
	}
	var feeds []feed
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
		feeds = append(feeds, f)
	}
	say(conn, "m1")
	for _, f := range feeds {
		upTo(t, f, "message.received")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var drained sync.WaitGroup
	drained.Go(func() { g.api.Drain(ctx) })
	for i, f := range feeds {
		upTo(t, f, "reconnect")
		_, err := f.next()
		if encodings[i] == "ws" && websocket.CloseStatus(err) != 4200 || encodings[i] != "ws" && !errors.Is(err, io.EOF) {
			t.Errorf("%s: ended with %v, want 4200, or a clean end of lines", encodings[i], err)
		}
	}
	drained.Wait()
}

// TestEndedSession: every encoding reports it.
func TestEndedSession(t *testing.T) {
	g := newGateway(t)
	g.open("tok-alice")
	var feeds []feed
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
		feeds = append(feeds, f)
	}
	res, _ := g.fetch(http.MethodDelete, "/v1/session", "tok-alice", nil)
	if res.StatusCode != 204 {
		t.Fatalf("DELETE: %d, want 204", res.StatusCode)
	}
	for i, f := range feeds {
		all := upTo(t, f, "error")
		last := all[len(all)-1]
		if last.Error.Code != "not-found" || last.Close == nil || last.Close.Code != 4004 {
			t.Errorf("%s: %+v, want not-found and 4004", encodings[i], last)
		}
		_, err := f.next()
		if err == nil || encodings[i] == "ws" && websocket.CloseStatus(err) != 4004 {
			t.Errorf("%s: ended with %v, want 4004, or an end of lines", encodings[i], err)
		}
	}
}

// TestClosingAStreamChangesNothing: presence and session stay when every socket is gone.
func TestClosingAStreamChangesNothing(t *testing.T) {
	g := newGateway(t)
	conn := g.open("tok-alice")
	before := len(conn.Sent())
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		upTo(t, f, "live")
		f.close()
	}
	g.poll("tok-alice", "")
	if after := conn.Sent(); len(after) != before || conn.Closed() {
		t.Errorf("streams made the session send %v, want nothing sent", after[before:])
	}
	if n := len(g.up.Dials()); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

// TestTooManyStreams: 429 for a program, 4009 for a page.
func TestTooManyStreams(t *testing.T) {
	g := newGateway(t, func(o *gatewayOptions) { o.StreamsPerToken = 3 })
	g.open("tok-alice")
	g.open("tok-other")
	var feeds []feed
	for _, encoding := range encodings {
		f := g.stream(encoding, "tok-alice", "")
		defer f.close()
		upTo(t, f, "live")
		feeds = append(feeds, f)
	}
	for _, accept := range []string{"application/json", "text/event-stream", "application/x-ndjson"} {
		res, body := g.get("/v1/events", "tok-alice", http.Header{"Accept": {accept}})
		if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "quota-exceeded") {
			t.Errorf("%s: %d %s, want 429 quota-exceeded with Retry-After", accept, res.StatusCode, body)
		}
	}
	_, res, err := websocket.Dial(t.Context(), g.wsURL(""), &websocket.DialOptions{HTTPClient: g.client, HTTPHeader: http.Header{"Authorization": {"Bearer tok-alice"}}})
	if err == nil || res.StatusCode != 429 {
		t.Errorf("fourth socket: %v, want 429", err)
	}
	page := g.socket(t.Context(), func() {}, "tok-alice", "", http.Header{"Origin": {g.srv.URL}})
	all, code := closeCode(t, page)
	if code != 4009 || len(all) != 1 || all[0].Error.Code != "quota-exceeded" {
		t.Errorf("a page's fourth socket: %v, closed with %d, want quota-exceeded and 4009", all, code)
	}
	g.dial("tok-other").close() // another session has its own share
	feeds[0].close()
	again := g.dialWhenFree("tok-alice")
	again.close()
}

// dialWhenFree dials until the quota allows it: the server notices later that a client has left.
func (g *gateway) dialWhenFree(token string) *socketFeed {
	g.t.Helper()
	for range 1000 {
		ctx, cancel := context.WithCancel(context.Background())
		ws, _, err := websocket.Dial(ctx, g.wsURL(""), &websocket.DialOptions{HTTPClient: g.client, HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
		if err == nil {
			f := &socketFeed{g.t, ctx, ws, cancel, sentCommands{}}
			upTo(g.t, f, "live")
			return f
		}
		cancel()
	}
	g.t.Fatal("got no socket in 1000 attempts, want one after another was closed")
	return nil
}

// roster changes shown by snapshot and events must come to the same.
func TestSnapshotPlusEventsIsState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := newGateway(t)
		conn := g.open("tok-alice")
		old := fold(t, g.poll("tok-alice", ""))
		cursor := old.next
		for range rapid.IntRange(1, 25).Draw(rt, "changes") {
			change(rt, conn)
		}
		g.waitLogged("tok-alice", conn)
		for {
			p := g.poll("tok-alice", since(cursor)+"&limit=200")
			if len(p.Events) == 0 {
				break
			}
			old.apply(t, p.Events)
			cursor = p.Next
		}
		fresh := fold(t, g.poll("tok-alice", ""))
		if diff := cmp.Diff(fresh.roster, old.roster); diff != "" {
			rt.Fatalf("roster by events differs from a fresh snapshot (-fresh +events), want none:\n%s", diff)
		}
		if diff := cmp.Diff(fresh.invitations, old.invitations); diff != "" {
			rt.Fatalf("invitations by events differ from a fresh snapshot (-fresh +events), want none:\n%s", diff)
		}
	})
}

func change(rt *rapid.T, conn *fakexmpp.Conn) {
	jid := perch.JID(rapid.SampledFrom([]string{"a@x", "b@x", "c@x"}).Draw(rt, "jid"))
	switch rapid.IntRange(0, 3).Draw(rt, "kind") {
	case 0:
		conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: jid, Name: rapid.SampledFrom([]string{"", "N", "M"}).Draw(rt, "name"), Groups: []string{}, Subscription: perch.SubscriptionTo}})
	case 1:
		conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: jid, Groups: []string{}, Subscription: perch.SubscriptionRemove}})
	case 2:
		conn.Deliver(&perch.SubscriptionIn{From: jid, Type: "subscribe", Nick: rapid.SampledFrom([]string{"", "nick"}).Draw(rt, "nick")})
	case 3:
		conn.Deliver(&perch.SubscriptionIn{From: jid, Type: "unsubscribe"})
	}
}

// state is what a client knows by snapshot and events.
type state struct {
	next                string
	roster, invitations map[string]string
}

type keyed struct {
	JID string `json:"jid"`
}

func fold(t testing.TB, p pollAnswer) state {
	t.Helper()
	s := state{p.Next, map[string]string{}, map[string]string{}}
	s.apply(t, p.Events)
	return s
}

func (s *state) apply(t testing.TB, events []envelope) {
	t.Helper()
	for _, e := range events {
		var k keyed
		e.into(t, &k)
		switch e.Type {
		case "roster.snapshot":
			s.roster = map[string]string{}
			s.items(t, e, s.roster)
		case "invitations.snapshot":
			s.invitations = map[string]string{}
			s.items(t, e, s.invitations)
		case "roster.item":
			s.roster[k.JID] = string(e.Data)
		case "roster.removed":
			delete(s.roster, k.JID)
		case "invitation.received":
			s.invitations[k.JID] = string(e.Data)
		case "invitation.accepted", "invitation.declined", "invitation.cancelled":
			delete(s.invitations, k.JID)
		}
	}
}

func (s *state) items(t testing.TB, e envelope, into map[string]string) {
	t.Helper()
	var list struct {
		Items []rawItem `json:"items"`
	}
	e.into(t, &list)
	for _, i := range list.Items {
		into[i.jid] = i.text
	}
}

// rawItem keeps an item as it was written, beside its key.
type rawItem struct{ jid, text string }

func (i *rawItem) UnmarshalJSON(b []byte) error {
	i.text = string(slices.Clone(b))
	_, rest, _ := strings.Cut(i.text, `"jid":"`)
	i.jid, _, _ = strings.Cut(rest, `"`)
	return nil
}
