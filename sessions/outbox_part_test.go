package sessions

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// outboxWorld is an outbox without a session: what it asks of its host, the log and the server
// is written down, in order. Commits are made at once.
type outboxWorld struct {
	recorder

	o       *outbox
	link    *link
	records map[string]*perch.MessageRecord
	commit  Commit
	waiting []func(Result)
	refuse  error // why no message can be accepted
	only    bool  // chat messages
	lease   bool
	send    error // of the server's connection
}

func newOutboxWorld() *outboxWorld {
	w := &outboxWorld{records: map[string]*perch.MessageRecord{}, lease: true}
	w.o = &outbox{host: w, journal: w, store: w, id: "a"}
	return w
}

// connect gives the outbox a connection.
func (w *outboxWorld) connect(login perch.Login, conn Conn) {
	w.link = &link{conn: conn, login: login, live: true, owned: true}
}

func (w *outboxWorld) now() perch.Time                         { return 1 }
func (w *outboxWorld) post(f func())                           { f() }
func (w *outboxWorld) after(time.Duration, func()) *time.Timer { return nil }
func (w *outboxWorld) background(f func(context.Context))      { f(context.Background()) }
func (w *outboxWorld) stream() *link                           { return w.link }
func (w *outboxWorld) chatOnly() bool                          { return w.only }
func (w *outboxWorld) accepts() error                          { return w.refuse }
func (w *outboxWorld) ownJID() perch.JID                       { return "alice@example.net/perch" }
func (w *outboxWorld) leaseHolds(*link) bool                   { return w.lease }
func (w *outboxWorld) askOwnership(*link)                      { w.note("ask ownership") }
func (w *outboxWorld) logSent(e *outEntry)                     { w.note("log %s", e.ID) }
func (w *outboxWorld) saveStream()                             { w.note("save stream") }
func (w *outboxWorld) dropped(d perch.Dropped)                 { w.note("dropped %s %s", d.Reason, d.StanzaID) }
func (w *outboxWorld) peerRead(in *perch.ReceiptIn, _ *perch.MessageRecord) bool {
	w.note("read %s", in.ID)
	return true
}
func (w *outboxWorld) countDropped(reason string, _ int)      { w.note("count %s", reason) }
func (w *outboxWorld) crashed(id string, _ any)               { w.note("crashed %s", id) }
func (w *outboxWorld) Ephemeral(perch.EventType, string, any) {}
func (w *outboxWorld) Change() *Commit                        { return &w.commit }
func (w *outboxWorld) AfterCommit(f func(Result))             { w.waiting = append(w.waiting, f) }
func (w *outboxWorld) Durable(typ perch.EventType, data any) {
	c, _ := data.(perch.StatusChange)
	w.note("%s %s", c.ID, c.Status)
}

func (w *outboxWorld) Exclusive(c Commit, f func(Result)) {
	for _, m := range c.Messages {
		w.records[m.ID] = m
	}
	f(Result{})
}

// committed answers what waits for a commit.
func (w *outboxWorld) committed() {
	for _, m := range w.commit.Messages {
		w.records[m.ID] = m
	}
	waiting := w.waiting
	w.commit, w.waiting = Commit{}, nil
	for _, f := range waiting {
		f(Result{})
	}
}

func (w *outboxWorld) Message(_ context.Context, _ ID, id string) (*perch.MessageRecord, error) {
	if r := w.records[id]; r != nil {
		return r, nil
	}
	return nil, perch.Errorf(perch.KindNotFound, "no message %s", id)
}

// accept accepts a message to bob.
func (w *outboxWorld) accept(id string) error {
	e := &outEntry{OutboxEntry: OutboxEntry{ID: id, MessageOut: perch.MessageOut{ID: id, To: "bob@example.net", Kind: perch.ChatMessage, Body: "x"}}}
	e.record = &perch.MessageRecord{ID: id, To: e.To, Status: perch.StatusAccepted}
	p := &sending{entry: e, answer: make(chan sent, 1)}
	if err := w.o.accept(p); err != nil {
		return err
	}
	return (<-p.answer).err
}

