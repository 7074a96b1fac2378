package occupants_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/occupants"
)

// A model of a room: it has its occupants, and tells each of its sessions everything in one order. What
// is told waits until the session takes it, so each is as far behind as it likes.

type told struct {
	put    *perch.Occupant
	remove string
	rename [2]string
	listed bool
}

func (x told) String() string {
	switch {
	case x.put != nil:
		return fmt.Sprintf("of %+v", *x.put)
	case x.listed:
		return "the end"
	case x.rename[0] != "":
		return fmt.Sprintf("of the rename %q", x.rename)
	}
	return "that " + x.remove + " is gone"
}

type modelRoom struct {
	anonymous bool
	in        map[string]perch.Occupant
	sessions  []*modelSession
}

type modelSession struct {
	name      string
	h         *occupants.Handle
	nick      string
	moderator bool
	in        bool // in the room, as the room has it
	entered   bool // as it was told
	suspended bool
	queue     []told
}

// tell gives a change to all who are in the room, and hides the address from those who may not see it.
func (m *modelRoom) tell(x told) {
	for _, s := range m.sessions {
		if s.in {
			s.queue = append(s.queue, m.shown(s, x))
		}
	}
}

func (m *modelRoom) shown(s *modelSession, x told) told {
	if x.put != nil {
		o := *x.put
		if o.Own = o.Nick == s.nick; m.anonymous && !s.moderator && !o.Own {
			o.JID = ""
		}
		x.put = &o
	}
	return x
}

// join adds a session, and tells it the list: its own presence, and the end, come last.
func (m *modelRoom) join(s *modelSession, o perch.Occupant) {
	s.h.Begin()
	s.queue, s.suspended, s.entered = nil, false, false
	m.in[s.nick] = o
	m.tell(told{put: &o})
	s.in = true
	m.list(s)
}

func (m *modelRoom) list(s *modelSession) {
	for nick, o := range m.in {
		if nick != s.nick {
			s.queue = append(s.queue, m.shown(s, told{put: &o}))
		}
	}
	own := m.in[s.nick]
	s.queue = append(s.queue, m.shown(s, told{put: &own}), told{listed: true})
}

// take lets a session hear one thing.
func (s *modelSession) take(rt *rapid.T) {
	if len(s.queue) == 0 || s.suspended {
		return
	}
	x := s.queue[0]
	s.queue = s.queue[1:]
	rt.Logf("%s hears %s", s.name, x)
	switch {
	case x.put != nil:
		s.entered = s.entered || x.put.Own
		s.h.Put(*x.put)
	case x.listed:
		s.h.Listed()
	case x.rename[0] != "":
		s.h.Rename(x.rename[0], x.rename[1])
	default:
		s.h.Remove(x.remove)
	}
}

// gone ends what a session has in the room. The others are told when the room knows.
func (m *modelRoom) gone(s *modelSession) {
	if s.in {
		s.in = false
		delete(m.in, s.nick)
		m.tell(told{remove: s.nick})
	}
}

// want is what a session may see of the room.
func (m *modelRoom) want(s *modelSession) []perch.Occupant {
	var list []perch.Occupant
	for _, o := range m.in {
		x := m.shown(s, told{put: &o})
		list = append(list, *x.put)
	}
	slices.SortFunc(list, func(a, b perch.Occupant) int {
		return strings.Compare(perch.ResourceKey(a.Nick), perch.ResourceKey(b.Nick))
	})
	return list
}

// pages reads all, some at a time.
func pages(h *occupants.Handle, limit int) (list []perch.Occupant, p occupants.Page) {
	for q := (occupants.Query{Limit: limit}); ; q.After = p.Next {
		p = h.Page(q)
		if list = append(list, p.Items...); p.Next == "" {
			return list, p
		}
	}
}

func drawOccupant(t *rapid.T, nick string) perch.Occupant {
	account := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "account")
	return perch.Occupant{
		Nick: nick, OccupantID: "id-" + account, JID: perch.JID(account + "@x/r"),
		Affiliation: rapid.SampledFrom([]perch.Affiliation{perch.AffiliationOwner, perch.AffiliationMember, perch.AffiliationNone}).Draw(t, "affiliation"),
		Role:        rapid.SampledFrom([]perch.Role{perch.RoleModerator, perch.RoleParticipant}).Draw(t, "role"),
		Status:      rapid.SampledFrom([]string{"", "away", "Zürich"}).Draw(t, "status"),
		Show:        perch.Show(rapid.IntRange(0, 4).Draw(t, "show")),
	}
}

