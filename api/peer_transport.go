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

// peerTransport sends requests from this node to its peers.
type peerTransport struct {
	dialer        *net.Dialer
	transport     *http.Transport
	roundTripper  http.RoundTripper // transport, wrapped by Options.NodeTransport
	log           *log.Logger
	replays       *replayGuard
	answerBuffers *bufferPool // for answers
	streamBuffers *bufferPool // for streams, which hold one as long as they last
}

// How long connecting to a peer may take. It is near, or it is down.
const (
	peerDialTime = 2 * time.Second
	peerTLSTime  = 5 * time.Second
)

// newPeerTransport makes the transport between nodes. Its idle connections are closed before the
// peer closes them (see NewServer), and no proxy of the environment is used. A connection
// buffers no more bytes than those to clients do: the node that writes must notice a client that
// does not read.
func newPeerTransport(o Options) *peerTransport {
	dialer := &net.Dialer{Timeout: peerDialTime}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one connection for each stream; WebSockets need it
	h := &peerTransport{
		dialer: dialer,
		transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dialer.DialContext(ctx, network, addr)
				if tcp, ok := c.(*net.TCPConn); ok {
					_ = tcp.SetReadBuffer(socketBuffer)
				}
				return c, err
			},
			TLSClientConfig: o.NodeTLS, TLSHandshakeTimeout: peerTLSTime, Protocols: protocols,
			DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
			ResponseHeaderTimeout: max(o.RequestTime, maxWait*time.Second) + 15*time.Second,
		},
		log:     slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug), // its lines have addresses
		replays: newReplayGuard(), answerBuffers: newBufferPool(32 << 10), streamBuffers: newBufferPool(4 << 10),
	}
	if h.roundTripper = h.transport; o.NodeTransport != nil {
		h.roundTripper = o.NodeTransport(h.transport)
	}
	return h
}

// Close closes the idle connections to peers. Call it last, after the listeners of [API.Handler]
// are closed.
func (a *API) Close() { a.peers.transport.CloseIdleConnections() }

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
