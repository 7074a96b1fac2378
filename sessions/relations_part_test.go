package sessions

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perch-im/perch"
)

// changes is a control message of bob's.
func changes(kind perch.RelationKind, target, body string, emojis ...string) *perch.MessageIn {
	m := said(body, "")
	m.ID, m.Body, m.Relation = "c-"+target, body, &perch.Relation{Kind: kind, Target: target, Emojis: emojis}
	return m
}

// TestRelationIdentity: control messages that say something else are told apart, and copies of one are
// one, however they come.
func TestRelationIdentity(t *testing.T) {
	react := func(target string, emojis ...string) *perch.MessageIn {
		return changes(perch.RelationReactions, target, "", emojis...)
	}
	own := react("1", "a")
	own.Sent, own.From, own.To = true, "alice@example.net/x", "bob@example.net"
	list := []*perch.MessageIn{
		react("1", "a"), react("1", "a", "b"), react("1"), react("2", "a"), own,
		changes(perch.RelationRetraction, "1", ""), changes(perch.RelationRetraction, "2", ""),
		changes(perch.RelationEdit, "1", "x"), changes(perch.RelationEdit, "1", "y"), changes(perch.RelationEdit, "2", "x"), said("x", ""),
	}
	seen := map[uint64]int{}
	l := &link{}
	for i, m := range list {
		c := l.identifyMessage(m, 1)
		if j, ok := seen[c.text]; ok {
			t.Errorf("identities of %+v and %+v: got the same, want them told apart", list[j].Relation, m.Relation)
		}
		seen[c.text] = i
		archived := archivedIdentity(&perch.ArchiveItem{MessageIn: *m}, 1)
		if archived.text != c.text {
			t.Errorf("identity of %+v in the archive: got another than on a stream, want the same", m.Relation)
		}
	}
}

// TestLoggedRelationIdentity: a control message is known again by what the log has of it.
func TestLoggedRelationIdentity(t *testing.T) {
	for _, m := range []*perch.MessageIn{
		changes(perch.RelationReactions, "1", "", "a", "b"), changes(perch.RelationRetraction, "1", ""), changes(perch.RelationEdit, "1", "x"),
	} {
		w := newCatchupWorld()
		m.StanzaID = "a1"
		w.cu.applyMessage(m, w.link, w.now())
		w.l.flush()
		read, ids := identitiesOf(w.events, w.rec.JID, 1)
		if len(read) != 1 || len(w.cu.known.list) != 1 {
			t.Fatalf("%s: got %d identities of the log, %d in memory, want one each", m.Relation.Kind, len(read), len(w.cu.known.list))
		}
		live := w.cu.known.list[0]
		if read[0].text != live.text || read[0].account != live.account || read[0].at != live.at || read[0].paths&isRelation == 0 {
			t.Errorf("%s: got identity %+v of the log, want text, account and time of %+v", m.Relation.Kind, read[0], live)
		}
		if len(ids) != 1 || ids[0].id != "a1" {
			t.Errorf("%s: got places %v in the archive, want a1", m.Relation.Kind, ids)
		}
		if w.cu.known.merge(read); len(w.cu.known.list) != 1 {
			t.Errorf("%s: got %d identities when the log is read again, want 1", m.Relation.Kind, len(w.cu.known.list))
		}
	}
}

// TestRelationTableIsBounded: however many messages are related to, the last ones are remembered, and
// their texts within a budget.
func TestRelationTableIsBounded(t *testing.T) {
	w := newCatchupWorld()
	r := w.cu.relations
	for i := range 2 * maxRelated {
		r.take(changes(perch.RelationEdit, fmt.Sprint(i), strings.Repeat("x", 1000)), 1, false)
		r.peerRead(&perch.ReceiptIn{ID: "1", From: perch.JID(fmt.Sprintf("b%d@example.net", i))}, &perch.MessageRecord{})
	}
	texts := 0
	for _, e := range r.table.list {
		if e.text != nil {
			texts++
		}
	}
	if n, reads := len(r.table.list), len(r.table.reads); n != maxRelated || reads != maxPeerReads || r.table.bytes > relatedBytes || texts == 0 {
		t.Errorf("got %d messages, %d of them with texts of %d bytes, and %d reads; want %d, some within %d bytes, and %d", n, texts, r.table.bytes, reads, maxRelated, relatedBytes, maxPeerReads)
	}
	last := r.table.list[maxRelated-1]
	if last.id != fmt.Sprint(2*maxRelated-1) || last.text == nil || r.table.list[0].text != nil {
		t.Errorf("got %s as the last one, text %v; want the newest, with its text, and the oldest without", last.id, last.text)
	}
}

