package sessions_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
	"github.com/perch-im/perch/sessions"
)

// benchRoom is a session without a socket, with a store in memory, in front of a service with a room.
type benchRoom struct {
	b    *testing.B
	conn *fakexmpp.Conn
	s    *sessions.Session
	said int
}

func newBenchRoom(b *testing.B) *benchRoom {
	b.Helper()
	up := fakexmpp.New()
	up.Edit(func(d *fakexmpp.Data) {
		d.Rooms = map[perch.JID]*fakexmpp.Room{lobby: {Info: perch.RoomInfo{Name: "Lobby", Features: perch.RoomFeatures{Archive: true, OccupantIDs: true}}, Archive: perch.ArchivePage{Complete: true}}}
	})
	store := cache.NewMemory(cache.MemoryOptions{Retention: sessions.Retention{Events: 1000, Bytes: 1 << 20, Age: time.Hour}})
	m, err := sessions.NewManager(sessions.Options{
		Dial: up.Dial, Verify: up.Verify, Store: store, Secret: []byte("a secret of the benchmark, 32 bytes"), DefaultUpstream: "default", Logger: canary.Logger(),
		Upstreams: map[string]sessions.Upstream{"default": {Name: "default", TokenBearer: true}}, RoomDeliveryLimit: -1,
	})
	if err != nil {
		b.Fatalf("NewManager: got error %v, want none", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	b.Cleanup(func() {
		defer cancel()
		if err := m.Close(ctx); err != nil {
			b.Errorf("Close: got error %v, want none", err)
		}
		if err := store.Close(ctx); err != nil {
			b.Errorf("Close of the store: got error %v, want none", err)
		}
	})
	r := &benchRoom{b: b}
	if r.s, err = m.Authenticate(ctx, perch.NewSecret("token")); err != nil {
		b.Fatalf("Authenticate: got error %v, want none", err)
	}
	r.conn = up.Accepted(ctx)
	return r
}

// join lets the session join, and tells it of n occupants.
func (r *benchRoom) join(list []perch.RoomPresenceIn) {
	r.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		if _, _, err := sessions.RoomsOf(r.s).JoinRoom(ctx, lobby, sessions.RoomJoin{Nick: "Al"}); err != nil {
			r.b.Errorf("JoinRoom: got error %v, want none", err)
		}
	}()
	<-joined
	var id string
	for id == "" {
		out := r.conn.Next(ctx)
		if out == nil {
			r.b.Fatal("got no join, want one")
		}
		if j, ok := out.(*perch.RoomJoinOut); ok {
			id = j.ID
		}
	}
	r.conn.EnterRoom(lobby, present("Al", id, perch.CodeSelf), list...)
}

func present(nick, id string, codes perch.RoomCodes) perch.RoomPresenceIn {
	return perch.RoomPresenceIn{PresenceIn: perch.PresenceIn{From: lobby + perch.JID("/"+nick), Available: true}, ID: id, Codes: codes,
		OccupantID: "occupant of " + nick, Affiliation: perch.AffiliationNone, Role: perch.RoleParticipant}
}

func crowd(n int) []perch.RoomPresenceIn {
	list := make([]perch.RoomPresenceIn, n)
	for i := range list {
		list[i] = present(fmt.Sprint("Person ", i), "", 0)
	}
	return list
}

// message is one as a stream brings it: nothing of it was seen before.
func (r *benchRoom) message(kind perch.MessageKind) *perch.MessageIn {
	r.said++
	id := fmt.Sprintf("0197a4c2-5f3e-7000-8000-%012d", r.said)
	m := perch.Message{ID: id, OriginID: id, To: "alice@example.net", From: lobby + "/Person 1", Kind: kind, Body: "See you at the station at half past six, will you?"}
	if kind == perch.GroupchatMessage {
		m.RoomStanzaID, m.Room = id, &perch.MessageRoom{OccupantID: "occupant of Person 1"}
	} else {
		m.From, m.StanzaID = "bob@example.net/phone", id
	}
	return &perch.MessageIn{Message: m}
}

// BenchmarkRoomMessage is a message of a room on its way through the owner of a session into the log,
// beside one of a chat.
func BenchmarkRoomMessage(b *testing.B) {
	for _, kind := range []perch.MessageKind{perch.ChatMessage, perch.GroupchatMessage} {
		b.Run(string(kind), func(b *testing.B) {
			r := newBenchRoom(b)
			r.join(crowd(1000))
			list := make([]*perch.MessageIn, b.N)
			for i := range list {
				list[i] = r.message(kind)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, in := range list {
				r.conn.Deliver(in)
			}
		})
	}
}

// BenchmarkRoomPresence is what a room says of an occupant who is known, on its way through the owner.
func BenchmarkRoomPresence(b *testing.B) {
	r := newBenchRoom(b)
	list := crowd(1000)
	r.join(list)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		in := list[i%len(list)]
		in.Available = true
		r.conn.Deliver(&in)
	}
}
