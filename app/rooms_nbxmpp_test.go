package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

// nora enters the room with the library of Gajim.
func (r *roomWorld) nora() *testkit.Peer {
	r.t.Helper()
	n := r.server.NbxmppFor(r.t, r.server.NewUserAt(r.t, "nora", r.server.Domain))
	n.Presence(r.t, "", "")
	n.Join(r.t, r.room, "Nora")
	return n
}

// seen is a message as a client has got it from the room.
func seen(t *testing.T, p *testkit.Peer, id string) testkit.Refs {
	t.Helper()
	return p.Expect(t, id, func(e testkit.PeerEvent) bool { return e.Event == "stanza" && e.Type == "groupchat" && e.ID == id }).Refs
}

// TestRoomReferences: what is said about a message names it as each library expects it: a correction by the
// id of the first text, the others by the id that the room has given to that.
func TestRoomReferences(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		nora := r.nora()
		peers := []*testkit.Peer{r.peer, nora}
		own := r.aliceSays("a1", "first").Str("ref")
		nora.Say(r.t, r.room, "n1", "hers")
		his := r.stream.Expect(r.t, "hers", message("message.received", "hers")).Data.Str("ref")
		ids := map[string]string{own: seen(r.t, nora, "a1").StanzaID, his: seen(r.t, nora, "n1").StanzaID}
		if got := seen(r.t, r.peer, "n1").StanzaID; got == "" || got != ids[his] {
			r.t.Errorf("got the id %q of the room, want %q as the other client has it", got, ids[his])
		}
		r.references(peers, own, his, ids)
		r.foreignReferences(nora, own, his, ids)
	})
}

// references: what alice does to an own message and to one of another occupant, each corrected twice.
func (r *roomWorld) references(peers []*testkit.Peer, own, his string, ids map[string]string) {
	r.t.Helper()
	for i, p := range []string{"hers, corrected", "hers, corrected again"} {
		peers[1].Correct(r.t, r.room, fmt.Sprintf("n%d", 2+i), "n1", p)
		if m := r.about("message.edited", his); m.Str("body") != p {
			r.t.Errorf("got %v, want %q", m, p)
		}
	}
	for _, id := range []string{"e1", "e2"} {
		r.verb(http.MethodPatch, own, map[string]any{"id": id, "body": id})
	}
	authors := map[string]string{own: r.room + "/Alice", his: r.room + "/Nora"}
	for i, ref := range []string{own, his} {
		r.verb(http.MethodPut, ref+"/reactions", map[string]any{"id": fmt.Sprintf("r%d", i), "emojis": []string{"👍"}})
		r.api.Call(r.t, http.StatusAccepted, http.MethodPost, "/v1/messages", map[string]any{"id": fmt.Sprintf("p%d", i), "to": r.room, "body": "so", "reply_to": map[string]string{"ref": ref}})
	}
	r.verb(http.MethodDelete, own, nil)
	for _, p := range peers {
		for _, id := range []string{"e1", "e2"} {
			if got := seen(r.t, p, id).Corrects; got != "a1" {
				r.t.Errorf("%s: got a correction of %q, want of a1, the first text", p.JID, got)
			}
		}
		for i, ref := range []string{own, his} {
			if got := seen(r.t, p, fmt.Sprintf("r%d", i)); got.ReactsTo != ids[ref] || !slices.Equal(got.Emojis, []string{"👍"}) {
				r.t.Errorf("%s: got %+v, want a reaction to %s", p.JID, got, ids[ref])
			}
			if got := seen(r.t, p, fmt.Sprintf("p%d", i)); got.RepliesTo != ids[ref] || got.Author != authors[ref] {
				r.t.Errorf("%s: got %+v, want a reply to %s of %s", p.JID, got, ids[ref], authors[ref])
			}
		}
		p.Expect(r.t, "the retraction", func(e testkit.PeerEvent) bool { return e.Event == "stanza" && e.Retracts == ids[own] })
	}
}