// wire is a connection that writes down what is sent on it. What else a Conn does, the outbox
// does not ask for.
type wire struct {
	Conn
	w   *outboxWorld
	num uint64
}

func (c *wire) Send(out perch.Outbound) (uint64, error) {
	m := out.(*perch.MessageOut)
	if c.w.send != nil {
		return 0, c.w.send
	}
	c.num++
	c.w.note("write %s", m.ID)
	return c.num, nil
}

func (c *wire) Done() <-chan struct{} { return nil }

// knownWire is a wire that knows what was written on the stream that it resumes.
type knownWire struct {
	*wire
	written map[string]uint64
	more    bool
}

func (r knownWire) ResumedMessages() (map[string]uint64, bool) { return r.written, r.more }

// TestOutboxWrites: what is accepted is written in order, once it is marked, and not without a
// stream, a lease or room.
func TestOutboxWrites(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*outboxWorld)
		want   []string
	}{
		{"a stream", func(*outboxWorld) {}, []string{"write 1", "log 1", "save stream", "write 2", "log 2", "save stream"}},
		{"no stream", func(w *outboxWorld) { w.link = nil }, nil},
		{"not known to be ours", func(w *outboxWorld) { w.link.owned = false }, nil},
		{"no lease", func(w *outboxWorld) { w.lease = false }, []string{"ask ownership", "ask ownership"}},
		{"the archive is asked", func(w *outboxWorld) { w.o.asking = true }, nil},
		{"no room", func(w *outboxWorld) { w.send = perch.Errorf(perch.KindTryLater, "full") }, nil},
		{"the stream has ended", func(w *outboxWorld) { w.send = perch.Errorf(perch.KindSessionOffline, "over") }, nil},
		{"refused by ourselves", func(w *outboxWorld) { w.send = perch.Errorf(perch.KindValidation, "no") }, []string{"1 failed", "2 failed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newOutboxWorld()
			w.connect(perch.Login{}, &wire{w: w})
			tt.before(w)
			for _, id := range []string{"1", "2"} {
				if err := w.accept(id); err != nil {
					t.Fatalf("accept, message %s: got error %v, want none", id, err)
				}
			}
			w.want(t, tt.want...)
		})
	}
}

// TestOutboxMarks: without a stream nothing is marked as sent; with the next one the mark is
// committed before anything is written.
func TestOutboxMarks(t *testing.T) {
	w := newOutboxWorld()
	for _, id := range []string{"1", "2"} {
		if err := w.accept(id); err != nil {
			t.Fatalf("accept, message %s: got error %v, want none", id, err)
		}
	}
	w.connect(perch.Login{}, &wire{w: w})
	w.o.reconcile(false)
	w.o.flush()
	w.want(t)
	if n := len(w.commit.Outbox.Put); n != 2 || !w.commit.Outbox.Put[0].Sent {
		t.Errorf("got %d entries marked, want both", n)
	}
	w.committed()
	w.want(t, "write 1", "log 1", "save stream", "write 2", "log 2", "save stream")
}

// TestOutboxRefuses: every reason why a message is not accepted.
func TestOutboxRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*outboxWorld)
		want   perch.Kind
	}{
		{"the host", func(w *outboxWorld) { w.refuse = perch.Errorf(perch.KindDraining, "stopping") }, perch.KindDraining},
		{"the most messages", func(w *outboxWorld) { w.o.entries = make([]*outEntry, 1000); fill(w.o.entries, 1) }, perch.KindQuotaExceeded},
		{"the most bytes", func(w *outboxWorld) { w.o.entries = make([]*outEntry, 8); fill(w.o.entries, 1<<20) }, perch.KindQuotaExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newOutboxWorld()
			tt.before(w)
			if err := w.accept("1"); perch.KindOf(err) != tt.want {
				t.Errorf("accept: got error %v, want an error of kind %s", err, tt.want)
			}
		})
	}
}

func fill(list []*outEntry, bytes int) {
	for i := range list {
		list[i] = &outEntry{OutboxEntry: OutboxEntry{MessageOut: perch.MessageOut{Body: strings.Repeat("x", bytes)}}}
	}
}

