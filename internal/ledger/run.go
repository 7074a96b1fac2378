package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/perch-im/perch/internal/testkit"
)

// Run makes one run and checks its history. It is to be called from the goroutine of the
// test, and fails it when the run cannot be made; what a run has found is in the Report.
func Run(ctx context.Context, t testkit.TB, o Options) *Report {
	t.Helper()
	o = o.withDefaults()
	o.Dir, o.Modules = absolute(t, o.Dir), absolute(t, o.Modules)
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	w := &world{t: t, o: o, ctx: ctx, tally: newTally(), pacer: &pacer{}, names: map[string]string{}, listed: map[string]bool{},
		audited: make(chan foreignLine, 64)}
	path := filepath.Join(o.Dir, "history.jsonl")
	w.load = newLoad(w, o.Seed)
	h, err := newHistory(path, w.tally.watch, w.load.rooms.tally.watch)
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	w.history = h

	h.add(Entry{Op: OpWorld, Text: o.Server})
	w.build(buildProgram(t, o.Plant))
	w.people()
	w.base()
	w.signIn()
	w.enterRooms()
	w.play()
	w.audit()
	w.end()
	if err := h.close(); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	return checkFile(t, path)
}

func absolute(t testkit.TB, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	return path
}

func checkFile(t testkit.TB, path string) *Report {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	defer f.Close()
	entries, err := ReadHistory(f)
	if err != nil {
		t.Fatalf("ledger: %v", err)
	}
	return Check(entries)
}

// play is the run itself: clients, load and faults, until everything has come to its end or
// nothing moves any more.
func (w *world) play() {
	ctx, cancel := context.WithCancel(w.ctx)
	var clients, work sync.WaitGroup
	defer func() {
		cancel()
		work.Wait()
		clients.Wait()
	}()
	for i, a := range w.accounts {
		for j, name := range []string{"ws1", "ws2", "sse", webhookName} {
			w.attach(ctx, &clients, a, name, uint64(10*i+j))
		}
	}
	for _, a := range w.accounts {
		w.list(a, "the sign-in")
	}
	w.listConversations()
	list, begun := plan(w.o), time.Now()
	w.load.total = w.o.Messages - bursts(list)*burstSize
	defer w.every(5*time.Second, func() { fmt.Fprintln(w.o.Out, w.tally.line(w.o, time.Since(begun))) })()
	work.Go(func() { w.load.run(ctx) })
	work.Go(func() { w.load.rooms.run(ctx) })
	work.Go(func() { w.load.rooms.chat(ctx) })
	for i, a := range w.accounts {
		p := newPoster(w, a, w.o.Seed+uint64(i))
		w.posters = append(w.posters, p)
		work.Go(func() { p.run(ctx) })
		work.Go(func() { p.reads(ctx) })
		clients.Go(func() { p.follow(ctx) })
		q := newRoomPoster(w, a, w.o.Seed+uint64(i))
		w.posters = append(w.posters, q)
		work.Go(func() { q.talks(ctx) })
		clients.Go(func() { q.follow(ctx) })
		clients.Go(func() { w.impatient(ctx, a) })
	}
	w.quiet()
	w.nemesis(list)
	work.Wait()
	w.calm.Store(true)
	w.converge()
	for _, a := range w.accounts {
		w.list(a, "")
	}
	w.settleRooms()
	w.settle(ctx)
	w.unread(ctx)
	w.history.add(Entry{Op: OpNote, Text: "over"})
}

// attach starts a client and waits until it is live.
func (w *world) attach(ctx context.Context, wg *sync.WaitGroup, a *account, kind string, number uint64) {
	w.t.Helper()
	c := &client{name: a.Name + "/" + kind, account: a, h: w.history, open: openWS, calm: &w.calm,
		random: rand.New(rand.NewPCG(w.o.Seed, 1000+number)), view: newView(w.names), live: make(chan struct{}),
		rooms: w.load.rooms.list, roomSeen: map[string]time.Time{}, cameBack: w.load.rooms.cameBack}
	switch kind {
	case "sse":
		c.open = openSSE
	case webhookName:
		c.open = newReceiver(w.t, a, w.history, rand.New(rand.NewPCG(w.o.Seed, 2000+number))).openWebhook
	}
	if kind != webhookName { // which is behind, and reads pages before events that are older: it shows no state
		a.clients = append(a.clients, c)
	}
	if a.seen == nil {
		a.seen = c.view
	}
	w.tally.join(c.name, a.Name)
	wg.Go(func() { c.run(ctx) })
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-c.live:
	case <-patient.Done():
		w.t.Fatalf("ledger: %s is not live", c.name)
	}
}

const (
	longest  = 6 * time.Minute  // of converging
	arriving = 15 * time.Second // for what is on its way to foreign clients only
)

// converge waits until nothing is on its way any more, or nothing moves. What did not move
// before is not counted: a fault may have held everything up until now.
func (w *world) converge() {
	for begun := time.Now(); time.Since(begun) < longest && w.ctx.Err() == nil; w.wait(200 * time.Millisecond) {
		missing, open, under, since := w.tally.left()
		since = min(since, time.Since(begun))
		done := missing == 0 && open == 0
		if done && (under == 0 && w.load.waiting() == 0 || since > arriving) || since > w.o.Patience {
			return
		}
	}
}

// audit reads what the server has of the receivers and of the accounts. Of an account whose senders
// can tell what the server had, only the relations count.
func (w *world) audit() {
	w.t.Helper()
	list := append([]person{}, w.receivers...)
	for _, a := range w.accounts {
		list = append(list, a.person)
	}
	for _, p := range list {
		w.python.audit(p)
		if reason := w.awaitAudit(p.Name); reason != "" {
			w.t.Fatalf("ledger: the archive of %s could not be read: %s", p.Name, reason)
		}
		e := Entry{Op: OpAudited, Who: p.Name}
		if strings.HasPrefix(p.Name, "a") && !w.tally.unproven(p.Name) {
			e.Text = auditedRelations
		}
		w.history.add(e)
	}
}

// awaitAudit waits until an archive was read, and gives the reason why it could not be.
func (w *world) awaitAudit(name string) (reason string) {
	w.t.Helper()
	select {
	case line := <-w.audited:
		return line.Reason
	case <-time.After(3 * time.Minute):
		w.t.Fatalf("ledger: the archive of %s was not read in time", name)
	}
	return ""
}

// end stops the nodes and takes what their logs have to say.
func (w *world) end() {
	w.t.Helper()
	for _, p := range w.posters {
		p.giveUp()
	}
	w.leave()
	for _, n := range w.nodes {
		w.drain(n)
		if err := readLog(n.prog.LogFile(), n.name, w.history); err != nil {
			w.t.Fatalf("ledger: %v", err)
		}
	}
	w.python.stop()
	w.js.stop()
}
