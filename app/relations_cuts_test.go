package app_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// related is a conversation of bob with two devices of alice's, the gateway and a phone, in which
// messages are corrected, taken back and reacted to.
type related struct {
	*redisWorld
	phone  *testkit.Peer
	stream *testkit.Stream
	since  string // a place of the log before all of it
	marks  int
	// meddled are messages that somebody has retracted who may not: pages of some servers lack them.
	meddled []string
}

// newRelated makes one on a server of its own, which may be restarted; without Redis the gateway may
// not be.
func newRelated(t *testing.T, l login, redis bool) *related {
	t.Helper()
	r := &related{}
	if redis {
		r.redisWorld = newRedisWorld(t, l)
		r.o.SealKeys = sealKeys(1)
		r.start(t)
		r.peer = r.foreign(t, r.bob)
		r.api.Token = l.signIn(t, r.app, r.server, r.alice).Token
	} else {
		r.redisWorld = &redisWorld{world: *newWorld(t, l, l.server(t))}
		r.peer.Close()
		r.peer = r.foreign(t, r.bob)
	}
	r.stream = live(t, r.api, "")
	r.befriend(t, r.stream)
	r.phone = r.foreign(t, r.alice)
	r.peer.ExpectPresence(t, r.alice.JID, "available", "")
	r.since = r.stream.Last()
	return r
}

// foreign is a client that shows every message as it is, and is available.
func (r *related) foreign(t *testing.T, u testkit.User) *testkit.Peer {
	t.Helper()
	p := testkit.Slixmpp(t, testkit.SlixmppOptions{Addr: r.server.Addr, CAFile: r.server.CAFile, JID: u.JID, Password: u.Password, Stanzas: true})
	p.Presence(t, "", "")
	return p
}

// expectStanza waits for a message with these texts in it, of an id, or a carbon copy of one.
func expectStanza(t *testing.T, p *testkit.Peer, id string, texts ...string) {
	t.Helper()
	p.Expect(t, "stanza "+id, func(e testkit.PeerEvent) bool {
		return e.Event == "stanza" && strings.Contains(e.XML, id) &&
			!slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(e.XML, text) })
	})
}

// bobSays and phoneSays send a message with a content.
func (r *related) bobSays(t *testing.T, id, content string) { say(t, r.peer, r.alice.JID, id, content) }

func (r *related) phoneSays(t *testing.T, id, content string) {
	say(t, r.phone, r.bob.JID, id, content)
}

func say(t *testing.T, p *testkit.Peer, to, id, content string) {
	t.Helper()
	p.Raw(t, fmt.Sprintf("<message xmlns='jabber:client' to='%s' type='chat' id='%s'>%s</message>", html.EscapeString(to), id, content))
	p.Roster(t) // the server answers in order: it has the message
}

func text(body string) string { return "<body>" + body + "</body>" }
func corrects(id, body string) string {
	return text(body) + "<replace xmlns='urn:xmpp:message-correct:0' id='" + id + "'/>"
}

func retracts(id string) string {
	return "<retract xmlns='urn:xmpp:message-retract:1' id='" + id + "'/><store xmlns='urn:xmpp:hints'/>"
}

func reactsTo(id string, emojis ...string) string {
	text := ""
	for _, e := range emojis {
		text += "<reaction>" + e + "</reaction>"
	}
	return "<reactions xmlns='urn:xmpp:reactions:0' id='" + id + "'>" + text + "</reactions><store xmlns='urn:xmpp:hints'/>"
}

// shownMessage is what a client shows of a message.
func shownMessage(m testkit.Object) string {
	edits, _ := m.At("edited.count").(float64)
	var reactions []string
	for _, x := range m.List("reactions") {
		var by []string
		if b, err := json.Marshal(x.At("by")); err == nil {
			_ = json.Unmarshal(b, &by)
		}
		slices.Sort(by)
		reactions = append(reactions, x.Str("emoji")+strings.Join(by, "+"))
	}
	slices.Sort(reactions)
	return fmt.Sprintf("%s edits=%v retracted=%v %s", m.Str("body"), edits, m.At("retracted") != nil, strings.Join(reactions, " "))
}

