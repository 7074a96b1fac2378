package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// withStanzas lets clients write stanzas.
func withStanzas(o *gatewayOptions) { o.RawStanzas = true }

func stanzaBody(t *testing.T, xml string) string {
	t.Helper()
	b, err := json.Marshal(map[string]string{"xml": xml})
	if err != nil {
		t.Fatalf("Marshal(): got error %v, want none", err)
	}
	return string(b)
}

// TestStanzas: a message is on its way, an iq has its answer, and an error answer is a problem.
func TestStanzas(t *testing.T) {
	f := newGateway(t, withStanzas)
	f.signIn()
	const message, iq = "<message to='bob@example.net'/>", "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>"
	if a := f.want(202, "POST", "/v1/stanzas", stanzaBody(t, message), nil); strings.TrimSpace(string(a.body)) != "{}" {
		t.Errorf("a message: got %s, want {}", a.body)
	}
	var got struct{ XML string }
	if f.want(200, "POST", "/v1/stanzas", stanzaBody(t, iq), &got); got.XML != "<iq/>" {
		t.Errorf("an iq: got %q, want <iq/>", got.XML)
	}
	var sent []string
	f.up.Edit(func(d *fakexmpp.Data) {
		sent = slices.Clone(d.Stanzas)
		d.Answer = func(string) (string, error) {
			return "", &perch.Error{Kind: perch.KindXMPP, XMPP: &perch.XMPPError{Condition: "forbidden", Type: "auth"}}
		}
	})
	if diff := cmp.Diff([]string{message, iq}, sent); diff != "" {
		t.Errorf("sent, -want +got:\n%s", diff)
	}
	p := f.want(403, "POST", "/v1/stanzas", stanzaBody(t, iq), nil).problem(t)
	if p.XMPP == nil || p.XMPP.Condition != "forbidden" {
		t.Errorf("an error answer: got %+v, want its condition", p)
	}
}

// TestStanzasAreRefused: what is no request; where the operator, or the upstream, has none; and more of them
// than 20 a minute. Nothing is sent then.
func TestStanzasAreRefused(t *testing.T) {
	const message = "<message to='bob@example.net'/>"
	f := newGateway(t, withStanzas)
	f.signIn()
	for _, tt := range []struct {
		name, path, body, code, pointer string
		status                          int
	}{
		{"no stanza", "/v1/stanzas", `{}`, "validation", "/xml", 422},
		{"an empty one", "/v1/stanzas", `{"xml":""}`, "validation", "/xml", 422},
		{"a number", "/v1/stanzas", `{"xml":1}`, "validation", "/xml", 422},
		{"another field", "/v1/stanzas", `{"xml":"<iq/>","to":"x"}`, "validation", "/to", 422},
		{"a query", "/v1/stanzas?x=1", stanzaBody(t, message), "validation", "?x", 422},
		{"no JSON", "/v1/stanzas", message, "malformed-json", "", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			f.refused(tt.status, tt.code, tt.pointer, "POST", tt.path, tt.body)
		})
	}
	for range 20 {
		f.want(202, "POST", "/v1/stanzas", stanzaBody(t, message), nil)
	}
	if a := f.want(429, "POST", "/v1/stanzas", stanzaBody(t, message), nil); a.header.Get("Retry-After") == "" {
		t.Error("the 21st: got no Retry-After, want one")
	}
	f.up.Edit(func(d *fakexmpp.Data) {
		if len(d.Stanzas) != 20 {
			t.Errorf("got %d stanzas, want 20", len(d.Stanzas))
		}
	})

	for name, tt := range map[string]func(*gatewayOptions){
		"by the operator": func(*gatewayOptions) {},
		"by the upstream": func(o *gatewayOptions) {
			withStanzas(o)
			o.up.Edit(func(d *fakexmpp.Data) { d.Capabilities = perch.Capabilities{ChatOnly: true} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newGateway(t, tt)
			f.up.Edit(func(d *fakexmpp.Data) {
				d.Refuse = func(method string) error {
					if method == "SendStanza" {
						t.Error("SendStanza reached the upstream, want it refused before")
					}
					return nil
				}
			})
			f.signIn()
			f.refused(501, "feature-unsupported", "", "POST", "/v1/stanzas", stanzaBody(t, message))
		})
	}
}

