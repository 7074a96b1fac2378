package xmppconn

import (
	"context"
	"errors"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/archive"
	"github.com/perch-im/perch/xmppconn/internal/blocking"
	"github.com/perch-im/perch/xmppconn/internal/bookmarks"
	"github.com/perch-im/perch/xmppconn/internal/cards"
	"github.com/perch-im/perch/xmppconn/internal/password"
	"github.com/perch-im/perch/xmppconn/internal/readsync"
	"github.com/perch-im/perch/xmppconn/internal/roomadmin"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/upload"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// requestState is what is asked of others. What is embedded does not change after Dial.
type requestState struct {
	roomadmin.Admin
	cards.Cards
	*bookmarks.List
	*readsync.Positions
	upload.Ask
	*blocking.Blocking
	password.Changer
	iqs      map[string]*openIQ
	archives archive.Reader
}

// openIQ is a request that waits for its answer.
type openIQ struct {
	to      perch.JID
	through uint64 // the last stanza of Send that was queued before it
	at      time.Duration
	answer  func(stanza.IQ, error) // called once, from the reader; does not block
	// part takes the payload of the answer, or parts of it when it is large, as it lies in the
	// buffer; answer is then called without. Nil: the answer may not be large.
	part     func(*xmlstream.Borrowed)
	lastPart time.Duration // when the last part came; 0: none
}

// maxOpenIQs bounds the requests of one connection that wait for an answer.
const maxOpenIQs = 1000

// fromOwnAccount reports whether a stanza is from the own account: roster pushes and archive
// results may come from no other entity.
func (c *Conn) fromOwnAccount(from perch.JID) bool {
	return from == "" || from.Equal(c.login.JID.Bare())
}

// request sends an IQ and waits for its answer, which decode turns into a value in the
// reader's goroutine. The wait ends with ctx, with the upstream's RequestTimeout
// (KindUpstreamTimeout) or with the connection (KindSessionOffline). Kind is what the
// Observer calls it.
func request[T any](ctx context.Context, c *Conn, kind, typ string, to perch.JID, payload []byte, decode func(stanza.IQ) (T, error)) (T, error) {
	return requestLarge(ctx, c, kind, typ, to, payload, decode, asked{timeout: c.d.up.RequestTimeout})
}

// maxWaits is how often the wait for an answer is renewed because parts of it still come.
const maxWaits = 4

// asked is what a request has beside what all have.
type asked struct {
	part    func(*xmlstream.Borrowed) // see openIQ
	timeout time.Duration             // bounds the silence
	givenUp func(id string)           // called when it is not waited for any more; nil: nobody cares
}

// requestLarge is request for an answer that may be larger than a stanza: part is given its
// payload, in one or more parts, and decode is called after the last one.
func requestLarge[T any](ctx context.Context, c *Conn, kind, typ string, to perch.JID, payload []byte,
	decode func(stanza.IQ) (T, error), o asked,
) (_ T, err error) {
	began, traced := c.d.now(), c.d.startTrace(ctx, kind)
	defer func() {
		c.d.observer(kind, c.d.now()-began, err)
		if traced != nil {
			traced(err)
		}
	}()
	type result struct {
		value T
		err   error
	}
	ch := make(chan result, 1)
	var none T
	id, err := c.requestParts(kind, typ, to, payload, o.part, func(in stanza.IQ, err error) {
		r := result{err: err}
		if err == nil {
			r.value, r.err = decode(in)
		}
		ch <- r
	})
	if err != nil {
		return none, err
	}
	patience := time.NewTimer(o.timeout)
	defer patience.Stop()
	var failure error
	for waits := 1; failure == nil; waits++ {
		select {
		case r := <-ch:
			return r.value, r.err
		case <-patience.C:
			if waits < maxWaits && c.partsArriving(id, o.timeout) {
				patience.Reset(o.timeout)
			} else {
				failure = context.DeadlineExceeded
			}
		case <-ctx.Done():
			failure = ctx.Err()
		}
	}
	c.giveUp(id, o.givenUp)
	select {
	case r := <-ch: // it came while it was given up
		return r.value, r.err
	default:
	}
	if errors.Is(failure, context.Canceled) {
		return none, perch.Wrap(perch.KindUpstreamTimeout, failure, "the request was canceled")
	}
	return none, perch.Wrap(perch.KindUpstreamTimeout, failure, "the server did not answer in time")
}

// partsArriving reports whether a part of the answer came within d.
func (c *Conn) partsArriving(id string, d time.Duration) bool {
	c.mu.Lock()
	defer c.unlock()
	q := c.iqs[id]
	return q != nil && q.lastPart > 0 && c.d.now()-q.lastPart < d
}

// startTrace is Options.Trace; without one it costs nothing.
func (d *Dialer) startTrace(ctx context.Context, kind string) func(error) {
	if d.trace == nil {
		return nil
	}
	return d.trace(ctx, kind)
}

// requestParts queues a request and enters it into the table. That for a password is not stored with the
// stream.
func (c *Conn) requestParts(kind, typ string, to perch.JID, payload []byte, part func(*xmlstream.Borrowed), answer func(stanza.IQ, error)) (string, error) {
	c.mu.Lock()
	defer c.unlock()
	id, err := c.requestLocked(typ, to, payload, answer)
	if err == nil {
		c.iqs[id].part = part
	}
	if err == nil && kind == password.Kind && c.sm != nil {
		c.sm.queue[len(c.sm.queue)-1].stored = password.Hidden(id)
	}
	return id, err
}

func (c *Conn) requestLocked(typ string, to perch.JID, payload []byte, answer func(stanza.IQ, error)) (string, error) {
	if len(c.iqs) >= maxOpenIQs {
		return "", perch.Errorf(perch.KindTryLater, "too many requests are waiting for the XMPP server")
	}
	id := stanza.NewID()
	if err := c.enqueueStanza("", 0, func(b []byte) ([]byte, error) { return stanza.AppendIQ(b, id, typ, to, payload) }); err != nil {
		return "", err
	}
	if c.iqs == nil {
		c.iqs = map[string]*openIQ{}
	}
	c.iqs[id] = &openIQ{to: to, through: c.sent, at: c.d.now(), answer: answer}
	return id, nil
}

// giveUp drops a request whose answer nobody waits for any more. What is to be known before its answer can
// come, f says first.
func (c *Conn) giveUp(id string, f func(id string)) {
	if f != nil {
		f(id)
	}
	c.mu.Lock()
	defer c.unlock()
	c.dropRequestLocked(id)
}

// dropRequestLocked removes a map that is empty, too: most connections have no open request.
func (c *Conn) dropRequestLocked(id string) {
	if delete(c.iqs, id); len(c.iqs) == 0 {
		c.iqs = nil
	}
}

// answered looks up the request of an answer, if in.From may answer it, and finishes it.
// Failure stands in for an answer that could not be read. The server works through a stream
// in order, so an answer also says that it has everything that was sent before the request.
func (c *Conn) answered(in stanza.IQ, failure error) {
	q, through := c.finishRequest(in)
	if q == nil {
		if late := c.hearing.Late(in, c.login.JID, failure); late != nil {
			c.deliver(late)
		}
		return
	}
	if failure == nil && in.Err != nil {
		failure = in.Failure()
	}
	q.answer(in, failure)
	if through > 0 {
		c.deliver(&perch.AckIn{Through: through})
	}
}

// finishRequest takes the request that in answers out of the table; nil: there is none that
// in.From may answer. Through is what an AckIn may say without stream management; 0: nothing
// new.
func (c *Conn) finishRequest(in stanza.IQ) (q *openIQ, through uint64) {
	c.mu.Lock()
	defer c.unlock()
	q = c.iqs[in.ID]
	switch {
	case q == nil:
		c.d.counters.StrayAnswers.Add(1)
		return nil, 0
	case !stanza.AnswersFor(c.login.JID, q.to, in.From):
		c.d.counters.ForgedAnswers.Add(1)
		return nil, 0
	}
	c.dropRequestLocked(in.ID)
	if c.sm == nil && q.through > c.acked {
		c.acked, through = q.through, q.through
	}
	return q, through
}

// handleIQ separates answers from requests of others (RFC 6120, 8.2.3).
func (c *Conn) handleIQ(el *xmlstream.Element) {
	in, ok := stanza.ParseIQ(el)
	answer := ok && (in.Type == "result" || in.Type == "error")
	if !ok || answer {
		c.count(0)
	}
	switch {
	case !ok:
		c.d.counters.Malformed.Add(1)
	case answer:
		c.answered(in, nil)
	case stanza.IsPush(in):
		c.push(in)
	default:
		c.answerRequest(el, in)
	}
}

// push takes a change of the roster or of the block list. From any other entity than the own account it
// is ignored, as RFC 6121, 2.1.6 demands, without an answer; servers also push block lists in their own name.
func (c *Conn) push(in stanza.IQ) {
	if !c.fromOwnAccount(in.From) && (stanza.IsRosterPush(in) || !in.From.Equal(perch.JID(c.login.JID.Domain()))) {
		c.count(0)
		c.d.counters.ForgedPushes.Add(1)
		return
	}
	push, ok := stanza.ParsePush(in)
	if !ok {
		c.count(0)
		c.d.counters.Malformed.Add(1)
		c.reply(func(b []byte) ([]byte, error) {
			return stanza.AppendIQError(b, in.ID, in.From, "modify", "bad-request")
		})
		return
	}
	if push == nil {
		c.count(0)
	} else {
		c.count(1)
		c.deliver(push)
	}
	c.reply(func(b []byte) ([]byte, error) { return stanza.AppendIQ(b, in.ID, "result", in.From, nil) })
}

// answerRequest answers the requests of other entities that every client answers, and refuses
// the others, unless a client is to answer them.
func (c *Conn) answerRequest(el *xmlstream.Element, in stanza.IQ) {
	payload, refusal := stanza.Answer(in, c.login.Capabilities.ChatOnly)
	if refusal != "" {
		if given := c.hearing.Request(el, in, refusal); given != nil {
			c.count(1)
			c.deliver(given)
			return
		}
	}
	c.count(0)
	c.reply(func(b []byte) ([]byte, error) {
		if refusal != "" {
			return stanza.AppendIQError(b, in.ID, in.From, "cancel", refusal)
		}
		return stanza.AppendIQ(b, in.ID, "result", in.From, payload)
	})
}

// reply queues an answer to a request of another entity. When the queue is full it is
// left out: so many requests need not all be answered.
func (c *Conn) reply(encode func([]byte) ([]byte, error)) {
	c.mu.Lock()
	defer c.unlock()
	if c.enqueueStanza("", 0, encode) != nil {
		c.d.counters.RepliesShed.Add(1)
	}
}
