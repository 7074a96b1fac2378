package api

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/perch-im/perch"
)

// wsTransport is the connection of a WebSocket as package websocket has it. What that reads comes from
// the client. What it writes is collected, so that many frames go out at once, and a write never
// waits for the client while the library holds its locks: the turn of the stream sends what there is.
type wsTransport struct {
	*frameConn
	ws    *websocket.Conn
	early []byte // what the client has sent with its handshake

	mu         sync.Mutex
	collect    []byte       // frames of the turn that is under way
	collecting bool         // what is written goes there
	direct     bool         // what is written goes out at once: the stream is closing
	post       func([]byte) // takes what the reader has the library write: pongs, and close frames
}

// Sizes of the buffers that the library has of a connection, in bytes. A control frame of 125 bytes
// fits into one write.
const (
	wsReadBuffer  = 128
	wsWriteBuffer = 160
	wsFrameHeader = 10 // of a server, at most (RFC 6455, 5.2)
)

// Read implements net.Conn.
func (t *wsTransport) Read(p []byte) (int, error) {
	if len(t.early) == 0 {
		return t.frameConn.Conn.Read(p)
	}
	n := copy(p, t.early)
	if t.early = t.early[n:]; len(t.early) == 0 {
		t.early = nil
	}
	return n, nil
}

// Write implements net.Conn.
func (t *wsTransport) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.collecting:
		t.collect = append(t.collect, p...)
		return len(p), nil
	case t.direct || t.post == nil:
		return t.frameConn.Write(p)
	}
	t.post(p)
	return len(p), nil
}

// Close implements net.Conn. The library closes as soon as the closing handshake is over, and what the
// turn has not sent yet would be lost: it only ends a read, and the stream closes the connection.
func (t *wsTransport) Close() error { return t.SetReadDeadline(time.Unix(1, 0)) }

// text appends the frame of one event. It implements framing. An error of the library says that the
// connection has ended, which its reader has reported.
func (t *wsTransport) text(b []byte, ev *perch.Event) []byte {
	t.gather(slices.Grow(b, len(ev.Wire)+wsFrameHeader))
	_ = t.ws.Write(context.Background(), websocket.MessageText, ev.Wire)
	return t.gathered()
}

func (t *wsTransport) gather(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.collect, t.collecting = b, true
}

func (t *wsTransport) gathered() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.collect
	t.collect, t.collecting = nil, false
	return b
}

// set changes where writes go.
func (t *wsTransport) set(f func(*wsTransport)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t)
}

// close sends a close frame, and waits until the client has closed too, or is not read any more. The
// reader must still be reading, or never have begun.
func (t *wsTransport) close(e ending) {
	t.set(func(t *wsTransport) { t.direct = true })
	t.awaitClose(e)
	_ = t.ws.Close(e.code, e.reason()) // the client may have left: nothing more to do
}

// wsUpgrader gives websocket.Accept the connection of a stream, and small buffers.
type wsUpgrader struct {
	http.ResponseWriter
	api       *API
	transport *wsTransport
}

// Hijack implements http.Hijacker for websocket.Accept.
func (u *wsUpgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, early, err := u.api.hijack(u.ResponseWriter)
	if err != nil {
		return nil, nil, err
	}
	u.transport = &wsTransport{frameConn: conn, early: early}
	return u.transport, bufio.NewReadWriter(bufio.NewReaderSize(u.transport, wsReadBuffer), bufio.NewWriterSize(u.transport, wsWriteBuffer)), nil
}