// TestStanzasDoNotEnterRooms: presence to a room would join or leave it behind the session's back.
func TestStanzasDoNotEnterRooms(t *testing.T) {
	f := newGateway(t, withStanzas)
	f.up.Edit(func(d *fakexmpp.Data) { d.Services = []perch.JID{"rooms.example.net"} })
	f.signIn()
	f.want(200, "GET", "/v1/directory", "", nil) // the session knows the service from here on
	f.refused(403, "forbidden", "", "POST", "/v1/stanzas", stanzaBody(t, "<presence to='talk@rooms.example.net/Al'/>"))
	f.want(202, "POST", "/v1/stanzas", stanzaBody(t, "<presence to='bob@example.net'/>"), nil)
}

// TestStanzasAreCounted: beside the requests of the session, in the same fields; answers to others are not.
func TestStanzasAreCounted(t *testing.T) {
	f := newGateway(t, withStanzas)
	f.signIn()
	const answer = "<iq type='result' id='1' to='bob@example.net/x'/>"
	if a := f.want(202, "POST", "/v1/stanzas", stanzaBody(t, answer), nil); strings.Contains(a.header.Get("RateLimit"), "stanzas") {
		t.Errorf("an answer: got RateLimit %s, want it not counted as a stanza", a.header.Get("RateLimit"))
	}
	for left := range 20 {
		a := f.want(202, "POST", "/v1/stanzas", stanzaBody(t, "<message to='bob@example.net'/>"), nil)
		limit, policy := a.header.Get("RateLimit"), a.header.Get("RateLimit-Policy")
		if !strings.HasPrefix(limit, `"token";r=`) || !strings.Contains(limit, fmt.Sprintf(`, "stanzas";r=%d;t=`, 19-left)) ||
			!strings.HasPrefix(policy, `"token";q=`) || !strings.HasSuffix(policy, `, "stanzas";q=20;w=60`) {
			t.Errorf("%d: got RateLimit %s and policy %s, want those of the token and of stanzas, with %d left", left, limit, policy, 19-left)
		}
	}
	f.want(429, "POST", "/v1/stanzas", stanzaBody(t, "<message to='bob@example.net'/>"), nil)
	f.want(202, "POST", "/v1/stanzas", stanzaBody(t, answer), nil)
}

// TestStanzaEvents: on every encoding, to a stream that names them alone; with subscribe from then on.
func TestStanzaEvents(t *testing.T) {
	f := newGateway(t, withStanzas)
	conn := f.signIn()
	usual := f.stream("ws", token, "types=*")
	defer usual.close()
	upTo(t, usual, "live")
	in := &perch.StanzaIn{RawStanza: perch.RawStanza{From: "bob@example.net", XML: "<message from='bob@example.net'/>", AnswerBy: 1000, LeftOut: 2}}
	for _, encoding := range []string{"ws", "sse", "ndjson"} {
		stream := f.stream(encoding, token, "types=*,stanza")
		upTo(t, stream, "live")
		conn.Deliver(in)
		all := upTo(t, stream, "stanza")
		var got perch.RawStanza
		if all[len(all)-1].into(t, &got); got != in.RawStanza || all[len(all)-1].ID != "" {
			t.Errorf("%s: got %+v, want %+v", encoding, got, in.RawStanza)
		}
		stream.close()
	}
	socket := f.dial(token)
	defer socket.close()
	if e := socket.answerTo(`{"id":"s","type":"subscribe","data":{"types":["stanza"]}}`); e.Status != 200 || !strings.Contains(string(e.Data), `"stanza"`) {
		t.Errorf("subscribe: got %+v, want 200 and the filter", e)
	}
	conn.Deliver(in)
	if e, err := socket.next(); err != nil || e.Type != "stanza" {
		t.Errorf("after subscribe: got %s, %v, want stanza", e.Type, err)
	}
	say(conn, "the end")
	for _, e := range upTo(t, usual, "message.received") {
		if e.Type == "stanza" {
			t.Errorf("types=*: got %+v, want no stanza", e)
		}
	}
}

// TestHelloSaysStanzas: what the operator lets clients do is said beforehand.
func TestHelloSaysStanzas(t *testing.T) {
	f := newGateway(t, withStanzas)
	f.signIn()
	stream := f.stream("ws", token, "")
	defer stream.close()
	e, err := stream.next()
	if err != nil || e.Type != "hello" {
		t.Fatalf("got %+v, %v, want hello", e, err)
	}
	var hello struct{ Features []string }
	e.into(t, &hello)
	if !slices.Contains(hello.Features, "stanzas") {
		t.Errorf("got the features %q, want stanzas among them", hello.Features)
	}
}
