package api

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// hops is how requests get from this node to others.
type hops struct {
	dialer    *net.Dialer
	transport *http.Transport
	way       http.RoundTripper // transport, with Options.NodeTransport around it
	log       *log.Logger
	seen      *once
	large     *bufferPool // of answers
	small     *bufferPool // of streams, which are held as long as they last
}

// How long another node may take to be reached. It is near, or it is down.
const (
	hopDialTime = 2 * time.Second
	hopTLSTime  = 5 * time.Second
)

// newHops makes the transport between nodes. Its idle connections are closed before the
// other side closes them (see NewServer), and no proxy of the environment is in the way. A
// connection takes no more bytes ahead than our own do: a client that does not read must be
// felt by the node that writes.
func newHops(o Options) *hops {
	dialer := &net.Dialer{Timeout: hopDialTime}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one connection for each stream; WebSockets know no other
	h := &hops{
		dialer: dialer,
		transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dialer.DialContext(ctx, network, addr)
				if tcp, ok := c.(*net.TCPConn); ok {
					_ = tcp.SetReadBuffer(socketBuffer)
				}
				return c, err
			},
			TLSClientConfig: o.NodeTLS, TLSHandshakeTimeout: hopTLSTime, Protocols: protocols,
			DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
			ResponseHeaderTimeout: max(o.RequestTime, maxWait*time.Second) + 15*time.Second,
		},
		log:  slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug), // it names addresses
		seen: newOnce(), large: newBufferPool(32 << 10), small: newBufferPool(4 << 10),
	}
	if h.way = h.transport; o.NodeTransport != nil {
		h.way = o.NodeTransport(h.transport)
	}
	return h
}

// Close ends the connections to other nodes that are idle by now. It comes last, after the
// listeners of [API.Handler] are closed.
func (a *API) Close() { a.hops.transport.CloseIdleConnections() }

// bufferPool implements httputil.BufferPool.
type bufferPool struct {
	size int
	pool sync.Pool
}

func newBufferPool(size int) *bufferPool { return &bufferPool{size: size} }

// Get implements httputil.BufferPool.
func (p *bufferPool) Get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, p.size)
}

// Put implements httputil.BufferPool.
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }
