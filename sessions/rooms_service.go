package sessions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/perch-im/perch"
)

// roomService is a service that has rooms of the session. Its joins take their turn, because a server
// takes only so much at once, and one timer looks after all of its rooms.
type roomService struct {
	queue   []*room // of joins that wait
	joins   int     // that have a place
	next    perch.Time
	timer   *time.Timer // until next
	heard   perch.Time  // when anything came from it
	silence *time.Timer
	pinging bool
	pinged  int // questions without an answer, one after the other
}

func (x *roomList) serviceOf(r *room) *roomService {
	domain := r.jid().Domain()
	s := x.services[domain]
	if s == nil {
		s = &roomService{heard: x.host.now()}
		x.services[domain] = s
	}
	return s
}

// forgetService forgets the service of a room that is gone, unless it has others.
func (x *roomList) forgetService(domain string) {
	for _, r := range x.byKey {
		if r.jid().Domain() == domain {
			return
		}
	}
	if s := x.services[domain]; s != nil {
		stop(s.timer)
		stop(s.silence)
		delete(x.services, domain)
	}
}

// advance begins the joins that have their turn: first those that a client waits for, then what was
// active last.
func (x *roomList) advance(s *roomService) {
	for !x.gathers && x.host.Online() && s.joins < joinsAtOnce && len(s.queue) > 0 {
		now := x.host.now()
		if s.next > now {
			if s.timer == nil {
				s.timer = x.host.after(time.Duration(s.next-now)*time.Millisecond, func() { s.timer = nil; x.advance(s) })
			}
			return
		}
		r := slices.MinFunc(s.queue, func(a, b *room) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.row.LastSeenAt, a.row.LastSeenAt))
		})
		s.queue = slices.DeleteFunc(s.queue, func(q *room) bool { return q == r })
		s.next = now + perch.Time(joinEvery.Milliseconds())
		s.joins++
		r.join.placed = true
		x.start(r)
	}
}

func rank(r *room) int {
	if r.wish.byClient {
		return 0
	}
	return 1
}

// leave gives back the place of a join.
func (s *roomService) leave(r *room, j *roomJoin) {
	s.queue = slices.DeleteFunc(s.queue, func(q *room) bool { return q == r })
	if j.placed {
		j.placed = false
		s.joins--
	}
}

const (
	serviceSilence = 15 * time.Minute // without a word of a service
	selfPingTime   = 60 * time.Second // it may be passed on to a device that sleeps
	selfPingMost   = 5 * time.Minute  // between two questions without an answer
)

// hear notes that a service has said something.
func (x *roomList) hear(r *room) { x.serviceOf(r).heard = x.host.now() }

// watch looks after the rooms of a service: when it has been silent for long, one of them is asked
// whether the account is still in it (XEP-0410).
func (x *roomList) watch(s *roomService) {
	if s.silence != nil || s.pinging {
		return
	}
	wait := serviceSilence - time.Duration(x.host.now()-s.heard)*time.Millisecond
	if s.pinged > 0 {
		wait = min(time.Minute<<(s.pinged-1), selfPingMost)
	}
	s.silence = x.host.after(max(wait, time.Second), func() {
		s.silence = nil
		x.silent(s)
	})
}

// silent is called when a service may have been silent for too long.
func (x *roomList) silent(s *roomService) {
	joined := x.joinedOf(s)
	if len(joined) == 0 || !x.host.Online() {
		return // the next room that is joined watches again
	}
	if s.pinged == 0 && x.host.now()-s.heard < perch.Time(serviceSilence.Milliseconds()) {
		x.watch(s)
		return
	}
	x.pingSelf(s, joined[:1])
}

// joinedOf are the rooms of a service that are joined, what was active last first.
func (x *roomList) joinedOf(s *roomService) (list []*room) {
	for _, r := range x.byKey {
		if r.row.State == perch.RoomStateJoined && r.join == nil && x.serviceOf(r) == s {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *room) int {
		return cmp.Or(cmp.Compare(b.row.LastSeenAt, a.row.LastSeenAt), cmp.Compare(a.jid(), b.jid()))
	})
	return list
}

// pingSelf asks one room after the other. When the account is not in one, the others are asked too.
func (x *roomList) pingSelf(s *roomService, rooms []*room) {
	l := x.host.stream()
	conn, ok := l.conn.(RoomConn)
	if !ok {
		return
	}
	type question struct {
		r   *room
		jid perch.JID
		as  string
	}
	list := make([]question, len(rooms))
	for i, r := range rooms {
		list[i] = question{r, r.jid(), r.row.Nick}
	}
	s.pinging = true
	x.host.background(func(ctx context.Context) {
		for _, q := range list {
			short, cancel := context.WithTimeout(ctx, selfPingTime)
			is, err := conn.SelfPing(short, q.jid, q.as)
			cancel()
			if err != nil {
				x.host.logDebug("a room did not answer a ping of the own address", "error", err)
			}
			x.host.post(func() {
				if x.host.stream() == l {
					x.pingAnswered(s, q.r, is, len(list) == 1)
				}
			})
		}
		x.host.post(func() { s.pinging = false; x.watch(s) })
	})
}

// pingAnswered takes the answer about one room. First says that the others have not been asked.
func (x *roomList) pingAnswered(s *roomService, r *room, is perch.SelfPing, first bool) {
	if is == perch.SelfPingUnknown {
		s.pinged++
		return
	}
	s.heard, s.pinged = x.host.now(), 0
	if is == perch.SelfPingIn || r.row.State != perch.RoomStateJoined || r.join != nil {
		return
	}
	x.begin(r, &roomJoin{resync: is == perch.SelfPingRenamed}, roomWhy{reason: perch.RoomReasonService})
	if rest := x.joinedOf(s); first && is != perch.SelfPingRenamed && len(rest) > 0 {
		x.pingSelf(s, rest)
	}
}
