package sessions

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/occupants"
)

// roomsWorld is the part without a session: what it asks of its host, of the log and of the outbox is
// written down, in order.
type roomsWorld struct {
	recorder
	x      *roomList
	rec    Record
	link   *link
	commit Commit
	timers []time.Duration
	due    []func()
	clock  perch.Time
	bg     []func(context.Context)
}

func newRoomsWorld() *roomsWorld {
	w := &roomsWorld{clock: 10_000_000, link: &link{live: true, conn: roomsWire{}}}
	w.rec = Record{JID: "alice@example.net/perch", Own: perch.OwnPresence{Available: true}}
	ids := 0
	w.x = &roomList{tip: func() uint64 { return 0 }, host: w, journal: w, log: w, outbox: w, id: "a", sealed: w, tables: occupants.New(occupants.Options{}), upstream: "net",
		newID: func() string { ids++; return fmt.Sprint("id", ids) }, byKey: map[perch.JID]*room{}, services: map[string]*roomService{}, most: func() int { return 0 }}
	return w
}

// roomsWire is a connection whose service has rooms; it is never asked here.
type roomsWire struct {
	Conn
	RoomConn
}

func (roomsWire) Done() <-chan struct{} { return nil }
func (roomsWire) Err() error            { return nil }

func (w *roomsWorld) now() perch.Time { return w.clock }
func (w *roomsWorld) post(f func())   { f() }
func (w *roomsWorld) after(d time.Duration, f func()) *time.Timer {
	w.timers, w.due = append(w.timers, d), append(w.due, f)
	return time.NewTimer(time.Hour)
}
func (w *roomsWorld) background(f func(context.Context))                  { w.bg = append(w.bg, f) }
func (w *roomsWorld) call(_ context.Context, f func()) error              { f(); return nil }
func (w *roomsWorld) callErr(_ context.Context, f func() error) error     { return f() }
func (w *roomsWorld) stream() *link                                       { return w.link }
func (w *roomsWorld) Online() bool                                        { return w.link != nil }
func (w *roomsWorld) errOffline() error                                   { return nil }
func (w *roomsWorld) chatOnly() bool                                      { return false }
func (w *roomsWorld) record() *Record                                     { return &w.rec }
func (w *roomsWorld) saveRecord()                                         {}
func (w *roomsWorld) ownJID() perch.JID                                   { return w.rec.JID }
func (w *roomsWorld) guarded(f func())                                    { f() }
func (w *roomsWorld) watched() bool                                       { return true }
func (w *roomsWorld) rememberAddress(perch.JID)                           {}
func (w *roomsWorld) dropped(d perch.Dropped)                             { w.note("dropped %s", d.Reason) }
func (w *roomsWorld) countDropped(reason string, _ int)                   { w.note("count %s", reason) }
func (w *roomsWorld) overBudget(string, perch.JID)                        { w.note("over budget") }
func (w *roomsWorld) logDebug(string, ...any)                             {}
func (w *roomsWorld) sealPassword(ID, perch.JID, perch.Secret) []byte     { return nil }
func (w *roomsWorld) openPassword(ID, perch.JID, []byte) (s perch.Secret) { return s }
func (w *roomsWorld) Change() *Commit                                     { return &w.commit }
func (w *roomsWorld) AfterCommit(f func(Result))                          { f(Result{}) }
func (w *roomsWorld) Exclusive(Commit, func(Result))                      {}
func (w *roomsWorld) Ephemeral(perch.EventType, string, any)              {}
func (w *roomsWorld) Durable(typ perch.EventType, data any) {
	switch d := data.(type) {
	case perch.Room:
		w.note("%s %s", typ, strings.TrimSpace(string(d.State)+" "+d.Reason))
	case perch.Gap:
		w.note("gap %s", d.Reason)
	}
}
func (w *roomsWorld) Send(out ...perch.Outbound) error {
	for _, o := range out {
		switch o := o.(type) {
		case *perch.RoomJoinOut:
			w.note("join %s %s", o.Nick, o.ID)
		case *perch.RoomLeaveOut:
			w.note("leave %s", o.Nick)
		}
	}
	return nil
}
func (w *roomsWorld) logRoomMessage(_ perch.EventType, m *perch.Message) {
	w.note("message %s", m.Body)
}
func (w *roomsWorld) noteRoomMessage(_ perch.EventType, m *perch.Message) {
	w.note("hidden %s", m.Body)
}
func (w *roomsWorld) logRoomRelation(in *perch.MessageIn, _ knownMessage, _ bool) {
	w.note("%s", in.Relation.Kind)
}
func (w *roomsWorld) reflected(_ perch.JID, ids [2]string, _ string) { w.note("reflected %s", ids[0]) }
func (w *roomsWorld) roomCaughtUp(_ perch.JID, certain bool)         { w.note("caught up %v", certain) }
func (w *roomsWorld) roomIsOver(perch.JID)                           { w.note("over") }
func (w *roomsWorld) unreflected(perch.JID, perch.Time) bool         { return false }
func (w *roomsWorld) asked(perch.JID)                                {}

