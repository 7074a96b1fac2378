package xmppconn

import (
	"sync"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/quickack"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
)

// Buffers of waiting stanzas; one that has grown large is left to the garbage collector.
var outBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

const maxPooledBuffer = 64 << 10

// writeState is what is sent, and how far. Conn.mu guards it.
type writeState struct {
	out              *[]byte // waiting; nil when empty
	writing          bool    // a writer goroutine is there
	closeWhenWritten bool    // the writer closes the socket when out is empty
	writeErr         error
	streamClosed     bool   // one side has closed the stream: nothing can be resumed
	sent             uint64 // number of the last stanza of Send
	acked            uint64 // the server has everything up to here
	ackWanted        uint64 // the last one that wants to be acknowledged
}

// Send queues a stanza and returns its number, counted from 1 without gaps, which AckIn
// refers to. It never waits. The error is KindSessionOffline when the connection has ended
// or is not started, KindTryLater when too much is waiting to be written, or what is wrong
// with the stanza (KindValidation); a stanza that was refused has no number.
func (c *Conn) Send(out perch.Outbound) (uint64, error) {
	c.mu.Lock()
	defer c.unlock()
	if state, ok := out.(*perch.ClientStateOut); ok { // no stanza, and never acknowledged
		return c.sent, c.enqueue(func(b []byte) ([]byte, error) { return stanza.AppendClientState(b, state.Active), nil })
	}
	id := ""
	if m, ok := out.(*perch.MessageOut); ok {
		id = m.ID
	}
	if err := c.enqueueStanza(id, c.sent+1, func(b []byte) ([]byte, error) { return stanza.AppendFor(b, out, c.login.Capabilities.ChatOnly) }); err != nil {
		return 0, err
	}
	c.sent++
	c.d.counters.StanzasOut.Add(1)
	switch out.(type) {
	case *perch.MessageOut, *perch.SubscriptionOut:
		if c.sm == nil {
			c.scheduleAckRequest()
		}
	}
	return c.sent, nil
}

// enqueue adds what encode appends to the queue, and sees to it that a writer is there. The
// caller holds mu; encode leaves the slice as it was when it fails.
func (c *Conn) enqueue(encode func([]byte) ([]byte, error)) error {
	if c.err != nil || c.closing || c.writeErr != nil || !c.started {
		return errOffline(c.err)
	}
	if c.out != nil && len(*c.out) >= c.d.up.MaxQueue {
		return perch.Errorf(perch.KindTryLater, "too many bytes are waiting to be written to the XMPP server")
	}
	buf := c.out
	if buf == nil {
		buf = outBuffers.Get().(*[]byte)
	}
	b, err := encode(*buf)
	if err != nil {
		if c.out == nil {
			recycle(buf)
		}
		return err
	}
	*buf = b
	c.out = buf
	c.startWriter()
	return nil
}

// startWriter makes sure of a writer goroutine. The caller holds mu.
func (c *Conn) startWriter() {
	if !c.writing {
		c.writing = true
		c.wg.Add(1)
		go c.write()
	}
}

// write is the writer goroutine: it writes all that waits at once, then what has come
// meanwhile, until nothing is left. Half a stanza must never be continued, so any failed
// write ends the connection.
func (c *Conn) write() {
	defer c.wg.Done()
	defer c.recoverPanic("writer")
	for {
		buf, last := c.dequeue()
		if buf == nil {
			if last {
				_ = c.raw.Close()
			}
			return
		}
		if !last { // else finish has set a deadline
			_ = c.raw.SetWriteDeadline(time.Now().Add(c.d.up.WriteTimeout))
		}
		c.d.counters.Writes.Add(1)
		_, err := c.nc.Write(*buf)
		recycle(buf)
		if err != nil {
			c.writeFailed(err)
			return
		}
		quickack.Again(c.raw)
	}
}

// dequeue returns what waits; nil ends the writer. Last: then the socket is closed.
func (c *Conn) dequeue() (buf *[]byte, last bool) {
	c.mu.Lock()
	defer c.unlock()
	buf, c.out = c.out, nil
	if c.err != nil && !c.closeWhenWritten {
		buf = nil // the socket is closed
	}
	if buf == nil {
		c.writing = false
	}
	return buf, c.closeWhenWritten
}

// readAfterFailedWrite is how long the reader may still look for the reason of a failed write.
const readAfterFailedWrite = time.Second

// writeFailed ends the connection, but lets the reader find out first what the server may
// have said before it closed: policy-violation matters, a broken pipe says nothing.
func (c *Conn) writeFailed(err error) {
	err = c.linkLost(err, "writing")
	if c.noteWriteFailure(err) {
		_ = c.raw.SetReadDeadline(time.Now().Add(readAfterFailedWrite))
		if c.unpark() {
			go c.resumeReading()
		}
		return
	}
	c.end(err)
	_ = c.raw.Close()
}

// noteWriteFailure keeps the reason of a failed write, and reports whether the reader is there
// to look for a better one.
func (c *Conn) noteWriteFailure(err error) bool {
	c.mu.Lock()
	defer c.unlock()
	c.writing = false
	if c.writeErr == nil {
		c.writeErr = err
	}
	if !c.started || c.err != nil {
		return false
	}
	c.timer.Stop()
	c.timer = time.AfterFunc(readAfterFailedWrite, func() { c.end(err) })
	return true
}

func recycle(buf *[]byte) {
	if cap(*buf) <= maxPooledBuffer {
		*buf = (*buf)[:0]
		outBuffers.Put(buf)
	}
}
