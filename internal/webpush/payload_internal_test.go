package webpush

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

const me, bob, room = perch.JID("me@a.test"), perch.JID("bob@a.test"), perch.JID("tea@rooms.a.test")

// logged makes events of a log, one after the other.
func logged(data ...any) (list []*perch.Event) {
	for i := 0; i < len(data); i += 2 {
		list = append(list, perch.NewEvent(perch.Position{Epoch: "k", Offset: uint64(i/2 + 1)}, data[i].(perch.EventType), 1, data[i+1]))
	}
	return list
}

func chat(from perch.JID, body string) perch.Message {
	return perch.Message{From: from + "/phone", To: me, Kind: perch.ChatMessage, Body: body}
}

func plain(t *testing.T, p *payload) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(p.encode(), &got); err != nil {
		t.Fatalf("Unmarshal(%q): got error %v, want none", p.encode(), err)
	}
	return got
}

// TestPayloads: one message for each conversation, with the newest event of it and how many there are.
func TestPayloads(t *testing.T) {
	inRoom := perch.Message{From: room + "/Ann", To: me, Kind: perch.GroupchatMessage, Body: "tea?", Room: &perch.MessageRoom{Nick: "Ann"}}
	private := perch.Message{From: room + "/Ann", To: me, Kind: perch.ChatMessage, Body: "psst", Room: &perch.MessageRoom{Nick: "Ann"}}
	sent := perch.Message{From: me + "/pc", To: "carl@a.test", Kind: perch.ChatMessage, Body: "mine"}
	d := sessions.Delivery{
		ID: "d1", Account: me, Reader: perch.Reader{Spec: perch.ReaderSpec{Include: perch.IncludeFull}},
		About: func(_ context.Context, jid perch.JID) sessions.AboutConversation {
			return sessions.AboutConversation{Name: map[perch.JID]string{bob: "Bob", room: "Tea room"}[jid]}
		},
		Events: logged(
			perch.EventMessageReceived, chat(bob, "one"), perch.EventMessageReceived, inRoom, perch.EventMessageReceived, chat("BOB@a.test", "two"),
			perch.EventMessageReceived, private, perch.EventSessionState, perch.StateChange{State: "online"}, perch.EventMessageSent, sent,
			perch.EventMessageRetracted, perch.MessageRetracted{Conversation: room}, perch.EventInvitationReceived, perch.Invitation{JID: "eve@a.test"},
		),
	}
	want := []string{
		`{"type":"message.received","conversation":"BOB@a.test","id":"k-3","count":2,"account":"me@a.test","name":"Bob","body":"two"}`,
		`{"type":"message.received","conversation":"tea@rooms.a.test/Ann","id":"k-4","count":1,"account":"me@a.test","from":"Ann","body":"psst"}`,
		`{"type":"session.state","id":"k-5","count":1,"account":"me@a.test"}`,
		`{"type":"message.sent","conversation":"carl@a.test","id":"k-6","count":1,"account":"me@a.test","body":"mine"}`,
		`{"type":"message.retracted","conversation":"tea@rooms.a.test","id":"k-7","count":2,"account":"me@a.test","name":"Tea room"}`,
		`{"type":"invitation.received","conversation":"eve@a.test","id":"k-8","count":1,"account":"me@a.test"}`,
	}
	texts := func(d sessions.Delivery) (got []string) {
		for _, p := range payloads(t.Context(), d) {
			got = append(got, string(p.encode()))
		}
		return got
	}
	if got := texts(d); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.Events, d.Reader.Spec.Include, d.Reset = d.Events[:3], perch.IncludeIDs, "expired"
	want = []string{
		`{"type":"message.received","conversation":"tea@rooms.a.test","id":"k-2","count":1,"account":"me@a.test","reset":"expired"}`,
		`{"type":"message.received","conversation":"BOB@a.test","id":"k-3","count":2,"account":"me@a.test"}`,
	}
	if got := texts(d); !slices.Equal(got, want) {
		t.Errorf("ids alone: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.Events, d.Cursor = nil, perch.Position{Epoch: "k", Offset: 9}
	if got, want := texts(d), []string{`{"type":"reset","id":"k-9","count":0,"account":"me@a.test","reset":"expired"}`}; !slices.Equal(got, want) {
		t.Errorf("nothing but a reset: got %q, want %q", got, want)
	}
	d.Test = true
	if got, want := texts(d), []string{`{"type":"test","id":"d1","count":0,"account":"me@a.test"}`}; !slices.Equal(got, want) {
		t.Errorf("a test: got %q, want %q", got, want)
	}
}

// TestPayloadsThatAreWanted: what a person has muted is not pushed, unless it names them where they want that.
func TestPayloadsThatAreWanted(t *testing.T) {
	for _, c := range []struct {
		notify perch.Notify
		want   string
	}{{"", "3 c"}, {perch.NotifyAll, "3 c"}, {perch.NotifyMentions, "1 b!"}, {perch.NotifyNone, ""}} {
		d := sessions.Delivery{
			Account: me,
			About: func(context.Context, perch.JID) sessions.AboutConversation {
				return sessions.AboutConversation{Notify: c.notify, Mentions: func(m *perch.Message) bool { return strings.HasSuffix(m.Body, "!") }}
			},
			Events: logged(perch.EventMessageReceived, chat(bob, "a"), perch.EventMessageReceived, chat(bob, "b!"), perch.EventMessageReceived, chat(bob, "c")),
		}
		got := ""
		for _, p := range payloads(t.Context(), d) {
			got += fmt.Sprint(p.Count, " ", p.Body)
		}
		if got != c.want {
			t.Errorf("notify %q: got %q, want %q", c.notify, got, c.want)
		}
	}
	d := sessions.Delivery{
		About: func(context.Context, perch.JID) sessions.AboutConversation {
			return sessions.AboutConversation{Notify: perch.NotifyNone}
		},
		Events: logged(perch.EventMessageRetracted, perch.MessageRetracted{Conversation: room}),
	}
	if got := payloads(t.Context(), d); len(got) != 1 {
		t.Errorf("a retraction where it is muted: got %d messages, want 1: its type was asked for", len(got))
	}
}

// TestPayloadFits: whatever people write and are called, a message fits, and what is cut is cut between
// characters and no more than needed.
func TestPayloadFits(t *testing.T) {
	long := strings.Repeat
	for name, p := range map[string]payload{
		"ASCII":          {Body: long("x", 10_000)},
		"just too long":  {Body: long("x", MaxPlain)},
		"two bytes":      {Body: long("é", 10_000)},
		"three bytes":    {Body: long("語", 10_000)},
		"four bytes":     {Body: long("🦜", 10_000)},
		"long in JSON":   {Body: long("\x01", 10_000)},
		"quotes":         {Body: long(`"`, 10_000)},
		"mixed":          {Body: long("a\u2028🦜\"", 3_000)},
		"with names":     {Name: long("é", 60), From: long("語", 40), Body: long("x", 10_000)},
		"no UTF-8":       {Body: long("\xff", 10_000)},
		"a text and all": {Conversation: "bob@a.test", Account: me, Body: long("x", 5_000)},
	} {
		p.Type, p.ID, p.Count = "message.received", "k-1", 1
		text := p.encode()
		if len(text) > MaxPlain || len(text) < MaxPlain-len(`\u0001`)-2*utf8.UTFMax {
			t.Errorf("%s: got %d bytes, want as many as fit into %d", name, len(text), MaxPlain)
		}
		body := plain(t, &p)["body"].(string)
		if !strings.HasSuffix(body, ellipsis) || name != "no UTF-8" && (strings.ContainsRune(body, utf8.RuneError) || !strings.HasPrefix(p.Body, strings.TrimSuffix(body, ellipsis))) {
			t.Errorf("%s: got the text end in %q, want the beginning of what was written, cut between characters", name, body[max(0, len(body)-20):])
		}
	}
	p := payload{Type: "message.received", ID: "k-1", Count: 1, Body: "short"}
	if got := plain(t, &p)["body"]; got != "short" {
		t.Errorf("a short text: got %q, want it whole", got)
	}
	// The longest address that there is, in the longest form that JSON gives it.
	huge := perch.JID(long("é", 511) + "@" + long("d", 1023) + "/" + long(`"`, 1023))
	p = payload{Type: "message.received", ID: "k-1", Count: 1, Conversation: huge, Account: huge, Name: long("x", 128), Body: "hello"}
	if got := plain(t, &p); got["body"] == nil || got["name"] != nil || got["account"] != nil || got["id"] != "k-1" {
		t.Errorf("the longest addresses: got %v, want the text and the id, without names", got)
	}
}

// TestCut: a name is cut between characters.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, ""}, {"abcd", 4, "abcd"}, {"abcde", 4, "a…"}, {"éé", 3, ""}, {"ééé", 5, "é…"}, {"ééé", 4, ""}, {"🦜🦜", 7, "🦜…"}, {"", 0, ""}, {"a", 0, ""},
	} {
		if got := cut(c.text, c.most); got != c.want {
			t.Errorf("cut(%q, %d): got %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

// TestHeaders: what a push service is told of a message says how long and how urgent, and not of whom.
func TestHeaders(t *testing.T) {
	to := subscription{auth: []byte("0123456789abcdef")}
	other := subscription{auth: []byte("0123456789abcdeF")}
	if a, b := to.topic("bob@a.test"), to.topic("bob@a.test"); a != b || len(a) != 32 || strings.Trim(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the topic of a conversation: got %q and %q, want the same 32 characters of base64url", a, b)
	}
	if to.topic("bob@a.test") == to.topic("ann@a.test") || to.topic("bob@a.test") == other.topic("bob@a.test") {
		t.Errorf("topics: got the same for two conversations, or two subscriptions, want others")
	}
	for _, c := range []struct{ typ, want string }{
		{"message.received", "24h0m0s high"}, {"room.invited", "24h0m0s normal"}, {"message.sent", "24h0m0s normal"}, {"session.state", "5m0s normal"},
	} {
		p := payloads(t.Context(), sessions.Delivery{Events: logged(perch.EventType(c.typ), struct{}{})})[0]
		if got := fmt.Sprint(p.life(), " ", p.urgency()); got != c.want {
			t.Errorf("%s: got %s, want %s", c.typ, got, c.want)
		}
	}
}

// FuzzPayload: no text of a message makes one that does not fit.
func FuzzPayload(f *testing.F) {
	f.Add("hello", "Bob", 1)
	f.Add("a\u2028\xff\x00", "🦜", 3000)
	f.Fuzz(func(t *testing.T, body, name string, times int) {
		p := payload{Type: "message.received", Conversation: bob, ID: "k-1", Count: 1, Name: cut(name, longestName), Body: strings.Repeat(body, max(1, min(times, 5000)))}
		text := p.encode()
		if !json.Valid(text) || len(text) > MaxPlain {
			t.Errorf("got %d bytes, valid %v, want JSON of at most %d", len(text), json.Valid(text), MaxPlain)
		}
	})
}
