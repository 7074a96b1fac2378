package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// room is one in which all accounts and foreign people are.
type room struct {
	name, jid string
	archive   bool
}

// roomPrefix begins the short names of rooms, and of nothing else.
const roomPrefix = "room"

func isRoom(name string) bool { return strings.HasPrefix(name, roomPrefix) }

// deviceSuffix ends the name of another device of an account, which is only in rooms.
const deviceSuffix = "d"

// accountOf is the account that a message of a room is from, by the name in its body: an account speaks
// there by its devices, too.
func accountOf(name string) string {
	if strings.HasPrefix(name, "a") {
		return strings.TrimSuffix(name, deviceSuffix)
	}
	return name
}

// planRooms gives the rooms their addresses: so many with an archive, and one without.
func (w *world) planRooms() {
	if w.o.Rooms == 0 {
		return
	}
	for i := range w.o.Rooms + 1 {
		name := fmt.Sprint(roomPrefix, i+1)
		r := &room{name, fmt.Sprintf("%s-%x@conference.%s", name, w.o.Seed, w.server.Domain), i < w.o.Rooms}
		w.load.rooms.list = append(w.load.rooms.list, r)
		w.names[r.jid] = name
	}
}

// roomPeople are the people of both programs who are in rooms and do nothing else: as many as are wanted
// besides the others, and another device of each account.
func (w *world) roomPeople(others int) (programs [2][]person) {
	w.t.Helper()
	if w.o.Rooms == 0 {
		return programs
	}
	for i := range max(0, w.o.Occupants-others) {
		programs[i%2] = append(programs[i%2], w.person(fmt.Sprint("o", i+1)))
	}
	for i, a := range w.accounts {
		device := a.person
		device.Name, device.Device = a.Name+deviceSuffix, true
		programs[i%2] = append(programs[i%2], device)
	}
	return programs
}

// enterRooms makes the rooms, and lets everybody enter them: the accounts first, so that all that is said
// comes to them.
func (w *world) enterRooms() {
	w.t.Helper()
	for _, r := range w.load.rooms.list {
		for _, a := range w.accounts {
			if err := a.enter(w.ctx, r); err != nil {
				w.t.Fatalf("ledger: %v", err)
			}
		}
		text := "none"
		if r.archive {
			text = "archive"
		}
		w.history.add(Entry{Op: OpRoom, To: r.name, N: len(w.load.rooms.speakers), Text: text})
	}
	for _, s := range w.load.rooms.speakers {
		for _, r := range w.load.rooms.list {
			s.program.command(map[string]string{"cmd": "enter", "who": s.Name, "to": r.jid, "nick": accountOf(s.Name)})
		}
	}
	w.await("everybody to be in the rooms", func() error { return w.load.rooms.entered.all(len(w.load.rooms.list) * len(w.load.rooms.speakers)) })
}

// enter joins a room, or makes it.
func (a *account) enter(ctx context.Context, r *room) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	path := "/v1/rooms/" + url.PathEscape(r.jid) + "?wait=joined"
	body := map[string]any{"nick": a.Name, "config": map[string]any{"name": r.name, "persistent": true, "public": true, "archive": r.archive}}
	var v struct {
		State    string
		Features struct{ Archive bool }
	}
	for {
		got, err := a.insist(ctx, http.MethodPut, path, body)
		if err == nil {
			err = got.decode(&v)
		}
		switch {
		case err != nil:
			return err
		case v.State == "joined" && v.Features.Archive != r.archive:
			return fmt.Errorf("%s has an archive: %v, want %v", r.name, v.Features.Archive, r.archive)
		case v.State == "joined":
			return nil
		case !pause(ctx, retryRoom):
			return errors.New(a.Name + " does not come into " + r.name)
		}
	}
}

// arrivals are who is in which room, once.
type arrivals struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (a *arrivals) add(who, room string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = map[string]bool{}
	}
	a.seen[who+" "+room] = true
}

// all is nil when there are so many.
func (a *arrivals) all(n int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) < n {
		return fmt.Errorf("%d of %d", len(a.seen), n)
	}
	return nil
}
