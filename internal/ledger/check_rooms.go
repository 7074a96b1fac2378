package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// roomTruth is what was said in a room, in its order: by its archive, or where it has none by one who was
// there all the time.
type roomTruth struct {
	archive bool
	read    bool           // the archive, to its end
	list    []Entry        // of its messages
	at      map[string]int // where in list, by the key of a message
	away    map[string][]span
}

// roomCheck holds what clients had of the rooms against what was said there. An id is one of its room:
// another room may have the same.
type roomCheck struct {
	r       *Report
	f       faults
	s       *streams
	rooms   map[string]*roomTruth
	said    map[message]span // when the message was on its way to the server
	clients map[string]*roomReader
	states  map[string]map[int]string // of a room in a log of an account, by the number of the event that told it
}

// roomReader is what one client had of one room.
type roomReader struct {
	client, account, room string
	had                   map[string]bool // by key, of whatever log, or read after a reset
	events                map[string]bool // ids
	logs                  map[string]*roomLog
	epochs                []string
	state                 string // of the room, which outlives a log
}

// checkRooms: each client of an account gets all that is said in its rooms, once in each log, and in each log
// in the order of the room, without a gap but those that it is told of.
func checkRooms(r *Report, entries []Entry, f faults) {
	c := &roomCheck{r: r, f: f, s: streamsIn(entries), rooms: map[string]*roomTruth{}, said: map[message]span{}, clients: map[string]*roomReader{}, states: map[string]map[int]string{}}
	for _, e := range entries {
		switch e.Op {
		case OpRoom:
			c.rooms[e.To] = &roomTruth{archive: e.Text == "archive", at: map[string]int{}, away: map[string][]span{}}
			c.r.Rooms.Rooms++
			c.r.Rooms.Occupants = max(c.r.Rooms.Occupants, e.N)
		case OpSay:
			c.say(message{e.Who, e.To, e.N}, e)
		case OpPost:
			c.say(message{e.Account, e.To, e.N}, e)
		case OpLeave, OpEnter:
			c.leave(e)
		case OpHear:
			c.hear(e)
		case OpStored:
			c.stored(e)
		case OpAudited:
			if t := c.rooms[e.Who]; t != nil {
				t.read = true
			}
		}
	}
	for _, e := range entries { // when it is known what was said
		c.client(e)
	}
	c.checkReaders()
}

// say notes when a message was on its way. What an account says may be so until it is in the room.
func (c *roomCheck) say(m message, e Entry) {
	s, ok := c.said[m]
	switch {
	case !isRoom(m.to):
		return
	case !ok:
		s = span{e.At, forever}
	case e.Phase == OK && e.Op == OpSay:
		s.to = min(s.to, e.At+around)
	}
	c.said[m] = s
}

// forever is later than any time of a history.
const forever = 1 << 62

// leave notes that an account is away from a room, until it is there again.
func (c *roomCheck) leave(e Entry) {
	t := c.rooms[e.To]
	if t == nil {
		return
	}
	list := t.away[e.Account]
	if e.Op == OpLeave {
		t.away[e.Account] = append(list, span{e.At, forever})
		return
	}
	if e.Phase == Fail {
		c.r.broken("%s did not come into %s again: %s", e.Account, e.To, e.Text)
	}
	if n := len(list); n > 0 {
		list[n-1].to = e.At
	}
}

// keyOfRoom names a message in its room: by its id there, or where it has none by what it is.
func (t *roomTruth) keyOfRoom(m message, id string) string {
	if t.archive {
		return id
	}
	return m.String()
}

func (t *roomTruth) add(key string, e Entry) {
	if _, ok := t.at[key]; !ok {
		t.at[key] = len(t.list)
		t.list = append(t.list, e)
	}
}

func (c *roomCheck) hear(e Entry) {
	if t := c.rooms[e.To]; t != nil && !t.archive {
		t.add(e.from().String(), e)
	}
}

func (c *roomCheck) stored(e Entry) {
	if t := c.rooms[e.Who]; t != nil && t.archive {
		e.To = e.Who
		t.add(e.Key, e)
	}
}

// from is the message of an entry about a room.
func (e *Entry) from() message { return message{e.From, e.To, e.N} }

// client takes what a client had.
func (c *roomCheck) client(e Entry) {
	t := c.rooms[e.To]
	if t == nil {
		return
	}
	switch e.Op {
	case OpRoomRead:
		c.reader(e).had[t.keyOfRoom(e.from(), e.Key)] = true
	case OpRoomRecv:
		c.received(t, c.reader(e), e)
	case OpRoomGap:
		x := c.reader(e)
		x.log(e.ID).gap(e, x.state == "joining")
	case OpRoomIs:
		x := c.reader(e)
		x.state = e.Text
		states, n := c.statesIn(x, e.ID)
		states[n] = e.Text
	}
}