// foreignReferences: what the other client says of both messages is about those.
func (r *roomWorld) foreignReferences(nora *testkit.Peer, own, his string, ids map[string]string) {
	r.t.Helper()
	nora.React(r.t, r.room, "n4", ids[his], "🎉")
	r.stream.Expect(r.t, "a reaction of Nora", func(f testkit.Frame) bool {
		return f.Type == "message.reactions" && f.Data.Str("ref") == his && f.Data.Str("from") == r.room+"/Nora"
	})
	nora.Answer(r.t, r.room, "n5", ids[his], r.room+"/Nora", "> hers\n", "as I said")
	m := r.stream.Expect(r.t, "the reply", message("message.received", "as I said")).Data
	if m.Str("reply_to.ref") != his {
		r.t.Errorf("got %v, want a reply to %s, without the quote", m, his)
	}
	nora.Say(r.t, r.room, "n6", "not this")
	gone := r.stream.Expect(r.t, "not this", message("message.received", "not this")).Data.Str("ref")
	nora.Retract(r.t, r.room, "n7", seen(r.t, nora, "n6").StanzaID)
	r.about("message.retracted", gone)
	nora.Retract(r.t, r.room, "n8", ids[own]) // which is not hers
	r.refuses("Nora")
	r.nicks(nora, his)
}

// refuses waits until something of an occupant was left out, because it may not say that.
func (r *roomWorld) refuses(nick string) {
	r.t.Helper()
	r.stream.Expect(r.t, "the refusal of "+nick, func(f testkit.Frame) bool {
		return f.Type == "event.dropped" && f.Data.Str("reason") == "not_author" && strings.HasPrefix(f.Data.Str("from"), r.room)
	})
}

// nicks: whoever has taken a nick does not correct what another one has said under it. The author does, under
// the next nick, where the room tells who that is; elsewhere both are messages of their own.
func (r *roomWorld) nicks(nora *testkit.Peer, his string) {
	r.t.Helper()
	nora.Join(r.t, r.room, "Nora2")
	r.peer.Raw(r.t, "<presence to='"+r.room+"/Nora'/>")
	r.peer.Expect(r.t, "bob as Nora", r.occupant("Nora", "available"))
	r.bobSends("b9", "<body>forged</body><replace xmlns='urn:xmpp:message-correct:0' id='n1'/>")
	want := "hers, corrected again"
	if r.server.Name == "ejabberd" { // which has no occupant-id
		nora.Correct(r.t, r.room, "n9", "n1", "under another nick")
		for _, body := range []string{"forged", "under another nick"} {
			r.stream.Expect(r.t, body, message("message.received", body))
		}
	} else {
		r.refuses("Nora")
		want = "under another nick"
		nora.Correct(r.t, r.room, "n9", "n1", want)
		r.about("message.edited", his)
	}
	if m := r.api.Get(r.t, r.talk+"/"+his); m.Str("body") != want {
		r.t.Errorf("got %v, want %q", m, want)
	}
}

// TestRoomInvitationsOfNbxmpp: both kinds arrive, both ways, as what they are.
func TestRoomInvitationsOfNbxmpp(t *testing.T) {
	inRooms(t, func(r *roomWorld) {
		user := r.server.NewUserAt(r.t, "nora", r.server.Domain)
		nora := r.server.NbxmppFor(r.t, user)
		nora.Presence(r.t, "", "")
		nora.Bookmarks(r.t, "0049") // its presence is there before the answer to this
		for via, kind := range map[string]string{"room": "mediated", "direct": "direct"} {
			reason := "tea, by " + via
			r.api.Call(r.t, http.StatusAccepted, http.MethodPost, r.path+"/invitations", map[string]string{"to": user.JID, "reason": reason, "via": via})
			e := nora.Expect(r.t, "the invitation", func(e testkit.PeerEvent) bool { return e.Event == "invitation" && e.Reason == reason })
			if e.State != kind || e.JID != r.room {
				r.t.Errorf("got %+v, want one to %s, %s", e, r.room, kind)
			}
			other := via + "-" + r.room
			nora.Join(r.t, other, "Nora")
			nora.Open(r.t, other)
			nora.Invite(r.t, other, r.alice.JID, kind, "come, "+via)
			d := r.stream.Expect(r.t, "the invitation to "+other, func(f testkit.Frame) bool {
				return f.Type == "room.invited" && f.Data.Str("jid") == other
			}).Data
			if d.Str("via") != via || d.Str("reason") != "come, "+via {
				r.t.Errorf("got %v, want one via %s with its reason", d, via)
			}
			v := r.api.Call(r.t, http.StatusOK, http.MethodPut, "/v1/rooms/"+testkit.Escape(other)+"?wait=joined", map[string]any{"nick": "Alice"}).JSON(r.t)
			if v.At("invited") != nil {
				r.t.Errorf("got %v, want the invitation accepted", v)
			}
			nora.Expect(r.t, "alice", func(e testkit.PeerEvent) bool {
				return e.Event == "presence" && e.From == other+"/Alice" && e.Type == "available"
			})
		}
	})
}
