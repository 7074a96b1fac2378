package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestHelloHasFeatures: what a client may name is said before it names it, and every name that is
// said is described.
func TestHelloHasFeatures(t *testing.T) {
	f := newGateway(t)
	f.uploadsAt("https://up.test")
	f.up.Edit(func(d *fakexmpp.Data) { d.Blocking = true })
	f.signIn()
	stream := f.stream("ws", token, "")
	defer stream.close()
	e, err := stream.next()
	var hello struct {
		Features []string
		Session  struct{ Features []string }
	}
	if err != nil || e.Type != "hello" {
		t.Fatalf("got %+v, %v, want hello", e, err)
	}
	e.into(t, &hello)
	if want := []string{"blocking", "conversations", "message-edit", "message-react", "message-retract", "rooms", "uploads", "push", "webhooks"}; !slices.Equal(hello.Features, want) {
		t.Errorf("got the features %q, want %q", hello.Features, want)
	}
	for _, name := range hello.Features {
		if name == "conversations" || name == "push" || name == "webhooks" {
			continue // are the gateway's own
		}
		if !slices.Contains(hello.Session.Features, name) {
			t.Errorf("got %q of the session, want %s in it", hello.Session.Features, name)
		}
	}
}

// TestConversationsFilter: every kind of stream shows what its filter names, and the rest is not
// touched by it.
func TestConversationsFilter(t *testing.T) {
	for _, encoding := range append(slices.Clone(encodings), "poll") {
		for _, c := range []struct {
			filter string
			want   string
		}{
			{"", "b1 c1 b2"}, {"*", "b1 c1 b2"}, {"none", ""}, {"bob@example.net", "b1 b2"}, {"BOB@Example.net,", "b1 b2"}, {"carol@example.net, dave@example.net", "c1"},
		} {
			t.Run(encoding+" "+c.filter, func(t *testing.T) {
				f := newGateway(t)
				f.signIn()
				since := f.poll(token, "").Next
				query := "since=" + since + "&types=message.received,roster.item&conversations=" + url.QueryEscape(c.filter)
				wrote(f, "bob@example.net", "b1")
				wrote(f, "carol@example.net", "c1")
				wrote(f, "bob@example.net", "b2")
				f.conn.Deliver(&perch.RosterPush{Item: perch.Buddy{JID: "dave@example.net", Subscription: perch.SubscriptionBoth}})
				var got []envelope
				if encoding == "poll" {
					f.eventually("the last event", func() bool {
						got = f.poll(token, query+"&wait=1").Events
						return len(got) > 0 && got[len(got)-1].Type == "roster.item"
					})
				} else {
					stream := f.stream(encoding, token, query)
					defer stream.close()
					got = upTo(t, stream, "roster.item")
				}
				if ids := receivedIDs(t, got); ids != c.want {
					t.Errorf("got the messages %q, want %q", ids, c.want)
				}
			})
		}
	}
}

func receivedIDs(t *testing.T, all []envelope) string {
	var ids []string
	for _, e := range all {
		if e.Type == "message.received" {
			var m perch.Message
			e.into(t, &m)
			ids = append(ids, m.ID)
		}
	}
	return strings.Join(ids, " ")
}

// TestSubscribeReplacesBothFilters, and says what holds.
func TestSubscribeReplacesBothFilters(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	stream, unfiltered := f.dial(token), f.dial(token)
	defer stream.close()
	defer unfiltered.close()
	for _, c := range []struct{ data, want, ids string }{
		{`{"types":["message.received"],"conversations":["bob@example.net","BOB@example.net"]}`, `{"types":["message.received"],"conversations":["bob@example.net","bob@example.net"]}`, "b1"},
		{`{"types":["message.received","roster.*"],"conversations":["none"]}`, `{"types":["message.received","roster.*"],"conversations":["none"]}`, ""},
		{`{"types":["message.received"]}`, `{"types":["message.received"]}`, "b3 c3"},
		{`{"types":["message.received"],"conversations":["*"]}`, `{"types":["message.received"]}`, "b4 c4"},
		{`{"types":["message.received"],"conversations":[]}`, `{"types":["message.received"]}`, "b5 c5"},
	} {
		n := c.ids[min(1, len(c.ids)):min(2, len(c.ids))]
		if n == "" {
			n = "2"
		}
		if e := stream.answerTo(`{"id":"s` + n + `","type":"subscribe","data":` + c.data + `}`); string(e.Data) != c.want {
			t.Fatalf("%s: got %s (%+v), want %s", c.data, e.Data, e.Error, c.want)
		}
		wrote(f, "bob@example.net", "b"+n)
		wrote(f, "carol@example.net", "c"+n)
		for ids := ""; !strings.HasSuffix(ids, "c"+n); { // both are published by then
			ids = receivedIDs(t, upTo(t, unfiltered, "message.received"))
		}
		var got []envelope
		for range strings.FieldsSeq(c.ids) {
			got = append(got, upTo(t, stream, "message.received")...)
		}
		stream.send(`{"id":"p` + n + `","type":"ping"}`) // what is one too many comes before the reply, or counts as of the next filter
		if ids := receivedIDs(t, append(got, upTo(t, stream, "reply")...)); ids != c.ids {
			t.Errorf("%s: got the messages %q, want %q", c.data, ids, c.ids)
		}
	}
}

// TestBadConversationsFilter is refused by every kind of stream.
func TestBadConversationsFilter(t *testing.T) {
	f := newGateway(t)
	f.signIn()
	many := make([]string, 201)
	for i := range many {
		many[i] = fmt.Sprintf("a%d@example.net", i)
	}
	for _, c := range []struct{ value, code string }{
		{"@", "jid-malformed"}, {"none,bob@example.net", "validation"}, {"*,bob@example.net", "validation"}, {"none,none", "validation"}, {strings.Join(many, ","), "validation"},
	} {
		query := "?conversations=" + url.QueryEscape(c.value)
		for _, accept := range []string{"application/json", "application/x-ndjson", "text/event-stream"} {
			a := f.call("GET", "/v1/events"+query, "", "Accept", accept)
			if p := a.problem(t); p.Status != 422 || p.Code != c.code || len(p.Errors) == 0 || p.Errors[0].Pointer != "?conversations" {
				t.Errorf("%s, %.30s: got %s, want 422 %s at ?conversations", accept, c.value, a.body, c.code)
			}
		}
		if r := f.try("conversations="+url.QueryEscape(c.value), http.Header{"Authorization": {"Bearer " + token}}, "perch.v1"); r.status != 422 {
			t.Errorf("socket, %.30s: got %+v, want 422", c.value, r)
		}
	}
	// The types of this version are known in a filter, others are not.
	for types, status := range map[string]int{
		"message.edited,message.retracted,message.reactions,message.read,conversation.read,conversation.changed,room.invited": 200,
		"room.state,room.changed,room.affiliation,room.occupant,room.occupants,rooms.snapshot":                                200,
		"conversation.*,room.*,rooms.*": 200, "room.left": 422, "conversations.*": 422,
	} {
		if a := f.call("GET", "/v1/events?types="+types, ""); a.status != status {
			t.Errorf("%s: got %d %s, want %d", types, a.status, a.body, status)
		}
	}
}