// TestLongCorrection: a text for which there is no room in the table is shown all the same, and counts.
func TestLongCorrection(t *testing.T) {
	w := newCatchupWorld()
	for i, body := range []string{strings.Repeat("x", relatedBytes+1), "short"} {
		m := changes(perch.RelationEdit, "1", body)
		w.cu.applyMessage(m, w.link, w.now())
		w.l.flush()
		var got perch.Message
		if len(w.events) != i+1 || w.events[i].Decode(&got) != nil || got.Body != body || got.Edited.Count != i+1 {
			t.Fatalf("correction %d: got %d events and %d bytes, want %d events, and %d bytes", i+1, len(w.events), len(got.Body), i+1, len(body))
		}
	}
}

// TestRoomInvitationsAreBounded: only the last invitations are compared.
func TestRoomInvitationsAreBounded(t *testing.T) {
	var table relationTable
	for i := range 2 * maxRoomsInvited {
		if !table.invited(&perch.RoomInvitation{JID: perch.JID(fmt.Sprintf("r%d@example.net", i)), Via: perch.ViaDirect}, 1) {
			t.Errorf("invitation to room %d: got a copy, want it new", i)
		}
	}
	if len(table.rooms) != maxRoomsInvited {
		t.Errorf("got %d invitations, want %d", len(table.rooms), maxRoomsInvited)
	}
}

// TestReactionSets: a sender's reactions replace the ones of before, and those of others stay.
func TestReactionSets(t *testing.T) {
	const alice, bob = perch.JID("alice@example.net"), perch.JID("bob@example.net")
	text := func(list []perch.Reaction) string {
		s := ""
		for _, x := range list {
			s += fmt.Sprintf("%s%v%v ", x.Emoji, x.By, x.Own)
		}
		return strings.ReplaceAll(s, "@example.net", "")
	}
	var list []perch.Reaction
	for i, step := range []struct {
		by     perch.JID
		emojis []string
		want   string
	}{
		{bob, []string{"a", "b"}, "a[bob]false b[bob]false "},
		{alice, []string{"b", "c"}, "a[bob]false b[bob alice]true c[alice]true "},
		{bob, []string{"c"}, "b[alice]true c[alice bob]true "},
		{alice, nil, "c[bob]false "},
		{bob, nil, ""},
	} {
		before := text(list)
		next := withReactions(list, step.by, step.by == alice, step.emojis)
		if text(list) != before {
			t.Errorf("step %d: got the list before it changed to %s, want %s", i, text(list), before)
		}
		if list = next; text(list) != step.want {
			t.Errorf("step %d: got %s, want %s", i, text(list), step.want)
		}
	}
	if got := reactionSet([]string{"a", "", "a", strings.Repeat("x", 65), "b"}); len(got) != 2 {
		t.Errorf("reactionSet: got %q, want a and b", got)
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if got := reactionSet(many); len(got) != perch.MaxReactions {
		t.Errorf("reactionSet of 100: got %d, want %d", len(got), perch.MaxReactions)
	}
}

// TestRelationOfARoom is none yet: rooms have other ids and other rules.
func TestRelationOfARoom(t *testing.T) {
	w := newCatchupWorld()
	m := changes(perch.RelationEdit, "1", "x")
	m.Kind = perch.GroupchatMessage
	w.cu.applyMessage(m, w.link, w.now())
	moderated := changes(perch.RelationRetraction, "1", "")
	moderated.Relation.Moderated = true
	w.cu.applyMessage(moderated, w.link, w.now())
	w.want(t, "dropped unsupported", "dropped unsupported")
}
