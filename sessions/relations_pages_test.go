package sessions_test

import (
	"fmt"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// TestMergeArchive: a page shows what it has merged, control messages of messages elsewhere by the refs
// of these, and forged ones as what cannot be shown.
func TestMergeArchive(t *testing.T) {
	inWorld(t, func(*world) {
		a := &archive{}
		for _, m := range []*perch.MessageIn{
			edit("c0", "before", "of another page"), text("m1", "one"), byPhone(text("p1", "mine")), edit("c1", "m1", "one, corrected"),
			edit("f1", "p1", "forged"), retract("f2", "p1"), react("r1", "p1", "👍"), react("r2", "m1", "🎉"), byPhone(react("r3", "elsewhere", "👍")),
		} {
			a.put(m)
		}
		a.items = append(a.items, a.items[3]) // the same once more
		a.items[len(a.items)-1].Dropped, a.items[len(a.items)-1].Relation = perch.DroppedCall, nil
		before := fmt.Sprintf("%+v", a.items)
		merged, rest := sessions.MergeArchive(a.items, alice)
		const want = `m1 sent=false "one, corrected" edits=1 retracted=false 🎉[bob@example.net]` + "\n" +
			`p1 sent=true "mine" edits=0 retracted=false 👍[bob@example.net]`
		if got := pageChat(merged).String(); got != want {
			t.Errorf("messages: got\n%s\nwant\n%s", got, want)
		}
		dropped := map[string]int{}
		for i := range merged {
			dropped[merged[i].Dropped]++
		}
		if dropped[perch.DroppedNotAuthor] != 2 || dropped[perch.DroppedCall] != 1 || len(merged) != 5 {
			t.Errorf("got %d items, dropped %v; want 5, two of them not_author and one call", len(merged), dropped)
		}
		if len(rest) != 2 || rest[0].Ref != theirs("before").String() || rest[1].Ref != theirs("elsewhere").String() {
			t.Errorf("relations: got %+v, want those of the messages that are not here, with their refs", rest)
		}
		if after := fmt.Sprintf("%+v", a.items); after != before {
			t.Errorf("items: got them changed to %s, want %s", after, before)
		}
	})
}

// TestMergePrivateMessages: who has the nick of the author of a private message by now, changes nothing of it.
func TestMergePrivateMessages(t *testing.T) {
	inWorld(t, func(*world) {
		var items []perch.ArchiveItem
		for _, m := range []*perch.MessageIn{psst("p1", "occ-Bo", "one"), psst("c1", "occ-Mal", "forged"), psst("c2", "occ-Bo", "corrected")} {
			if m.ID != "p1" {
				m.Relation = &perch.Relation{Kind: perch.RelationEdit, Target: "p1"}
			}
			items = append(items, perch.ArchiveItem{MessageIn: *m, Time: now()})
			pass(1e9)
		}
		merged, _ := sessions.MergeArchive(items, alice)
		if len(merged) != 2 || merged[0].Body != "corrected" || merged[0].Edited.Count != 1 || merged[1].Dropped != perch.DroppedNotAuthor {
			t.Errorf("got %+v, want one message that its author has corrected, and one that is dropped", merged)
		}
	})
}

// TestMergeArchiveSameID: of several messages with one id the last before it is meant.
func TestMergeArchiveSameID(t *testing.T) {
	inWorld(t, func(*world) {
		a := &archive{}
		for _, m := range []*perch.MessageIn{text("1", "first"), text("1", "second"), edit("c", "1", "second, corrected"), text("1", "third")} {
			a.put(m)
			pass(1e9)
		}
		merged, _ := sessions.MergeArchive(a.items, alice)
		var got []string
		for i := range merged {
			got = append(got, merged[i].Body)
		}
		if fmt.Sprint(got) != "[first second, corrected third]" {
			t.Errorf("texts: got %q, want the second one corrected", got)
		}
	})
}

// TestMergeArchiveOfARoom: what is said of a corrected message names it by its first text, or by its last.
func TestMergeArchiveOfARoom(t *testing.T) {
	item := func(n int, nick string, rel *perch.Relation) perch.ArchiveItem {
		at := perch.Time(1000 * n)
		return perch.ArchiveItem{Time: at, MessageIn: perch.MessageIn{Relation: rel, Message: perch.Message{
			ID: fmt.Sprint("m", n), RoomStanzaID: fmt.Sprint("s", n), From: lobby + "/" + perch.JID(nick), Kind: perch.GroupchatMessage,
			Body: fmt.Sprint("text ", n), Source: perch.SourceArchive, Room: &perch.MessageRoom{Nick: nick, OccupantID: "occ-" + nick}}}}
	}
	merged, rest := sessions.MergeArchive([]perch.ArchiveItem{
		item(1, "Bo", nil), item(2, "Bo", &perch.Relation{Kind: perch.RelationEdit, Target: "m1"}),
		item(3, "Cy", &perch.Relation{Kind: perch.RelationReactions, Target: "s1", Emojis: []string{"👍"}}),
		item(4, "Di", &perch.Relation{Kind: perch.RelationReactions, Target: "s2", Emojis: []string{"👍"}}),
	}, alice)
	if len(rest) != 0 || len(merged) != 1 || merged[0].Body != "text 2" || merged[0].MessageDetails == nil || len(merged[0].Reactions) != 1 || len(merged[0].Reactions[0].By) != 2 {
		t.Errorf("got %+v and %+v, want one message, corrected, with two reactions", merged, rest)
	}
}
