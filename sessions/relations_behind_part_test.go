package sessions

import (
	"testing"

	"github.com/perch-im/perch"
)

// ownChange is a control message of the account's own about the message "1", as the archive has it.
func ownChange(id string, at perch.Time, kind perch.RelationKind, body string, emojis ...string) *perch.ArchiveItem {
	m := changes(kind, "1", body, emojis...)
	m.Sent, m.From, m.To = true, "alice@example.net/perch", "bob@example.net"
	m.ID, m.StanzaID, m.Source, m.Delay = id, "a-"+id, perch.SourceArchive, &perch.Delay{Stamp: at}
	return &perch.ArchiveItem{Time: at, MessageIn: *m}
}

// acceptedAt is the record of a message to bob.
func acceptedAt(id string, at perch.Time) *perch.MessageRecord {
	return &perch.MessageRecord{ID: id, To: "bob@example.net", Status: perch.StatusAcked, History: []perch.StatusChange{{Status: perch.StatusAccepted, Time: at}}}
}

// TestArchiveAfterTheLogWasLost: where a log began anew and the archive brings back what the account itself has said
// before, what it has said last counts, whether its record was lost as well or not.
func TestArchiveAfterTheLogWasLost(t *testing.T) {
	const minute = 60_000
	edit := func(id string, at perch.Time) *perch.ArchiveItem {
		return ownChange(id, at, perch.RelationEdit, "text "+id)
	}
	react := func(id string, at perch.Time, emojis ...string) *perch.ArchiveItem {
		return ownChange(id, at, perch.RelationReactions, "", emojis...)
	}
	for _, tt := range []struct {
		name    string
		archive []*perch.ArchiveItem
		records map[string]*perch.MessageRecord
		want    []string
	}{
		{"the first correction has no record any more",
			[]*perch.ArchiveItem{edit("e1", minute), edit("e2", 2*minute)},
			map[string]*perch.MessageRecord{"e2": acceptedAt("e2", 2*minute)},
			[]string{"message.edited", "message.edited"}},
		{"and was accepted long before it was sent",
			[]*perch.ArchiveItem{edit("e1", 9*minute), edit("e2", 9*minute+1)},
			map[string]*perch.MessageRecord{"e1": acceptedAt("e1", minute), "e2": acceptedAt("e2", minute+1)},
			nil},
		{"of what was not said again there is nothing",
			[]*perch.ArchiveItem{edit("e2", 2*minute)},
			map[string]*perch.MessageRecord{"e2": acceptedAt("e2", 2*minute)},
			nil},
		{"reactions",
			[]*perch.ArchiveItem{react("r1", minute, "a"), react("r2", 2*minute, "b")},
			map[string]*perch.MessageRecord{"r2": acceptedAt("r2", 2*minute)},
			[]string{"message.reactions", "message.reactions"}},
		{"a retraction",
			[]*perch.ArchiveItem{edit("e1", minute), ownChange("t", 2*minute, perch.RelationRetraction, "")},
			map[string]*perch.MessageRecord{"t": acceptedAt("t", 2*minute)},
			[]string{"message.edited", "message.retracted"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newCatchupWorld()
			for range 2 { // the second time all are copies
				for _, it := range tt.archive {
					w.cu.applyArchived(it, tt.records[it.ID])
				}
			}
			w.l.flush()
			w.want(t, tt.want...)
		})
	}
}

// TestArchiveOfWhatIsLogged: what the account has said is not said again by its copy in the archive, whatever was said
// before and since.
func TestArchiveOfWhatIsLogged(t *testing.T) {
	const minute = 60_000
	for _, kind := range []perch.RelationKind{perch.RelationEdit, perch.RelationReactions, perch.RelationRetraction} {
		w := newCatchupWorld()
		for i, id := range []string{"1st", "2nd"} {
			it := ownChange(id, perch.Time((i+1)*minute), kind, "text "+id, id)
			w.cu.relations.take(&it.MessageIn, 0, false)
		}
		w.l.flush()
		before := len(w.events)
		for i, id := range []string{"1st", "2nd"} {
			w.cu.applyArchived(ownChange(id, perch.Time((i+5)*minute), kind, "text "+id, id), acceptedAt(id, perch.Time((i+1)*minute)))
		}
		w.l.flush()
		if got := len(w.events); got != before || before == 0 {
			t.Errorf("%s: got %d events after the archive was read, want the %d of before", kind, got, before)
		}
	}
}

// TestStateOlderThan: a state is not older than the correction that it has, whatever the clock of the server says, nor
// than one of the same second, nor than anything once the message is retracted.
func TestStateOlderThan(t *testing.T) {
	const at = 60_000
	first, second := ownChange("e1", at, perch.RelationEdit, "x"), ownChange("e2", at, perch.RelationEdit, "y")
	retraction := ownChange("t", at, perch.RelationRetraction, "")
	for _, tt := range []struct {
		name     string
		has, of  *perch.ArchiveItem
		accepted perch.Time
		want     bool
	}{
		{"a later correction", first, second, at + 10_000, true},
		{"the correction that it has", first, first, at + 10_000, false},
		{"one of the same second", first, second, at + lateSlack, false},
		{"a retraction", first, retraction, at, true},
		{"the retraction that it has", retraction, retraction, at + 10_000, false},
		{"a correction of what is retracted", retraction, second, at + 10_000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s relationState
			s.apply(&tt.has.MessageIn, at, false)
			if got := s.olderThan(&tt.of.MessageIn, tt.accepted); got != tt.want {
				t.Errorf("got older %v, want %v", got, tt.want)
			}
		})
	}
}
