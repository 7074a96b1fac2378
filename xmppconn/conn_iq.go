package xmppconn

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"github.com/perch-im/perch"
)

// openIQ is a request that waits for its answer.
type openIQ struct {
	to      perch.JID
	through uint64 // the last stanza of Send that was queued before it
	at      time.Duration
	answer  func(iqIn, error) // called once, from the reader; does not block
	part    func(iqIn)        // takes a part of a large answer, as answer does; nil: it may not be large
	heard   time.Duration     // when the last part came; 0: none
}

// maxOpenIQs bounds the requests of one connection that wait for an answer.
const maxOpenIQs = 1000

// newID is an id that cannot be guessed: 128 bits, in 22 characters.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// answersFor reports whether from may answer a request to to (RFC 6120, 8.1.2.1 and 10.3.3). The
// own account and its server can be named in four ways, and servers use all of them; any other
// entity answers from the address that was asked. Servers may spell an address in another way
// than the client does.
func answersFor(me, to, from perch.JID) bool {
	own := func(j perch.JID) bool {
		return j == "" || j.Equal(me.Bare()) || j.Equal(me) || j.Equal(perch.JID(me.Domain()))
	}
	if !own(to) {
		return from.Equal(to)
	}
	return own(from)
}

// fromOwnAccount reports whether a stanza is from the own account: roster pushes and archive
// results may come from no other entity.
func (c *Conn) fromOwnAccount(from perch.JID) bool {
	return from == "" || from.Equal(c.login.JID.Bare())
}

// request sends an IQ and waits for its answer, which decode turns into a value in the
// reader's goroutine. The wait ends with ctx, with the upstream's RequestTimeout
// (KindUpstreamTimeout) or with the connection (KindSessionOffline). Kind is what the
// Observer calls it.
func request[T any](ctx context.Context, c *Conn, kind, typ string, to perch.JID, payload []byte, decode func(iqIn) (T, error)) (T, error) {
	return requestLarge(ctx, c, kind, typ, to, payload, decode, nil, c.d.up.RequestTimeout)
}

// mostWaits is how often the wait for an answer is renewed because parts of it still come.
const mostWaits = 4

// requestLarge is request for an answer that may be larger than a stanza: part is then given
// what comes before the last part, which is for decode. Timeout bounds the silence.
func requestLarge[T any](ctx context.Context, c *Conn, kind, typ string, to perch.JID, payload []byte,
	decode func(iqIn) (T, error), part func(iqIn), timeout time.Duration,
) (_ T, err error) {
	began, traced := c.d.now(), c.d.follow(ctx, kind)
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
	id, err := c.askLarge(typ, to, payload, part, func(in iqIn, err error) {
		r := result{err: err}
		if err == nil {
			r.value, r.err = decode(in)
		}
		ch <- r
	})
	if err != nil {
		return none, err
	}
	patience := time.NewTimer(timeout)
	defer patience.Stop()
	for waits := 1; ; waits++ {
		select {
		case r := <-ch:
			return r.value, r.err
		case <-patience.C:
			if waits < mostWaits && c.arriving(id, timeout) {
				patience.Reset(timeout)
				continue
			}
			c.forget(id)
			return none, perch.Wrap(perch.KindUpstreamTimeout, context.DeadlineExceeded, "the server did not answer in time")
		case <-ctx.Done():
			c.forget(id)
			if errors.Is(ctx.Err(), context.Canceled) {
				return none, perch.Wrap(perch.KindUpstreamTimeout, ctx.Err(), "the request was given up")
			}
			return none, perch.Wrap(perch.KindUpstreamTimeout, ctx.Err(), "the server did not answer in time")
		}
	}
}

// arriving reports whether a part of the answer came within d.
func (c *Conn) arriving(id string, d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.iqs[id]
	return q != nil && q.heard > 0 && c.d.now()-q.heard < d
}

// follow is Options.Trace; without one it costs nothing.
func (d *Dialer) follow(ctx context.Context, kind string) func(error) {
	if d.trace == nil {
		return nil
	}
	return d.trace(ctx, kind)
}

// askLarge queues a request and enters it into the table.
func (c *Conn) askLarge(typ string, to perch.JID, payload []byte, part func(iqIn), answer func(iqIn, error)) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, err := c.askLocked(typ, to, payload, answer)
	if err == nil {
		c.iqs[id].part = part
	}
	return id, err
}

