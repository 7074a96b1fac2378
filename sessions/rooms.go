package sessions

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/copies"
	"github.com/perch-im/perch/internal/occupants"
)

// The part of a session that is in rooms (XEP-0045). A session has one once it uses rooms; before that
// it costs nothing, and nothing of a room is done by itself.
//
// # State
//
// A room is in one of the states of perch.RoomState, which is stored with what is wanted of it:
//
//	               wanted by a client or a bookmark
//	(unknown) ------------------------------------> joining --> joined
//	    | invitation                                 |  ^          |
//	    v                                            |  |          | kick, ban, end, loss of membership
//	 invited --> as unknown                 refused  |  |          v
//	                                                 |  |      kicked, banned, destroyed, failed
//	                                                 v  | 332, 333, silence of the room, a new bind, a resync
//	                           failed, banned, destroyed| own presence available again
//	                                                    +---- joined, left (unavailable)
//
//	joined --LeaveRoom--> leaving --own unavailable presence, or a deadline--> left
//
// A join has steps, which are not stored: a session that is opened again begins them anew.
//
//	queued   waits for a place: few joins at a time of one service
//	asking   the room is asked what it is (XEP-0045, 6.4)
//	sent     the presence is written; the room says who is in it, and ends that with its subject
//	setup    a new room is configured, so that it is locked no more
//	reading  its archive is read from the last message of before on
//
// # Invariants
//
//  1. A join of a room and a resync of one that is joined are the same steps.
//  2. A resumed stream is in its rooms, and nothing is sent; a stream that was bound is in none.
//     So the state of a room outlives a stream that is lost, and is decided about by online.
//  3. The gateway never makes a room by itself: only a join that a client has asked for may, and any other
//     asks first whether the room exists.
//  4. A room that has kicked, banned or refused the account is not joined again but by its client.
//  5. StoredRoom.ArchiveID is the id of the last message of the room that is in the log, in the same
//     commit as that message or before it, or that a first join begins after. What comes live from the
//     presence of a join on is held back until the archive was read from there on, so each message is
//     in the log once and in the order of the room. While a room is joining nothing that it sends moves
//     ArchiveID: whatever ends the join, the next one reads the same again.
//  6. Nothing is changed by what an answer says whose join, or whose link, is over.
//
// # Messages
//
// What a room reflects is the message: one of our own, from whatever device, enters the log when the
// room has sent it to everybody, and only that says that it was delivered (outbox_rooms.go).

const (
	joinsAtOnce   = 5                      // of one service
	joinEvery     = 200 * time.Millisecond // of one service
	roomInfoTime  = 15 * time.Second
	joinTime      = 60 * time.Second // from the presence to the subject
	roomLeaveTime = 10 * time.Second
	rejoinMin     = time.Second
	rejoinMax     = 5 * time.Minute
	rejoinLasted  = 60_000 // ms after which a join counts as one that has worked
	nickTries     = 3      // of other nicks, after a conflict
	historySlack  = 600_000
	unknownSlack  = 1000 // ms that an archive may be behind the place that it was asked for
	maxRoomHeld   = 500  // live messages of one room that wait while its archive is read
	roomHeldBytes = 1 << 20
	knownMessages = 100 // of a room: they are found as what a control message is about
	maxRoomText   = 1 << 10
	maxSubject    = 4 << 10
)

// roomsHost is what rooms need of the session that they belong to.
type roomsHost interface {
	owner
	sender
	// call and callErr let the owner run f, and wait until it has run.
	call(ctx context.Context, f func()) error
	callErr(ctx context.Context, f func() error) error
	// stream is the connection in use; nil: there is none.
	stream() *link
	// errOffline is why there is none.
	errOffline() error
	// chatOnly reports whether the server takes chat messages only.
	chatOnly() bool
	// record is the stored state of the session; saveRecord commits it as it is then.
	record() *Record
	saveRecord()
	// ownJID is the own address.
	ownJID() perch.JID
	// guarded runs f; a fault of ours costs what f was about, and nothing else.
	guarded(f func())
	// watched reports whether there is a subscriber.
	watched() bool
	// rememberAddress notes an address that the server gave.
	rememberAddress(jid perch.JID)
	// dropped makes an event of what is lost, and counts it; countDropped only counts; overBudget
	// counts what found no room in a budget.
	dropped(d perch.Dropped)
	countDropped(reason string, n int)
	overBudget(budget string, from perch.JID)
	logDebug(msg string, args ...any)
}

// roomLog is where the messages of rooms enter the log.
type roomLog interface {
	// logRoomMessage and logRoomRelation log what is no copy.
	logRoomMessage(typ perch.EventType, m *perch.Message)
	// noteRoomMessage makes no event: it only counts in the list of conversations.
	noteRoomMessage(typ perch.EventType, m *perch.Message)
	logRoomRelation(in *perch.MessageIn, of knownMessage, late bool)
}