// TestTableConverges: whatever happens in a room, and however far its sessions are behind each other,
// once they have heard all, a table that calls itself complete is the room as it is, for each by its own
// rights; and one list makes it complete. Who is not in the room sees nobody.
func TestTableConverges(t *testing.T) {
	for range 30 { // what is left are orders that come up once in thousands
		rapid.Check(t, converges)
	}
}

func converges(rt *rapid.T) {
	ts := occupants.New(occupants.Options{Unshared: func(string, perch.JID) { rt.Error("got a contradiction, want none of a room that has none") }})
	m := &modelRoom{anonymous: rapid.Bool().Draw(rt, "anonymous"), in: map[string]perch.Occupant{}}
	for i := range rapid.IntRange(1, 4).Draw(rt, "sessions") {
		s := &modelSession{name: fmt.Sprint("s", i), nick: fmt.Sprint("me", i), moderator: rapid.Bool().Draw(rt, "moderator")}
		s.h = ts.Join("up", "r@muc.x", s.name)
		s.h.SeeAddresses(!m.anonymous || s.moderator)
		m.sessions = append(m.sessions, s)
	}
	for range rapid.IntRange(1, 60).Draw(rt, "steps") {
		m.step(rt, ts)
		for _, s := range m.sessions {
			if list, p := pages(s.h, 2); !(s.entered && !s.suspended) && (len(list) > 0 || p.Count > 0 || p.Complete) {
				rt.Fatalf("%s is not in the room: got %d occupants, want none", s.name, len(list))
			}
		}
	}
	m.settle(rt)
	for _, s := range m.sessions {
		s.h.Leave()
	}
	if st := ts.Stats(); st != (occupants.Stats{}) {
		rt.Errorf("all have left: got %+v, want nothing", st)
	}
}

func (m *modelRoom) step(rt *rapid.T, ts *occupants.Tables) {
	s := rapid.SampledFrom(m.sessions).Draw(rt, "session")
	nick := rapid.SampledFrom([]string{"Ann", "Bo", "Ünni", "U\u0308nni", "c\u00a0d"}).Draw(rt, "nick")
	switch rapid.IntRange(0, 9).Draw(rt, "step") {
	case 0:
		m.gone(s)
		m.join(s, drawOccupant(rt, s.nick))
	case 1:
		m.gone(s)
		s.h.Leave()
		s.queue, s.entered, s.suspended = nil, false, false
		s.h = ts.Join("up", "R@MUC.x", s.name)
		s.h.SeeAddresses(!m.anonymous || s.moderator)
	case 2:
		if s.entered && !s.suspended {
			s.h.Suspend()
			s.suspended = true
		} else if s.suspended {
			s.h.Resume(s.nick)
			s.suspended = false
		}
	case 3, 4:
		for old := range m.in {
			if perch.ResourceKey(old) == perch.ResourceKey(nick) {
				nick = old
			}
		}
		o := drawOccupant(rt, nick)
		m.in[nick] = o
		m.tell(told{put: &o})
	case 5:
		if _, ok := m.in[nick]; ok {
			delete(m.in, nick)
			m.tell(told{remove: nick})
		}
	case 6:
		if o, ok := m.in[nick]; ok {
			delete(m.in, nick)
			o.Nick = "renamed"
			m.in["renamed"] = o
			m.tell(told{rename: [2]string{nick, "renamed"}})
			m.tell(told{put: &o})
		}
	default:
		for range rapid.IntRange(1, 12).Draw(rt, "heard") {
			s.take(rt)
		}
	}
}

// settle lets all hear all, and looks at what they see then: as it is, and after a list if that is not
// complete.
func (m *modelRoom) settle(rt *rapid.T) {
	for round := range 2 {
		for _, s := range m.sessions {
			if s.suspended {
				s.h.Resume(s.nick)
				s.suspended = false
			}
			for len(s.queue) > 0 {
				s.take(rt)
			}
		}
		for _, s := range m.sessions {
			got, p := pages(s.h, 3)
			if s.in && round == 1 && !p.Complete {
				rt.Fatalf("%s, after a list: got an incomplete table, want a complete one", s.name)
			}
			if d := cmp.Diff(m.want(s), got); p.Complete && d != "" {
				rt.Fatalf("round %d: %s calls this complete (-want +got):\n%s", round, s.name, d)
			}
			if p.Complete && p.Count != len(m.in) {
				rt.Fatalf("%s: got the count %d, want %d", s.name, p.Count, len(m.in))
			}
		}
		for _, s := range m.sessions {
			if _, complete := s.h.Count(); s.in && !complete {
				s.h.Refresh()
				m.list(s)
				break
			}
		}
	}
}