func (c *Conn) askLocked(typ string, to perch.JID, payload []byte, answer func(iqIn, error)) (string, error) {
	if len(c.iqs) >= maxOpenIQs {
		return "", perch.Errorf(perch.KindTryLater, "too many requests wait for the XMPP server")
	}
	id := newID()
	if err := c.enqueueStanza("", 0, func(b []byte) ([]byte, error) { return appendIQ(b, id, typ, to, payload) }); err != nil {
		return "", err
	}
	if c.iqs == nil {
		c.iqs = map[string]*openIQ{}
	}
	c.iqs[id] = &openIQ{to: to, through: c.sent, at: c.d.now(), answer: answer}
	return id, nil
}

func (c *Conn) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetLocked(id)
}

// forgetLocked removes a map that is empty, too: most connections have no open request.
func (c *Conn) forgetLocked(id string) {
	if delete(c.iqs, id); len(c.iqs) == 0 {
		c.iqs = nil
	}
}

// answered looks up the request of an answer, if in.from may answer it, and finishes it.
// Failure stands in for an answer that could not be read. The server works through a stream
// in order, so an answer also says that it has everything that was sent before the request.
func (c *Conn) answered(in iqIn, failure error) {
	c.mu.Lock()
	q := c.iqs[in.id]
	if q == nil || !answersFor(c.login.JID, q.to, in.from) {
		c.mu.Unlock()
		if q == nil {
			c.d.counters.StrayAnswers.Add(1)
		} else {
			c.d.counters.ForgedAnswers.Add(1)
		}
		return
	}
	c.forgetLocked(in.id)
	through := uint64(0)
	if c.sm == nil && q.through > c.acked {
		c.acked, through = q.through, q.through
	}
	c.mu.Unlock()
	if failure == nil && in.err != nil {
		failure = requestFailure(*in.err)
	}
	q.answer(in, failure)
	if through > 0 {
		c.deliver(&perch.AckIn{Through: through})
	}
}

// handleIQ separates answers from requests of others (RFC 6120, 8.2.3).
func (c *Conn) handleIQ(el *element) {
	in, ok := parseIQ(el)
	push := ok && in.typ == "set" && in.payload.is(nsRoster, "query")
	if !push {
		c.count(0)
	}
	switch {
	case !ok:
		c.d.counters.Malformed.Add(1)
	case in.typ == "result" || in.typ == "error":
		c.answered(in, nil)
	case push:
		c.rosterPush(in)
	default:
		c.serve(in)
	}
}

// rosterPush takes a changed roster item. From any other entity than the own account it is
// ignored, as RFC 6121, 2.1.6 demands, without an answer.
func (c *Conn) rosterPush(in iqIn) {
	if !c.fromOwnAccount(in.from) {
		c.count(0)
		c.d.counters.ForgedPushes.Add(1)
		return
	}
	push, ok := parseRosterPush(in.payload)
	if !ok {
		c.count(0)
		c.d.counters.Malformed.Add(1)
		c.reply(func(b []byte) ([]byte, error) { return appendIQError(b, in.id, in.from, "modify", "bad-request") })
		return
	}
	c.count(1)
	c.deliver(push)
	c.reply(func(b []byte) ([]byte, error) { return appendIQ(b, in.id, "result", in.from, nil) })
}

// serve answers the requests that every client answers (XEP-0199, XEP-0030, XEP-0092), and
// refuses the others.
func (c *Conn) serve(in iqIn) {
	var payload []byte
	err := errors.ErrUnsupported
	switch {
	case in.typ == "get" && isPing(in.payload):
		err = nil
	case in.typ == "get" && isDiscoInfo(in.payload):
		payload, err = encodeDiscoInfoResult(in.payload.attr("node"))
	case in.typ == "get" && in.payload.is(nsVersion, "query"):
		payload, err = encodeVersion(), nil
	}
	c.reply(func(b []byte) ([]byte, error) {
		if err != nil {
			return appendIQError(b, in.id, in.from, "cancel", "service-unavailable")
		}
		return appendIQ(b, in.id, "result", in.from, payload)
	})
}

// reply queues an answer to a request of another entity. When the queue is full it is
// left out: so many requests need not all be answered.
func (c *Conn) reply(encode func([]byte) ([]byte, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.enqueueStanza("", 0, encode) != nil {
		c.d.counters.RepliesShed.Add(1)
	}
}