func (c *roomCheck) reader(e Entry) *roomReader {
	name := e.Who + " " + e.To
	x := c.clients[name]
	if x == nil {
		x = &roomReader{client: e.Who, account: e.Account, room: e.To, had: map[string]bool{}, events: map[string]bool{}, logs: map[string]*roomLog{}}
		c.clients[name] = x
	}
	return x
}

// log is that of an event.
func (x *roomReader) log(id string) *roomLog {
	epoch, _, _ := strings.Cut(id, "-")
	l := x.logs[epoch]
	if l == nil {
		l = &roomLog{seen: map[string]string{}, index: map[int]int{}, last: -1}
		x.logs[epoch], x.epochs = l, append(x.epochs, epoch)
	}
	return l
}

// received takes a message of a log.
func (c *roomCheck) received(t *roomTruth, x *roomReader, e Entry) {
	m, key, l := e.from(), t.keyOfRoom(e.from(), e.Key), x.log(e.ID)
	found := &c.r.Rooms
	other, twice := l.seen[key]
	switch {
	case x.events[e.ID]:
		found.Doubled = append(found.Doubled, fmt.Sprintf("%s got event %s twice (%s)", e.Who, e.ID, m))
		return
	case twice:
		found.Doubled = append(found.Doubled, fmt.Sprintf("%s got %s as %s and as %s", e.Who, m, other, e.ID))
		return
	}
	x.had[key], x.events[e.ID], l.seen[key] = true, true, e.ID
	found.Events++
	if sent := strings.HasPrefix(e.Text, "message.sent"); sent != (accountOf(m.from) == e.Account) {
		found.Wrong = append(found.Wrong, fmt.Sprintf("%s got %s as %s", e.Who, m, e.Text))
	}
	at, ok := t.at[key]
	switch {
	case ok && t.list[at].from() != m:
		found.Wrong = append(found.Wrong, fmt.Sprintf("%s got %s with the id of %s (%s)", e.Who, m, t.list[at].from(), key))
	case ok:
		c.place(l, at, e)
	case !t.archive:
		found.Unheard++
	case c.f.during(FaultServerRestart, c.said[m].from, around, around):
		found.Forgotten++
	case t.read:
		found.Wrong = append(found.Wrong, fmt.Sprintf("%s got %s as %s, which is not in the archive of the room (%s)", e.Who, m, e.ID, key))
	}
}

// place puts a message of a log into the order of the room.
func (c *roomCheck) place(l *roomLog, at int, e Entry) {
	if at < l.last && !c.s.oneStream(l.lastEntry, e) {
		c.r.Rooms.Disordered = append(c.r.Rooms.Disordered, fmt.Sprintf("%s got %s (%s) after %s (%s)", e.Who, e.from(), e.ID, l.lastEntry.from(), l.lastEntry.ID))
	} else if at < l.last {
		c.r.Rooms.Shuffled++
	}
	l.index[at] = l.count
	l.count++
	if at > l.last {
		l.last, l.lastEntry = at, e
	}
}

// checkReaders: nothing is missing in a log, nor at the client.
func (c *roomCheck) checkReaders() {
	for _, t := range c.rooms {
		c.r.Rooms.Messages += len(t.list)
	}
	for _, name := range slices.Sorted(maps.Keys(c.clients)) {
		x := c.clients[name]
		t := c.rooms[x.room]
		told := map[int]bool{} // missing, and a gap says so
		for _, epoch := range x.epochs {
			c.checkLog(t, x, epoch, told)
		}
		if !t.archive {
			continue // what is between two logs is nowhere
		}
		for at := range t.list {
			if key := t.list[at].Key; !x.had[key] && !told[at] && !c.isAway(t, x.account, at) {
				c.r.Rooms.Lost = append(c.r.Rooms.Lost, fmt.Sprintf("%s (%s) never came to %s", t.list[at].from(), key, x.client))
			}
		}
	}
}

// isAway reports whether a message was said while an account had left the room.
func (c *roomCheck) isAway(t *roomTruth, account string, at int) bool {
	s := c.said[t.list[at].from()]
	return slices.ContainsFunc(t.away[account], func(a span) bool { return s.from <= a.to && s.to >= a.from })
}
