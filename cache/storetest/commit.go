package storetest

import (
	"errors"
	"testing"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

var commitCases = []Case{
	{"a commit is applied whole", whole},
	{"a refused commit changes nothing", refusedWhole},
	{"events follow the tip", follow},
	{"a repeated commit counts once", repeated},
	{"a record is written whole", recordWhole},
}

// everything is a commit with something in each part.
func everything(o *owner) *sessions.Commit {
	return &sessions.Commit{
		Events: o.events(2),
		Record: &sessions.Record{
			JID: "me@x/phone", RosterVersion: "v1", RosterKnown: true, ArchiveID: "arch", Mechanism: "SCRAM-SHA-256", Fast: &sessions.StoredFast{Mechanism: "HT-SHA-256-EXPR", Sealed: []byte{1, 0, 255}, Count: 3, Expires: 1_700_000_000_002}, Unlist: []perch.JID{"r@muc.x"}, BlockList: &sessions.StoredBlockList{List: []perch.JID{"e@x"}, Partial: true, Sum: "s"}, Stream: []byte{0, 1, 255},
			Own: perch.OwnPresence{Available: true, Show: perch.ShowDND, Status: "büsy", Priority: -3}, Handled: 7, OfflineSince: 1_700_000_000_001,
		},
		Contacts:    putting(o.Contacts, contact("a@x", "here"), contact("b@x", "\u2028<&>")),
		Invitations: sessions.Delta[perch.Invitation]{Put: []*perch.Invitation{{JID: "c@x", Nick: "C", Message: "hi", ReceivedAt: 5}}},
		VCards:      sessions.Delta[perch.VCard]{Put: []*perch.VCard{vcard("a@x", "Ann")}},
		Messages:    []*perch.MessageRecord{message("m1", perch.StatusAccepted)},
		Outbox:      sessions.Delta[sessions.OutboxEntry]{Put: []*sessions.OutboxEntry{entry("m1", 1, "text")}},
		Rooms:       roomDelta{Put: []*sessions.StoredRoom{room("r@muc.x", "text")}},
		Readers:     readerDelta{Put: []*sessions.StoredReader{reader("a", 1)}},
		Once:        &sessions.Once{Key: "k1", Fingerprint: "f", Answer: "m1"},
	}
}

func vcard(jid perch.JID, name string) *perch.VCard {
	return &perch.VCard{JID: jid, FullName: name, Emails: []string{"a@b"}, FetchedAt: 9,
		Photo: &perch.Photo{Type: "image/png", Hash: "00ff", Size: 4, Data: []byte{0x89, 'P', 'N', 'G'}}}
}

func message(id string, s perch.MessageStatus) *perch.MessageRecord {
	return &perch.MessageRecord{ID: id, Ref: "obTE", To: "a@x", Status: s, History: []perch.StatusChange{{Status: s, Time: 11}}}
}

func entry(id string, seq uint64, body string) *sessions.OutboxEntry {
	return &sessions.OutboxEntry{ID: id, Seq: seq, MessageOut: perch.MessageOut{ID: id, To: "a@x", Kind: perch.ChatMessage, Body: body, Thread: "t", Receipt: true,
		Details:  &perch.MessageDetails{ReplyTo: &perch.Reply{Ref: "ibTE", ID: "m1", From: "a@x"}, Payloads: []string{"<a xmlns='b'/>"}, Markable: true},
		Relation: &perch.Relation{Kind: perch.RelationReactions, Target: "m1", Emojis: []string{"👍"}}}}
}

// holds checks that everything of c is stored, and nothing else.
func (o *owner) holds(c *sessions.Commit) {
	o.t.Helper()
	ctx, got := o.t.Context(), o.openAgain()
	same(o.t, "saved", got, &sessions.Saved{
		Fence: got.Fence, Epoch: got.Epoch, Tip: uint64(len(c.Events)), Record: *c.Record,
		Contacts: c.Contacts.Table, Invitations: c.Invitations.Put, Outbox: c.Outbox.Put, Rooms: c.Rooms.Put, Readers: c.Readers.Put,
	})
	same(o.t, "log", o.page(0, 100), sessions.LogPage{Events: c.Events, First: 1, Tip: uint64(len(c.Events))})
	card, err := o.store.VCard(ctx, o.id, c.VCards.Put[0].JID)
	if err != nil {
		o.t.Fatalf("VCard: got error %v, want none", err)
	}
	same(o.t, "vcard", card, c.VCards.Put[0])
	rec, err := o.store.Message(ctx, o.id, c.Messages[0].ID)
	if err != nil {
		o.t.Fatalf("Message: got error %v, want none", err)
	}
	same(o.t, "message", rec, c.Messages[0])
}

func whole(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	c := everything(o)
	o.ok(c)
	o.holds(c)
	if other := open(t, h.Store, "a2"); other.Tip != 0 || other.Contacts.Len() != 0 {
		t.Errorf("another session sees %v, want 0", other.Saved)
	}
}

func refusedWhole(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	stored := everything(o)
	o.ok(stored)
	bad := &sessions.Commit{
		Record:      &sessions.Record{JID: "bad@x"},
		Contacts:    instead(),
		Invitations: sessions.Delta[perch.Invitation]{Reset: true},
		VCards:      sessions.Delta[perch.VCard]{Reset: true},
		Messages:    []*perch.MessageRecord{message("m1", perch.StatusFailed)},
		Outbox:      sessions.Delta[sessions.OutboxEntry]{Reset: true},
		Rooms:       roomDelta{Reset: true},
		Readers:     readerDelta{Reset: true},
		Once:        &sessions.Once{Key: "k2"},
	}
	hole, old, known := *bad, *bad, *bad
	hole.Events = []*perch.Event{o.event(4, "")}
	old.Fence = o.Fence + 1
	known.Once, known.Events = &sessions.Once{Key: "k1", Fingerprint: "other", Answer: "m2"}, o.events(1)
	if r := o.commit(&hole); !errors.Is(r.Err, sessions.ErrOrder) {
		t.Errorf("a hole gave %v, want %v", r.Err, sessions.ErrOrder)
	}
	if r := o.commit(&old); !errors.Is(r.Err, sessions.ErrFenced) {
		t.Errorf("a wrong fence gave %v, want %v", r.Err, sessions.ErrFenced)
	}
	r := o.commit(&known)
	if r.Err != nil {
		t.Errorf("a known key gave %v, want no error", r.Err)
	}
	same(t, "existing", r.Existing, stored.Once)
	o.holds(stored)
	o.ok(&sessions.Commit{Once: &sessions.Once{Key: "k2"}}) // not taken by the refused ones
}

func follow(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.append(3)
	for name, c := range map[string]struct {
		events []*perch.Event
		want   error
	}{
		"a hole":        {[]*perch.Event{o.event(5, "")}, sessions.ErrOrder},
		"offset 0":      {[]*perch.Event{o.event(0, "")}, sessions.ErrOrder},
		"a hole inside": {[]*perch.Event{o.event(4, ""), o.event(6, "")}, sessions.ErrOrder},
		"backwards":     {[]*perch.Event{o.event(4, ""), o.event(3, "")}, sessions.ErrOrder},
		"half known":    {[]*perch.Event{o.event(3, "hello"), o.event(4, "")}, sessions.ErrOrder},
		"another past":  {[]*perch.Event{o.event(3, "bye")}, sessions.ErrLost},
	} {
		if r := o.commit(&sessions.Commit{Events: c.events}); !errors.Is(r.Err, c.want) {
			t.Errorf("%s gave %v, want %v", name, r.Err, c.want)
		}
	}
	o.bounds(1, 3)
	o.append(2)
	o.bounds(1, 5)
}

func repeated(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	c := everything(o)
	o.ok(c)
	o.ok(&sessions.Commit{Outbox: sessions.Delta[sessions.OutboxEntry]{Del: []string{"m1"}}})
	o.ok(c)
	o.bounds(1, 2)
	o.tip = 2
	o.append(1)
	o.bounds(1, 3)
	if s := o.openAgain(); len(s.Outbox) != 0 {
		t.Errorf("a repeated commit put back %v, want 0", s.Outbox)
	}
}

func recordWhole(t testing.TB, h Harness) {
	o := open(t, h.Store, "a1")
	o.ok(everything(o))
	o.ok(&sessions.Commit{})
	o.ok(&sessions.Commit{Record: &sessions.Record{JID: "me@x/pad"}})
	o.ok(&sessions.Commit{Contacts: instead()})
	same(t, "record", o.openAgain().Record, sessions.Record{JID: "me@x/pad"})
}
