package xmppconn

import (
	"context"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

const (
	closeTimeout = 3 * time.Second // that the server has to answer </stream:stream>
	tailTimeout  = 2 * time.Second // for writing the end of the stream
)

// signOut ends a session: a server cannot resume a stream that was closed (XEP-0198, 5).
const signOut = "<presence type='unavailable'/></stream:stream>"

// Close signs out: what is queued is written, then unavailable presence and the end of the
// stream, and the server has until ctx ends, 3 seconds at most, to do the same. Nothing is
// delivered after the call. It returns when the connection has ended.
func (c *Conn) Close(ctx context.Context) error {
	out := perch.Errorf(perch.KindSessionOffline, "signed out")
	wait := c.sendSignOut()
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if wait {
		select {
		case <-c.done:
		case <-ctx.Done():
		}
	}
	if wait {
		c.end(out)
	} else {
		c.finish(out, signOut)
	}
	return c.join(ctx)
}

// sendSignOut queues unavailable presence and the end of the stream. It reports false when the
// stream is not there to be closed.
func (c *Conn) sendSignOut() bool {
	c.mu.Lock()
	defer c.unlock()
	if !c.started || c.err != nil || c.writeErr != nil {
		return false
	}
	if !c.closing {
		if c.sm != nil {
			c.sendAck() // else the server would deliver again what we have
		}
		_ = c.enqueue(func(b []byte) ([]byte, error) { return append(b, signOut...), nil })
		c.closing = true
	}
	return true
}

// join waits for the goroutines, but not for a sink that blocks.
func (c *Conn) join(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return nil
}

// Abort drops the TCP connection as it is: no end of the stream, so that a server that can
// resume it keeps it. It does not wait.
func (c *Conn) Abort() { c.end(perch.Errorf(perch.KindSessionOffline, "dropped")) }

// end ends the connection at once.
func (c *Conn) end(err error) { c.finish(err, "") }

// finish ends the connection, once; later calls do nothing. A tail is still written, for a
// short time, before the socket is closed.
func (c *Conn) finish(err error, tail string) {
	open, graceful, ok := c.markEnded(&err, tail)
	if !ok {
		return
	}
	if graceful {
		_ = c.raw.SetDeadline(time.Now().Add(tailTimeout))
	} else {
		_ = c.raw.Close()
	}
	close(c.done)
	c.hearing.Close()
	if c.unpark() {
		c.wg.Done() // for the reader, which is not needed any more
	}
	if ended := c.onEnded(); ended != nil {
		ended()
	}
	for _, q := range open {
		q.answer(stanza.IQ{}, errOffline(err))
	}
	c.d.log.Debug("connection ended", "kind", perch.KindOf(err), "err", err)
}

// onEnded is what Start was given; nil: it was not called.
func (c *Conn) onEnded() func() {
	c.mu.Lock()
	defer c.unlock()
	return c.ended
}

// markEnded makes the error, or that of a Close that is under way, the end of the connection,
// and returns the requests that are open. Graceful: the writer writes the tail and then closes
// the socket. Ok is false when the connection has ended already.
func (c *Conn) markEnded(err *error, tail string) (open map[string]*openIQ, graceful, ok bool) {
	c.mu.Lock()
	defer c.unlock()
	if c.err != nil {
		return nil, false, false
	}
	if c.closing {
		*err = perch.Errorf(perch.KindSessionOffline, "signed out")
	}
	c.err = *err
	open = c.iqs
	c.iqs = nil
	if c.timer != nil {
		c.timer.Stop()
	}
	c.streamClosed = c.streamClosed || tail != ""
	graceful = tail != "" && c.writeErr == nil && !c.closing
	if graceful {
		c.appendTail(tail)
	} else if c.out != nil && !c.writing {
		recycle(c.out)
		c.out = nil
	}
	return open, graceful, true
}

// appendTail queues the last bytes; the writer then closes the socket. The caller holds mu.
func (c *Conn) appendTail(tail string) {
	if c.out == nil {
		c.out = outBuffers.Get().(*[]byte)
	}
	*c.out = append(*c.out, tail...)
	c.closeWhenWritten = true
	c.startWriter()
}