// roomOutbox is what rooms say of the messages that we sent.
type roomOutbox interface {
	// reflected says that a room has sent a message of ours to everybody.
	reflected(room perch.JID, ids [2]string, ref string)
	// roomCaughtUp says that a room is joined, and whether all that it has of ours was seen.
	roomCaughtUp(room perch.JID, certain bool)
	// roomIsOver says that nothing can be sent to a room any more.
	roomIsOver(room perch.JID)
	// unreflected reports whether the room still owes the reflection of a message; asked says that it
	// is looked for.
	unreflected(room perch.JID, before perch.Time) bool
	asked(room perch.JID)
}

// roomList is the part of a session that is in rooms.
type roomList struct {
	host    roomsHost
	journal journal
	log     roomLog
	outbox  roomOutbox
	store   logStore
	id      ID // of the session
	newID   func() string
	sealed  passwords
	tables  occupantTables
	sayings *copies.Of[saying] // of the node
	// upstream is whose rooms these are: those of two with one address are two.
	upstream string

	byKey    map[perch.JID]*room
	services map[string]*roomService // by domain
	list     *conversationList       // nil: nobody has asked for it
	deferred *occupantNews
	gathers  bool          // joins are queued, and none is begun
	looking  int           // control messages whose message is looked for
	tip      func() uint64 // offset of the last event that is committed
	most     func() int    // events of one room in a minute, as it is set now; less than 1: no limit
	muc      []perch.JID   // the services with rooms of the own server, once they are known; never changed
	roomPublisher
}

// passwords seals the passwords of rooms for the Store.
type passwords interface {
	// sealPassword is nil when there is no key: then it is not stored.
	sealPassword(id ID, room perch.JID, password perch.Secret) []byte
	openPassword(id ID, room perch.JID, sealed []byte) perch.Secret
}

// room is one room of the session.
type room struct {
	row      StoredRoom // what is stored; what it points to is never changed
	join     *roomJoin  // nil: none is under way
	known    knownList
	password perch.Secret // of a session without a key to seal it
	retryAt  perch.Time   // of the next join, when it waits for that
	retry    *time.Timer
	failed   int         // joins that failed one after the other
	leaving  *time.Timer // the room does not answer
	owed     *time.Timer // looks whether the room has reflected what was sent
	waiters  []chan struct{}
	wish     roomWish
	limit    roomLimit
	asking   bool // the room is asked what it is now
	askAgain bool // and has changed meanwhile
	// table is the part of the session in who is there; nil: it is not in the room. It is being read
	// once more while refreshing.
	table      *occupants.Handle
	refreshing bool
	// unpublished says that the list of the account has not got the bookmark yet.
	unpublished bool
}

// roomWish is what a client wants of the next join, until that has an end.
type roomWish struct {
	byClient  bool              // it waits: the join goes first
	mayCreate bool              // a room that does not exist is made
	config    *perch.RoomConfig // of a room that is made
}

func (r *room) jid() perch.JID { return r.row.JID }

// wanted reports whether the room is to be joined at each login.
func (r *room) wanted() bool { return r.row.Wanted.Client || r.row.Wanted.Bookmark }

// inside reports whether the account is in the room, as far as it is known.
func (r *room) inside() bool {
	return r.row.State == perch.RoomStateJoined || r.row.State == perch.RoomStateLeaving ||
		r.join != nil && (r.join.resync || r.join.self)
}

// find is the room of an address in it, or nil.
func (x *roomList) find(jid perch.JID) *room { return x.byKey[jid.Bare().Key()] }

// add makes a room known; nil: there are too many.
func (x *roomList) add(jid perch.JID) *room {
	if r := x.find(jid); r != nil {
		return r
	}
	if len(x.byKey) >= MaxRooms {
		return nil
	}
	r := &room{row: StoredRoom{JID: cloned(jid.Bare()), State: perch.RoomStateLeft}, known: knownList{shared: x.sayings}}
	x.byKey[r.jid().Key()] = r
	return r
}

// put commits a room as it is now.
func (x *roomList) put(r *room) {
	row := r.row
	put(&x.journal.Change().Rooms, roomKey, &row)
}

// remove forgets a room, which its event tells all clients of the session.
func (x *roomList) remove(r *room) {
	x.drop(r)
	delete(x.byKey, r.jid().Key())
	del(&x.journal.Change().Rooms, roomKey, string(r.jid().Key()))
	x.journal.Durable(perch.EventRoomForgotten, perch.Removed{JID: r.jid()})
	x.forgetService(r.jid().Domain())
}

func roomKey(r *StoredRoom) string { return string(r.JID.Key()) }

// drop ends all that waits for a room.
func (x *roomList) drop(r *room) {
	x.endJoin(r)
	stop(r.retry)
	stop(r.leaving)
	stop(r.owed)
	stop(r.limit.timer)
	r.retry, r.leaving, r.owed, r.retryAt = nil, nil, nil, 0
	x.wakeWaiters(r)
}