// TestOutboxReconciles: the status of a message that was written to a stream that has ended.
func TestOutboxReconciles(t *testing.T) {
	known := map[string]uint64{"1": 0}
	for _, tt := range []struct {
		name    string
		resumed bool
		conn    func(*wire) Conn
		want    []string
	}{
		{"the server has it", true, func(c *wire) Conn { return knownWire{c, known, false} }, []string{"1 acked"}},
		{"it is on its way", true, func(c *wire) Conn { return knownWire{c, map[string]uint64{"1": 4}, false} }, nil},
		{"it never left", true, func(c *wire) Conn { return knownWire{c, nil, false} }, []string{"write 1", "save stream"}},
		{"it may have left", true, func(c *wire) Conn { return knownWire{c, nil, true} }, []string{"1 unknown"}},
		{"a refusal says that it arrived", false, func(c *wire) Conn { return knownWire{c, known, false} }, []string{"1 acked"}},
		{"nothing says anything", false, func(c *wire) Conn { return c }, []string{"1 unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newOutboxWorld()
			w.connect(perch.Login{}, &wire{w: w})
			if err := w.accept("1"); err != nil {
				t.Fatalf("accept: got error %v, want none", err)
			}
			w.want(t, "write 1", "log 1", "save stream")
			w.o.offline(w.link)
			w.connect(perch.Login{}, tt.conn(&wire{w: w}))
			w.o.reconcile(tt.resumed)
			w.o.flush()
			w.want(t, tt.want...)
		})
	}
}

// TestOutboxQuarantines: the head that ends two streams has failed; one after it has not.
func TestOutboxQuarantines(t *testing.T) {
	w := newOutboxWorld()
	w.connect(perch.Login{}, &wire{w: w})
	for _, id := range []string{"1", "2"} {
		if err := w.accept(id); err != nil {
			t.Fatalf("accept, message %s: got error %v, want none", id, err)
		}
	}
	w.did = nil
	for _, want := range []bool{true, true} {
		if got := w.o.quarantine(); got != want {
			t.Errorf("quarantine: got %v, want %v", got, want)
		}
		w.o.flush()
	}
	w.want(t, "write 1", "save stream", "1 failed", "dropped quarantined 1")
}

// TestOutboxReports: a report of a message counts only if the message was sent to who reports.
func TestOutboxReports(t *testing.T) {
	for _, tt := range []struct {
		name   string
		report func(*outbox)
		want   string // with commas
	}{
		{"a receipt", func(o *outbox) { o.applyReceipt(&perch.ReceiptIn{ID: "1", From: "bob@example.net/x"}) }, "1 delivered"},
		{"a mark", func(o *outbox) { o.applyReceipt(&perch.ReceiptIn{ID: "1", From: "Bob@example.net/x", Displayed: true}) }, "1 displayed,read 1"},
		{"a receipt of another", func(o *outbox) { o.applyReceipt(&perch.ReceiptIn{ID: "1", From: "eve@example.net/x"}) }, "count " + DroppedForged},
		{"a receipt for nothing", func(o *outbox) { o.applyReceipt(&perch.ReceiptIn{ID: "2", From: "bob@example.net/x"}) }, "count " + DroppedUnmatched},
		{"a bounce", func(o *outbox) { o.applyMessageError(&perch.MessageError{ID: "1", From: "example.net"}) }, "1 failed"},
		{"a bounce of another", func(o *outbox) { o.applyMessageError(&perch.MessageError{ID: "1", From: "evil.example"}) }, "count " + DroppedForged},
		{"an acknowledgement", func(o *outbox) { o.applyAck(&perch.AckIn{Through: 1}) }, "1 acked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newOutboxWorld()
			w.connect(perch.Login{}, &wire{w: w})
			if err := w.accept("1"); err != nil {
				t.Fatalf("accept: got error %v, want none", err)
			}
			w.did = nil
			tt.report(w.o)
			w.want(t, strings.Split(tt.want, ",")...)
		})
	}
}
