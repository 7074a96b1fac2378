package ledger

import (
	"fmt"
	"sync"
	"time"
)

// tally watches the history while it is written: what is still on its way, for the progress
// line and for the end of the run. It gives no verdict.
type tally struct {
	mu      sync.Mutex
	clients map[string][]string // by account
	acked   map[message]bool
	had     map[string]map[message]bool
	missing map[string]map[message]bool // by client: acknowledged, and not had
	sent    int
	unsure  int
	posted  int
	arrived map[message]bool
	done    map[message]bool // accepted messages whose history has ended
	open    map[message]bool // accepted messages whose history has not
	said    map[string]bool  // the same of accepted relations, by id
	healed  int
	fault   string
	moved   time.Time // when anything came nearer to its end
}

func newTally() *tally {
	return &tally{clients: map[string][]string{}, acked: map[message]bool{}, had: map[string]map[message]bool{},
		missing: map[string]map[message]bool{}, arrived: map[message]bool{}, open: map[message]bool{},
		done: map[message]bool{}, said: map[string]bool{}, moved: time.Now()}
}

// join adds a client that has to get everything from now on.
func (t *tally) join(name, account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients[account] = append(t.clients[account], name)
	t.had[name], t.missing[name] = map[message]bool{}, map[message]bool{}
}

func (t *tally) watch(e Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Op {
	case OpSend:
		t.send(message{e.Who, e.Account, e.N}, e.Phase)
	case OpRecv, OpRead:
		m := message{e.From, e.Account, e.N}
		if had := t.had[e.Who]; had != nil && !had[m] {
			had[m], t.moved = true, time.Now()
			delete(t.missing[e.Who], m)
		}
	case OpPost:
		m := message{e.Account, e.To, e.N}
		if e.Phase == OK && !t.done[m] && !t.open[m] {
			t.open[m] = true
			if !isRoom(m.to) {
				t.posted++
			}
		}
	case OpRelate:
		if e.Phase == OK && e.Who == e.Account {
			t.said[e.ID] = true
		}
	case OpStatus:
		m := message{e.Account, e.To, e.N}
		if t.said[e.ID] && e.Text != "" {
			delete(t.said, e.ID)
			t.moved = time.Now()
		}
		if t.open[m] && e.Text != "" {
			delete(t.open, m)
			t.done[m], t.moved = true, time.Now()
		}
	case OpRoomRecv, OpRoomRead, OpSay:
		t.moved = time.Now()
	case OpArrive:
		t.arrived[message{e.Account, e.Who, e.N}], t.moved = true, time.Now()
	case OpFault:
		t.fault = e.Text + " " + e.Who
		if e.Phase == OK {
			t.healed++
			t.fault = ""
		}
	}
}

func (t *tally) send(m message, p Phase) {
	switch p {
	case Invoke:
		t.sent++
	case Info:
		t.unsure++
	case OK:
		t.acked[m] = true
		for _, c := range t.clients[m.to] {
			if !t.had[c][m] {
				t.missing[c][m] = true
			}
		}
	}
}

// left is how many acknowledged messages have not come to each client (all together), how
// many histories have not ended, and how many accepted messages have not arrived.
func (t *tally) left() (missing, open, under int, since time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.missing {
		missing += len(m)
	}
	return missing, len(t.open) + len(t.said), max(0, t.posted-len(t.arrived)), time.Since(t.moved)
}

// unproven reports whether an account's archive has to be read to know what the server had.
func (t *tally) unproven(account string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients[account] {
		if len(t.missing[c]) > 0 {
			return true
		}
	}
	return t.unsure > 0
}

// line is the progress for people.
func (t *tally) line(o Options, running time.Duration) string {
	missing, open, _, _ := t.left()
	t.mu.Lock()
	defer t.mu.Unlock()
	least := -1
	for _, clients := range t.clients {
		for _, c := range clients {
			if n := len(t.had[c]); least < 0 || n < least {
				least = n
			}
		}
	}
	fault := t.fault
	if fault == "" {
		fault = "none"
	}
	return fmt.Sprintf("%s: sent %d of %d, acknowledged %d, each client has %d or more (%d on their way), outbound %d (%d open), faults %d of %d, now: %s",
		running.Round(time.Second), t.sent, o.Messages, len(t.acked), max(least, 0), missing, t.posted, open, t.healed, o.Faults, fault)
}