const partRoom = perch.JID("r@muc.example.net")

// joining is a room whose join is at a step, with an archive.
func (w *roomsWorld) joining(step joinStep) *room {
	r := w.x.add(partRoom)
	r.row.Wanted.Client, r.row.Features.Archive = true, true
	w.x.begin(r, &roomJoin{}, roomWhy{})
	j := r.join
	j.nick = "Al"
	if step >= joinSent {
		w.x.sendJoin(r, j)
	}
	if step >= joinReading {
		w.x.presence(r, w.self(j.id))
		w.x.subjectIn(r, &perch.RoomSubjectIn{From: partRoom})
	}
	w.did = nil
	return r
}

func (w *roomsWorld) self(id string) *perch.RoomPresenceIn {
	return &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: partRoom + "/Al", Available: true}, ID: id, Codes: perch.CodeSelf, Role: perch.RoleParticipant, Affiliation: perch.AffiliationNone}
}

func inRoomSaid(body, id string) *perch.MessageIn {
	return &perch.MessageIn{Message: perch.Message{ID: "m" + body, RoomStanzaID: id, From: partRoom + "/Bo", Kind: perch.GroupchatMessage, Body: body}}
}

// TestRoomJoinSteps: what each step does with what may come in it.
func TestRoomJoinSteps(t *testing.T) {
	unavailable := func(codes perch.RoomCodes) *perch.RoomPresenceIn {
		return &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: partRoom + "/Al"}, Codes: codes | perch.CodeSelf, Role: perch.RoleNone}
	}
	for name, tt := range map[string]struct {
		step  joinStep
		in    func(r *room) perch.Inbound
		want  []string
		state perch.RoomState
	}{
		"sent: the subject alone is no end": {joinSent, func(*room) perch.Inbound { return &perch.RoomSubjectIn{From: partRoom} }, nil, perch.RoomStateJoining},
		"sent: a message waits":             {joinSent, func(*room) perch.Inbound { return inRoomSaid("x", "1") }, nil, perch.RoomStateJoining},
		"sent: the end of a ghost":          {joinSent, func(*room) perch.Inbound { return unavailable(perch.CodeServiceError) }, nil, perch.RoomStateJoining},
		"sent: presence of the room itself": {joinSent, func(*room) perch.Inbound { return &perch.PresenceIn{From: partRoom, Available: true} }, nil, perch.RoomStateJoining},
		"sent: an error of an earlier join": {joinSent, func(*room) perch.Inbound {
			return &perch.RoomJoinError{From: partRoom, ID: "other", Error: perch.XMPPError{Condition: "conflict"}}
		}, []string{"count unmatched"}, perch.RoomStateJoining},
		"sent: the nick is taken": {joinSent, func(r *room) perch.Inbound {
			return &perch.RoomJoinError{From: partRoom, ID: r.join.id, Error: perch.XMPPError{Condition: "conflict"}}
		}, []string{"join Al_ id2"}, perch.RoomStateJoining},
		"sent: refused": {joinSent, func(r *room) perch.Inbound {
			return &perch.RoomJoinError{From: partRoom, ID: r.join.id, Error: perch.XMPPError{Condition: "forbidden"}}
		}, []string{"room.state banned", "over"}, perch.RoomStateBanned},
		"sent: try again later": {joinSent, func(r *room) perch.Inbound {
			return &perch.RoomJoinError{From: partRoom, ID: r.join.id, Error: perch.XMPPError{Condition: "remote-server-timeout"}}
		}, []string{"room.state joining timeout"}, perch.RoomStateJoining},
		"reading: kicked":                    {joinReading, func(*room) perch.Inbound { return unavailable(perch.CodeKicked) }, []string{"room.state kicked", "over"}, perch.RoomStateKicked},
		"reading: the service goes":          {joinReading, func(*room) perch.Inbound { return unavailable(perch.CodeShutdown) }, []string{"room.state joining shutdown"}, perch.RoomStateJoining},
		"reading: a message waits":           {joinReading, func(*room) perch.Inbound { return inRoomSaid("x", "1") }, nil, perch.RoomStateJoining},
		"reading: history that nobody wants": {joinReading, func(*room) perch.Inbound { m := inRoomSaid("x", "1"); m.History = true; return m }, []string{"count unmatched"}, perch.RoomStateJoining},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRoomsWorld()
			r := w.joining(tt.step)
			if !w.x.apply(tt.in(r), w.link) {
				t.Error("apply: got false, want that it was for rooms")
			}
			w.want(t, tt.want...)
			if r.row.State != tt.state {
				t.Errorf("state: got %s, want %s", r.row.State, tt.state)
			}
		})
	}
}