// folded is all that a client needs to do with events: what each message is, by its ref.
func folded(events []testkit.Object) map[string]string {
	messages := map[string]testkit.Object{}
	for _, e := range events {
		d, _ := e.At("data").(map[string]any)
		data := testkit.Object(d)
		ref := data.Str("ref")
		switch e.Str("type") {
		case "message.received", "message.sent", "message.edited":
			messages[ref] = data
		case "message.retracted":
			messages[ref] = testkit.Object{"id": data.Str("id"), "retracted": true}
		case "message.reactions":
			m := testkit.Object{"id": data.Str("id")}
			maps.Copy(m, messages[ref])
			m["reactions"] = data["reactions"]
			messages[ref] = m
		}
	}
	shown := map[string]string{}
	for ref, m := range messages {
		if !strings.HasPrefix(m.Str("body"), "mark ") {
			shown[ref] = shownMessage(m)
		}
	}
	return shown
}

// log is everything since the beginning.
func (r *related) log(t *testing.T) (all []testkit.Object) {
	t.Helper()
	for since := r.since; ; {
		page := r.api.Get(t, "/v1/events?limit=200&wait=0&since="+url.QueryEscape(since))
		events := page.List("events")
		if len(events) == 0 {
			return all
		}
		all = append(all, events...)
		since = events[len(events)-1].Str("id")
	}
}

// want compares what events and a page of the archive show with what was said, when all of it is
// there.
func (r *related) want(t *testing.T, what string, want map[string]string) {
	t.Helper()
	r.marks++
	mark := fmt.Sprint("mark ", r.marks)
	r.bobSays(t, fmt.Sprint("mark", r.marks), text(mark))
	r.stream.Expect(t, mark, message("message.received", mark))
	testkit.Eventually(t, 20*time.Second, func() error { // the carbons of a server that is busy come later
		if got := folded(r.log(t)); !maps.Equal(got, want) {
			return fmt.Errorf("%s: events show %q, want %q", what, got, want)
		}
		return nil
	})
	testkit.Eventually(t, 20*time.Second, func() error { // servers write the archive in their own time
		got := map[string]string{}
		page := r.api.Get(t, "/v1/conversations/"+testkit.Escape(r.bob.JID)+"/messages?limit=200")
		for _, m := range page.List("items") {
			if !strings.HasPrefix(m.Str("body"), "mark ") {
				got[m.Str("ref")] = shownMessage(m)
			}
		}
		for ref, shown := range want {
			if _, there := got[ref]; !there && r.server.ForgetsRetracted() && (strings.Contains(shown, "retracted=true") || slices.Contains(r.meddled, ref)) {
				got[ref] = shown
			}
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("%s: a page shows %q, want %q", what, got, want)
		}
		return nil
	})
}

// refOf is the ref of the message with an id, as its event has it.
func (r *related) refOf(t *testing.T, id string) string {
	t.Helper()
	for _, e := range r.log(t) {
		if typ := e.Str("type"); (typ == "message.received" || typ == "message.sent") && e.Str("data.id") == id {
			return e.Str("data.ref")
		}
	}
	t.Fatalf("events: got no message %s, want its ref", id)
	return ""
}

// away lets things happen while the link is down. A server that forgets the stream has them in its
// archive alone.
func (r *related) away(t *testing.T, forget bool, meanwhile func()) {
	t.Helper()
	r.proxy.Down()
	r.stream.Expect(t, "reconnecting", state("reconnecting"))
	if forget {
		r.server.Restart(t)
		r.peer, r.phone = r.foreign(t, r.bob), r.foreign(t, r.alice)
	}
	meanwhile()
	r.proxy.Up(t)
	r.stream.Expect(t, "online", state("online"))
}

