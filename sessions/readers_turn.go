package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// sendTime bounds one attempt.
const sendTime = 10 * time.Second

var errSenderFault = errors.New("the delivery failed inside of the gateway")

// turn is one turn of a reader: it waits for its place, and then brings the reader a part of the log, and more
// while nobody else waits.
type turn struct {
	x      *readerList
	r      *reader
	ticket *ticket
	ctx    context.Context
	end    context.CancelFunc

	dead bool // cancelled: what it does is not noted any more; the owner has it
}

// enqueue gives a reader a turn.
func (x *readerList) enqueue(r *reader) {
	t := &turn{x: x, r: r}
	t.ctx, t.end = context.WithCancel(x.host.life())
	ticket, ok := x.dispatcher.enqueue(x.id, hostOf(r.secrets.URL), t.run)
	if !ok {
		t.end()
		return
	}
	t.ticket, r.turn = ticket, t
}

// cancel ends a turn, and reports whether nothing of it is under way.
func (t *turn) cancel() bool {
	t.dead = true
	t.end()
	return t.ticket.withdraw()
}

// run is called by the dispatcher, in a goroutine of its own.
func (t *turn) run() {
	defer t.end()
	defer func() {
		if fault := recover(); fault != nil {
			t.x.host.post(func() {
				t.x.host.readerPanicked(fault)
				t.x.rest(t.r)
			})
		}
		t.x.host.post(t.over)
	}()
	var w reading
	due := false
	if t.x.host.call(t.ctx, func() { w, due = t.claim() }) != nil || !due {
		return
	}
	p, err := t.x.read(t.ctx, w)
	d, ok := t.begin(p, err)
	for ok {
		out := t.send(d)
		var next logPart
		if out.Err == nil {
			w.from, w.until, w.reset, w.tip = p.to, 0, "", t.x.tip.Load()
			if next, err = t.x.read(t.ctx, w); err != nil {
				next = logPart{from: p.to, to: p.to}
			}
		}
		d, ok = t.settle(p, out, next)
		if p = next; ok && t.x.dispatcher.others() {
			return // it is stored what comes next: that is sent when it is its turn again
		}
	}
}

// over lets the owner see what is due after a turn.
func (t *turn) over() {
	if t.r.turn == t {
		t.r.turn = nil
		t.x.wake(t.r)
	}
}

// claim is what the reader is due, or false: nothing any more.
func (t *turn) claim() (w reading, due bool) {
	r := t.r
	if t.dead || !t.x.mayRead(r) {
		return w, false
	}
	return reading{epoch: r.row.Cursor.Epoch, from: r.at, until: r.row.Sending, tip: t.x.log.published, reset: r.row.Reset, filter: r.filter,
		own: t.x.host.ownJID().Bare()}, true
}

// begin stores the end of a part, and returns the delivery once that is committed. False: there is nothing to
// send, or it is not committed in time.
func (t *turn) begin(p logPart, readErr error) (d Delivery, ok bool) {
	var stored <-chan struct{}
	err := t.x.host.call(t.ctx, func() {
		switch {
		case t.dead || !t.x.mayRead(t.r):
		case readErr != nil:
			t.x.rest(t.r)
		case p.empty(t.r.row.Kind):
			t.pass(p)
		default:
			d, stored = t.store(p)
		}
	})
	return d, err == nil && stored != nil && t.await(stored)
}

// pass moves the cursor over what is not for the reader.
func (t *turn) pass(p logPart) {
	r := t.r
	r.at = p.to
	if r.row.Sending != 0 || r.row.Reset != p.reset {
		r.row.Sending, r.row.Reset = 0, p.reset
		t.x.put(r)
		return
	}
	t.x.saveLater(r)
}

// store writes with the next commit that a part is under way; the channel is closed when it is committed.
// Cursor and end must be those of the part: an owner that comes after a crash has nothing else.
func (t *turn) store(p logPart) (Delivery, <-chan struct{}) {
	r := t.r
	r.at, r.row.Sending, r.row.Reset = p.from, p.to, p.reset
	t.x.put(r)
	stored := make(chan struct{})
	t.x.journal.AfterCommit(func(Result) { close(stored) })
	return Delivery{
		ID: deliveryID(t.x.id, &r.row, p), Reader: r.shown(), Secrets: r.secrets.valid(t.x.host.now()), Account: t.x.host.ownJID().Bare(),
		Events: p.events, Cursor: perch.Position{Epoch: r.row.Cursor.Epoch, Offset: p.to}, Reset: p.reset, About: t.x.about,
	}, stored
}

// await waits for a commit.
func (t *turn) await(stored <-chan struct{}) bool {
	timeout := time.NewTimer(commitWait)
	defer timeout.Stop()
	select {
	case <-stored:
		return true
	case <-timeout.C:
		t.x.host.post(func() { t.x.rest(t.r) })
	case <-t.ctx.Done():
	}
	return false
}

// send makes one attempt.
func (t *turn) send(d Delivery) Outcome {
	return attempt(t.ctx, t.x.senders[d.Reader.Kind], d, func(fault any) { t.x.host.post(func() { t.x.host.readerPanicked(fault) }) })
}

// attempt makes one attempt. A fault of the sender is that of this delivery alone.
func attempt(ctx context.Context, sender Sender, d Delivery, panicked func(fault any)) (out Outcome) {
	defer func() {
		if fault := recover(); fault != nil {
			panicked(fault)
			out = Outcome{Err: errSenderFault}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return sender.Send(ctx, d)
}

// settle notes what became of a part, in one commit with the end of the next one, if there is one.
func (t *turn) settle(p logPart, out Outcome, next logPart) (d Delivery, ok bool) {
	var stored <-chan struct{}
	err := t.x.host.call(t.ctx, func() {
		r := t.r
		if t.dead || t.ctx.Err() != nil {
			return // whoever has it now sends it again
		}
		t.x.host.delivered(r.row.Kind, out.result())
		if out.Err != nil {
			t.x.failed(r, out)
			return
		}
		r.succeeded(p.to, perch.ReaderAttempt{At: t.x.host.now(), Status: out.Status})
		if !next.empty(r.row.Kind) && t.x.mayRead(r) {
			d, stored = t.store(next)
			return
		}
		if len(next.events) == 0 {
			r.at = next.to
		}
		t.x.put(r)
	})
	return d, err == nil && stored != nil && t.await(stored)
}