// TestJoinAskedForAgain: a join that is under way continues when it is asked for once more, and what waits
// for it is kept; with another nick, or a password, it is another join.
func TestJoinAskedForAgain(t *testing.T) {
	for _, step := range []joinStep{joinQueued, joinSent, joinReading} {
		for _, c := range []struct {
			name  string
			join  RoomJoin
			anew  bool
			waits int
		}{
			{"the same", RoomJoin{}, false, 1},
			{"its nick", RoomJoin{Nick: "Al"}, false, 1},
			{"another nick", RoomJoin{Nick: "Ann"}, true, 0},
			{"a password", RoomJoin{Password: perch.NewSecret("open")}, true, 0},
		} {
			w := newRoomsWorld()
			r := w.joining(step)
			before := r.join
			w.x.message(r, inRoomSaid("one", "s1"))
			w.x.joinFor(r, &c.join)
			if anew := r.join != before; anew != c.anew || len(r.join.held) != c.waits || !r.wish.byClient {
				t.Errorf("step %d, %s: got anew %v with %d that wait, want %v with %d, for a client", step, c.name, anew, len(r.join.held), c.anew, c.waits)
			}
		}
	}
}

// TestKickedWhileMessagesWait: what came is logged, behind the gap before it.
func TestKickedWhileMessagesWait(t *testing.T) {
	w := newRoomsWorld()
	r := w.joining(joinReading)
	w.x.apply(inRoomSaid("x", "1"), w.link)
	w.x.left(r, &perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: partRoom + "/Al"}, Codes: perch.CodeSelf | perch.CodeKicked})
	w.want(t, "gap archive_error", "message x", "room.state kicked", "over")
}

// TestJoinedWhileItIsForgotten: a room that its client joins again, before it has answered that it is left,
// stays known whatever it does later.
func TestJoinedWhileItIsForgotten(t *testing.T) {
	w := newRoomsWorld()
	r := w.joining(joinReading)
	w.x.leave(r)
	w.x.forget(r)
	w.x.joinFor(r, &RoomJoin{})
	w.x.refuse(r, perch.RoomStateBanned, roomWhy{})
	if w.x.find(partRoom) != r || r.row.State != perch.RoomStateBanned {
		t.Errorf("got the room %v in state %s, want it known as banned", w.x.find(partRoom), r.row.State)
	}
}

// TestRoomBufferOverflow: what the archive has goes first; the rest is kept as long as there is room.
func TestRoomBufferOverflow(t *testing.T) {
	b := roomBuffer{}
	for i := range maxRoomHeld {
		b.hold(inRoomSaid("x", fmt.Sprint(i)))
	}
	if b.overflow || len(b.held) != maxRoomHeld {
		t.Fatalf("full: got overflow %v and %d, want none and %d", b.overflow, len(b.held), maxRoomHeld)
	}
	if !b.hold(inRoomSaid("without", "")) || !b.overflow || len(b.held) != 1 {
		t.Errorf("one more: got overflow %v and %d held, want true and the one that no archive has", b.overflow, len(b.held))
	}
	for range maxRoomHeld {
		b.hold(inRoomSaid("without", ""))
	}
	if b.hold(inRoomSaid("without", "")) || len(b.held) != maxRoomHeld {
		t.Errorf("no room: got %d held, want %d and that one is lost", len(b.held), maxRoomHeld)
	}
}