// TestRelationsOfForeignClients: what foreign clients correct, take back and react to shows the same
// in events and pages, live, by carbon, on a resumed stream, from the archive, and after a restart.
func TestRelationsOfForeignClients(t *testing.T) {
	forEachRelated(t, func(t *testing.T, r *related) {
		r.bobSays(t, "b1", text("one"))
		r.bobSays(t, "b2", text("two"))
		r.phoneSays(t, "p1", text("mine"))
		r.bobSays(t, "b1c", corrects("b1", "one, corrected"))
		r.bobSays(t, "b2t", retracts("b2"))
		r.bobSays(t, "b1r", reactsTo("p1", "👍", "🎉"))
		r.phoneSays(t, "p1r", reactsTo("b1", "❤"))
		r.bobSays(t, "mark0", text("mark 0"))
		r.stream.Expect(t, "mark 0", message("message.received", "mark 0"))
		r.stream.Expect(t, "the carbon", message("message.sent", "mine"))
		b1, b2, p1 := r.refOf(t, "b1"), r.refOf(t, "b2"), r.refOf(t, "p1")
		want := map[string]string{
			b1: "one, corrected edits=1 retracted=false ❤" + r.alice.JID, b2: " edits=0 retracted=true ",
			p1: "mine edits=0 retracted=false 🎉" + r.bob.JID + " 👍" + r.bob.JID,
		}
		r.want(t, "live", want)

		r.away(t, false, func() {
			r.bobSays(t, "b1d", corrects("b1", "one, again"))
			r.phoneSays(t, "p1c", corrects("p1", "mine, corrected"))
			r.bobSays(t, "b1s", reactsTo("p1", "🎉"))
		})
		want[b1], want[p1] = "one, again edits=2 retracted=false ❤"+r.alice.JID, "mine, corrected edits=1 retracted=false 🎉"+r.bob.JID
		r.want(t, "resumed", want)

		r.away(t, true, func() {
			r.bobSays(t, "b1e", corrects("b1", "one, at last"))
			r.phoneSays(t, "p1s", reactsTo("b1"))
			r.bobSays(t, "b1u", reactsTo("p1", "👍"))
		})
		want[b1], want[p1] = "one, at last edits=3 retracted=false ", "mine, corrected edits=1 retracted=false 👍"+r.bob.JID
		r.want(t, "from the archive", want)

		if r.redis != nil {
			r.end(t)
			r.bobSays(t, "b1f", reactsTo("p1", "🎉"))
			r.phoneSays(t, "p1t", retracts("p1"))
			since := r.stream.Last()
			r.start(t)
			r.stream = live(t, r.api, since)
			want[p1] = " edits=0 retracted=true "
			r.want(t, "after a restart", want)
		}

		before := len(r.dropped(t))
		r.meddled = []string{p1}
		r.bobSays(t, "f1", corrects("p1", "forged"))
		r.bobSays(t, "f2", retracts("p1"))
		r.phoneSays(t, "f3", corrects("b1", "forged"))
		r.want(t, "forged", want)
		if got := r.dropped(t)[before:]; len(got) != 3 || slices.ContainsFunc(got, func(s string) bool { return s != "not_author" }) {
			t.Errorf("dropped: got %q, want not_author three times", got)
		}
	})
}

// dropped are the reasons of event.dropped.
func (r *related) dropped(t *testing.T) (list []string) {
	t.Helper()
	for _, e := range r.log(t) {
		if e.Str("type") == "event.dropped" {
			list = append(list, e.Str("data.reason"))
		}
	}
	return list
}

