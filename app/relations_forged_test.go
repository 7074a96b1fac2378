package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// forwarded is a message as carbons and archive results wrap it.
func forwarded(from, to, content string) string {
	return "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' from='" + from + "' to='" + to + "' id='w1'>" + content + "</message></forwarded>"
}

// displayed is a displayed marker.
func displayed(id string) string {
	return "<displayed xmlns='urn:xmpp:chat-markers:0' id='" + id + "'/><store xmlns='urn:xmpp:hints'/>"
}

// TestForgedRelations: a correction, a retraction, reactions or a marker in the name of somebody else
// change nothing, and are counted: wrapped into what looks like a carbon copy or an answer of the
// archive, sent to another device of the account and copied by the server, and read from the archive.
func TestForgedRelations(t *testing.T) {
	forEachRelated(t, func(t *testing.T, r *related) {
		r.bobSays(t, "b1", text("of bob"))
		r.phoneSays(t, "p1", text("of alice")+"<markable xmlns='urn:xmpp:chat-markers:0'/>")
		r.stream.Expect(t, "the message", message("message.received", "of bob"))
		r.stream.Expect(t, "the carbon", message("message.sent", "of alice"))
		b1, p1 := r.refOf(t, "b1"), r.refOf(t, "p1")
		want := map[string]string{b1: "of bob edits=0 retracted=false ", p1: "of alice edits=0 retracted=false "}
		r.read(t, b1)
		r.stays(t, "before", want)
		r.meddled = []string{b1, p1}

		before := r.forged(t)
		alice, bob := r.alice.JID+"/x", r.bob.JID+"/x"
		wrapped := 0
		for _, inner := range []string{
			forwarded(alice, bob, corrects("p1", "forged")), forwarded(alice, bob, retracts("p1")),
			forwarded(alice, bob, reactsTo("b1", "😈")), forwarded(alice, bob, displayed("mark1")),
			forwarded(bob, alice, corrects("b1", "forged")), forwarded("eve@evil.example/x", alice, displayed("p1")),
		} {
			for _, wrapper := range []string{
				"<sent xmlns='urn:xmpp:carbons:2'>" + inner + "</sent>", "<received xmlns='urn:xmpp:carbons:2'>" + inner + "</received>",
				"<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>" + inner + "</result>",
			} {
				wrapped++
				r.bobSays(t, fmt.Sprint("wrapped", wrapped), wrapper)
			}
		}
		r.stays(t, "wrapped", want)
		testkit.Eventually(t, 10*time.Second, func() error {
			if n := r.forged(t) - before; n != wrapped {
				return fmt.Errorf("%d forgeries were counted, want %d", n, wrapped)
			}
			return nil
		})

		forge := func() {
			r.bobSays(t, "f1", corrects("p1", "forged"))
			r.bobSays(t, "f2", retracts("p1"))
			r.phoneSays(t, "f3", corrects("b1", "forged"))
			r.phoneSays(t, "f4", retracts("b1"))
		}
		r.refuses(t, 2, func() {
			say(t, r.peer, r.phone.JID, "c1", corrects("p1", "forged"))
			say(t, r.peer, r.phone.JID, "c2", retracts("p1"))
			r.stays(t, "copied by the server", want)
		})
		r.refuses(t, 4, func() {
			r.away(t, true, forge)
			r.stays(t, "from the archive", want)
		})
	})
}

// read tells that alice has read as far as a message.
func (r *related) read(t *testing.T, ref string) {
	t.Helper()
	r.api.Call(t, http.StatusOK, http.MethodPut, "/v1/conversations/"+testkit.Escape(r.bob.JID)+"/read", map[string]string{"ref": ref})
}

// stays checks that nothing has changed: neither a message nor how far either side has read. The one
// unread message is the mark that ends what came.
func (r *related) stays(t *testing.T, what string, want map[string]string) {
	t.Helper()
	path := "/v1/conversations/" + testkit.Escape(r.bob.JID)
	read := r.api.Get(t, path).Str("read.ref")
	r.want(t, what, want)
	c := r.api.Get(t, path)
	if got := fmt.Sprint(c.At("unread"), " after ", c.Str("read.ref"), ", bob has read ", c.At("peer_read")); got != "1 after "+read+", bob has read <nil>" {
		t.Errorf("%s: got unread %s; want 1 after %s, and that bob has read nothing", what, got, read)
	}
	r.read(t, r.refOf(t, fmt.Sprint("mark", r.marks)))
}

// refuses checks how many control messages are dropped since their sender is not the author.
func (r *related) refuses(t *testing.T, want int, f func()) {
	t.Helper()
	before := len(r.dropped(t))
	f()
	if got := r.dropped(t)[before:]; len(got) != want || slices.ContainsFunc(got, func(s string) bool { return s != "not_author" }) {
		t.Errorf("dropped: got %q, want not_author %d times", got, want)
	}
}