// TestHistoryBehindTheLog: what a room tells once more is new behind the last message that is known.
func TestHistoryBehindTheLog(t *testing.T) {
	list := []*perch.MessageIn{inRoomSaid("1", ""), inRoomSaid("2", ""), inRoomSaid("2", ""), inRoomSaid("3", "")}
	for name, tt := range map[string]struct {
		known []string
		want  int
	}{
		"all of it": {nil, 0}, "the rest": {[]string{"0", "1"}, 1}, "the same twice": {[]string{"1", "2"}, 3},
		"nothing": {[]string{"3"}, 4}, "the last one is not told": {[]string{"1", "odd"}, 1},
	} {
		r := &room{}
		for _, body := range tt.known {
			r.remember(knownMessage{saying: saying{text: roomText(inRoomSaid(body, ""))}})
		}
		if got := r.after(list, 0); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

// TestKnownMessagesAreBounded, and the newest are found.
func TestKnownMessagesAreBounded(t *testing.T) {
	r := &room{}
	for i := range 3 * knownMessages {
		r.remember(knownMessage{saying: saying{stanzaID: fmt.Sprint(i), id: short(fmt.Sprint("m", i%2)), author: uint64(i)}, message: true})
	}
	if len(r.known.rows) != knownMessages || r.has("0") || !r.has(fmt.Sprint(3*knownMessages-1)) {
		t.Errorf("got %d messages, the first %v; want %d without it", len(r.known.rows), r.has("0"), knownMessages)
	}
	if k := r.byID("m1", 0); k == nil || k.stanzaID != fmt.Sprint(3*knownMessages-1) {
		t.Errorf("by id: got %+v, want the newest", k)
	}
}

// TestKnownMessagesAreShared: what sessions know alike of a message is once in memory, and what one of them
// knows otherwise is its own.
func TestKnownMessagesAreShared(t *testing.T) {
	const sessions, most = 300, 3500 // bytes of a room in a session, with all that it knows
	shared := newSayings()
	rooms := make([]*room, sessions)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range rooms {
		rooms[i] = &room{known: knownList{shared: shared}}
		for n := range knownMessages {
			stanza := fmt.Sprintf("%036d %036d", n, n) // as a part of which the ids come
			rooms[i].remember(knownMessage{saying: saying{stanzaID: stanza[:36], wire: stanza[37:], id: short(stanza[37:]), author: hashOf("nick", "Bo")}, message: true, own: i == 1})
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc-before.HeapAlloc) / sessions; got > most {
		t.Errorf("got %d bytes a session, want at most %d", got, most)
	}
	rooms[0].nickIsOver("Bo")
	last := fmt.Sprintf("%036d", knownMessages-1)
	for i, want := range []knownMessage{
		{saying: saying{stanzaID: last, wire: last, id: short(last)}, message: true},
		{saying: saying{stanzaID: last, wire: last, id: short(last), author: hashOf("nick", "Bo")}, message: true, own: true},
		{saying: saying{stanzaID: last, wire: last, id: short(last), author: hashOf("nick", "Bo")}, message: true},
	} {
		if got := rooms[i].byArchive(last); got == nil || *got != want {
			t.Errorf("session %d: got %+v, want %+v", i, got, want)
		}
		if got := rooms[i].byID(last, 0); got == nil || *got != want {
			t.Errorf("session %d, by id: got %+v, want %+v", i, got, want)
		}
	}
}

// TestMentionedByNick: as a word, whatever the case.
func TestMentionedByNick(t *testing.T) {
	for text, want := range map[string]bool{"al": true, "Al: hi": true, "hey AL!": true, "alas": false, "formal": false, "al_": false, "": false,
		"ıal al": true, "Ünal": false, "@al,": true} {
		if got := hasWord(text, "Al"); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if hasWord("anything", strings.Repeat("x", 20)) || !hasWord("Bo Derek: hi", "bo derek") {
		t.Error("names of several letters and words: got the opposite of what is there, want no x and the bo derek")
	}
}

// TestLoudAgainBeforeTheEndOfAGap: a room that is above the limit once more before anything of it was logged
// again has one gap, with all that was left out.
func TestLoudAgainBeforeTheEndOfAGap(t *testing.T) {
	w := newRoomsWorld()
	w.x.most = func() int { return 2 }
	r := w.joining(joinSent)
	r.join, r.row.State, r.row.Nick = nil, perch.RoomStateJoined, "Al"
	n := 0
	say := func(bodies ...string) {
		for _, body := range bodies {
			n++
			w.x.apply(inRoomSaid(body, fmt.Sprint(n)), w.link)
		}
	}
	quiet := func() { // the first window is loud, the second is not
		w.x.windowEnds(r)
		w.x.windowEnds(r)
	}
	say("1", "2", "3", "4")
	quiet()
	r.row.Wanted.Delivery = perch.DeliverMentions
	say("5", "6", "7", "Al: 8")
	r.row.Wanted.Delivery = perch.DeliverAll
	say("9")
	quiet()
	say("10")
	if m := r.row.Missed; m == nil || m.Count != 3 || m.FromRef != perch.RefOf(&inRoomSaid("2", "2").Message, false) || m.ToRef != perch.RefOf(&inRoomSaid("10", "10").Message, false) {
		t.Errorf("gap: got %+v, want 3 messages from the second to the tenth", m)
	}
}

// TestRoomsAreBounded: no more than the Store keeps.
func TestRoomsAreBounded(t *testing.T) {
	w := newRoomsWorld()
	for i := range MaxRooms {
		w.x.add(perch.JID(fmt.Sprintf("r%d@s%d.example.net", i, i)))
	}
	if w.x.add(partRoom) != nil {
		t.Error("one more: got a room, want none")
	}
	for _, r := range w.x.sorted() {
		w.x.serviceOf(r)
		w.x.remove(r)
	}
	if len(w.x.services) != 0 || len(w.x.byKey) != 0 || !slices.IsSorted(w.timers) {
		t.Errorf("without rooms: got %d services, want none", len(w.x.services))
	}
}

// TestAuthorOfWhatIsAnswered: in a room it is an occupant, whose nick is the one that it had then, and never
// an account.
func TestAuthorOfWhatIsAnswered(t *testing.T) {
	w := newRoomsWorld()
	r := w.joining(joinSent)
	r.join, r.row.State, r.row.Nick = nil, perch.RoomStateJoined, "Al"
	for i, from := range []perch.JID{r.jid() + "/Bo", r.jid(), r.jid() + "/Al"} {
		in := &perch.MessageIn{Message: perch.Message{ID: fmt.Sprint("m", i), From: from, RoomStanzaID: fmt.Sprint("s", i)}}
		r.remember(w.x.identify(r, in))
	}
	for name, tt := range map[string]struct {
		to, want perch.JID
		ref      perch.Ref
		no       bool // it is in no room
	}{
		"another occupant":             {to: r.jid(), ref: perch.Ref{StanzaID: "s0", Room: true}, want: r.jid() + "/Bo"},
		"of a room without an archive": {to: r.jid(), ref: perch.Ref{ID: "m0"}, want: r.jid() + "/Bo"},
		"the room":                     {to: r.jid(), ref: perch.Ref{StanzaID: "s1", Room: true}},
		"the account":                  {to: r.jid(), ref: perch.Ref{StanzaID: "s2", Room: true}, want: r.jid() + "/Al"},
		"the account, without archive": {to: r.jid(), ref: perch.Ref{ID: "m2", Sent: true}, want: r.jid() + "/Al"},
		"an old one":                   {to: r.jid(), ref: perch.Ref{StanzaID: "s9", Room: true}},
		"in private":                   {to: r.jid() + "/Bo", ref: perch.Ref{ID: "p1"}, want: r.jid() + "/Bo"},
		"in private, the account":      {to: r.jid() + "/Bo", ref: perch.Ref{ID: "p2", Sent: true}, want: r.jid() + "/Al"},
		"elsewhere":                    {to: "bo@example.net", ref: perch.Ref{ID: "p1"}, no: true},
	} {
		if got, inRoom := w.x.author(tt.to, tt.ref); got != tt.want || inRoom == tt.no {
			t.Errorf("%s: got %q, %v; want %q, %v", name, got, inRoom, tt.want, !tt.no)
		}
	}
}

// TestPartnersAreBounded: the ones who were talked to last are remembered.
func TestPartnersAreBounded(t *testing.T) {
	w := newRoomsWorld()
	r := w.joining(joinReading)
	for i := range 200 {
		w.x.talked(r, fmt.Sprint("n", i), "id x")
	}
	w.x.talked(r, "n150", "id x")
	w.x.talked(r, "n199", "id y")
	if n := len(r.row.Partners); n != maxPartners || r.partner("n150") == nil || r.partner("n1") != nil || r.partner("n199").Who != "id y" {
		t.Errorf("got %d partners, want the last %d", n, maxPartners)
	}
}