// TestRelationsOfOurOwn: what clients of the gateway correct, take back and react to reaches a foreign
// client as such, is the server's by its status, and shows the same in events and pages; also when the
// link is lost under it, and for another device of the account.
func TestRelationsOfOurOwn(t *testing.T) {
	forEachRelated(t, func(t *testing.T, r *related) {
		r.copies(t)
		send := func(body string) (id, ref string) {
			a := r.api.Call(t, http.StatusOK, http.MethodPost, "/v1/messages?wait=acked", map[string]string{"to": r.bob.JID, "body": body}).JSON(t)
			return a.Str("id"), a.Str("ref")
		}
		one, oneRef := send("one")
		_, twoRef := send("two")
		r.bobSays(t, "b1", text("of bob"))
		r.stream.Expect(t, "of bob", message("message.received", "of bob"))
		b1 := r.refOf(t, "b1")
		at := func(ref string) string {
			return "/v1/conversations/" + testkit.Escape(r.bob.JID) + "/messages/" + ref
		}
		do := func(method, path string, body any, marks ...string) {
			a := r.api.Call(t, http.StatusAccepted, method, path, body).JSON(t)
			for _, p := range []*testkit.Peer{r.peer, r.phone} {
				expectStanza(t, p, a.Str("id"), marks...)
			}
			r.stream.Expect(t, "the status at its end", func(f testkit.Frame) bool {
				return f.Type == "message.status" && f.Data.Str("id") == a.Str("id") && f.Data.Str("ref") == a.Str("ref") &&
					slices.Contains([]string{"acked", "delivered"}, f.Data.Str("status"))
			})
		}
		do(http.MethodPatch, at(oneRef), map[string]string{"body": "one, corrected"}, "urn:xmpp:message-correct:0", one, "one, corrected")
		do(http.MethodDelete, at(twoRef), nil, "urn:xmpp:message-retract:1")
		do(http.MethodPut, at(b1)+"/reactions", map[string]any{"emojis": []string{"👍"}}, "urn:xmpp:reactions:0", "b1", "👍")
		want := map[string]string{oneRef: "one, corrected edits=1 retracted=false ", twoRef: " edits=0 retracted=true ", b1: "of bob edits=0 retracted=false 👍" + r.alice.JID}
		r.want(t, "live", want)
		wantProblem(t, r.api.Call(t, http.StatusForbidden, http.MethodPatch, at(b1), map[string]string{"body": "forged"}), "forbidden")

		for _, forget := range []bool{false, true} {
			var id string
			text := fmt.Sprint("one, forgotten ", forget)
			r.away(t, forget, func() {
				id = r.api.Call(t, http.StatusAccepted, http.MethodPatch, at(oneRef), map[string]string{"body": text}).JSON(t).Str("id")
			})
			expectStanza(t, r.peer, id, text)
			edits := 2
			if forget {
				edits = 3
			}
			want[oneRef] = fmt.Sprint(text, " edits=", edits, " retracted=false ")
			r.want(t, text, want)
		}
		if r.redis != nil {
			r.copies(t)
			since := r.stream.Last()
			r.proxy.Down()
			r.stream.Expect(t, "reconnecting", state("reconnecting"))
			id := r.api.Call(t, http.StatusAccepted, http.MethodPatch, at(oneRef), map[string]string{"body": "one, restarted"}).JSON(t).Str("id")
			r.end(t)
			r.proxy.Up(t)
			r.start(t)
			r.stream = live(t, r.api, since)
			expectStanza(t, r.peer, id, "urn:xmpp:message-correct:0", "one, restarted")
			expectStanza(t, r.phone, id, "urn:xmpp:message-correct:0", "one, restarted")
			want[oneRef] = "one, restarted edits=4 retracted=false "
			r.want(t, "after a restart", want)
		}
	})
}

// copies lets the phone have carbon copies (XEP-0280), as it is connected now.
func (r *related) copies(t *testing.T) {
	t.Helper()
	r.phone.Raw(t, "<iq xmlns='jabber:client' type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
	r.phone.Roster(t)
}

// forEachRelated runs a test on both servers, in memory and on Redis.
func forEachRelated(t *testing.T, run func(*testing.T, *related)) {
	for _, l := range []login{
		{name: "prosody", mechanism: "PLAIN", server: func(t testkit.TB) *testkit.Server { return testkit.Prosody(t, testkit.ProsodyOptions{}) }},
		{name: "ejabberd", mechanism: "SCRAM-SHA-1", server: testkit.Ejabberd},
	} {
		for _, redis := range []bool{false, true} {
			t.Run(fmt.Sprint(l.name, " redis=", redis), func(t *testing.T) { run(t, newRelated(t, l, redis)) })
		}
	}
}
