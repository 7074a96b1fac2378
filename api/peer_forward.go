package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"github.com/perch-im/perch/sessions"
)

// forward is one request to a peer. Its body is buffered: what was not handled there may have to
// be sent to another one.
type forward struct {
	body      []byte
	vouched   vouched
	transport string // of a stream, one of Transports; "" is any other request
	result    string // what the Observer gets when it is answered
	file      bool   // the body is passed on as it comes; what was read of it cannot be sent again
}

func (a *API) newForward(r *http.Request, vouched vouched) (*forward, error) {
	f := &forward{vouched: vouched, result: ForwardOK}
	switch routePattern(r) {
	case "/v1/events/ws":
		f.transport = "ws"
	case "/v1/events":
		f.transport = transportOf(streamMedia(r))
	case mcpPath:
		f.transport = "mcp"
	case uploadPattern:
		f.file = true
		return f, a.checkUploadHead(r)
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return f, nil // its body, if there is one, is not read
	}
	err := bufferBody(r)
	if err == nil {
		f.body = r.Body.(*bufferedBody).all // and r.Body is at its beginning, for a handler of this node
	}
	return f, err
}

// bufferedBody is a body that was read to its end and can be read again.
type bufferedBody struct {
	bytes.Reader
	all []byte
}

// Close implements io.ReadCloser.
func (*bufferedBody) Close() error { return nil }

// bufferBody reads the body of r, which withBodyLimit bounds, and replaces it by the buffer.
func bufferBody(r *http.Request) error {
	if k, ok := r.Body.(*bufferedBody); ok {
		k.Reset(k.all)
		return nil
	}
	all, err := readBody(r)
	if err != nil {
		return err
	}
	k := &bufferedBody{all: all}
	k.Reset(all)
	r.Body = k
	return nil
}

// forwardFailure is a forward without an answer.
type forwardFailure struct {
	err       error
	node      sessions.NodeID
	connected bool // the request may have been sent
	safe      bool // it changes nothing, so it may be sent again
	spent     bool // its body cannot be sent again
}

// What a peer answers to a request that is not for it.
var (
	errMisdirected = errors.New("api: the session is not on that peer")
	errHopRefused  = errors.New("api: the peer does not trust this node")
)

// misdirected reports whether the peer answered that it has not the session, or does not trust
// this node.
func (l *forwardFailure) misdirected() bool {
	return errors.Is(l.err, errMisdirected) || errors.Is(l.err, errHopRefused)
}

// mayHaveRun reports whether the request may have been carried out although its answer is lost.
func (l *forwardFailure) mayHaveRun() bool { return l.connected && !l.safe && !l.misdirected() }

// retryable reports whether the request may be sent once more, to another peer.
func (l *forwardFailure) retryable(r *http.Request) bool {
	return r.Context().Err() == nil && !l.mayHaveRun() && !l.spent
}

// forwardTo sends the whole request to a peer and its answer to the client. Nil: the client was
// answered; otherwise nothing was written.
func (a *API) forwardTo(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *forwardFailure {
	switch f.transport {
	case "":
		return a.proxy(w, r, f, to, nil)
	case "ws":
		return a.relaySocket(w, r, f, to)
	case "poll":
		return a.relayPoll(w, r, f, to)
	case "mcp":
		return a.relayMCP(w, r, f, to)
	}
	return a.relayLines(w, r, f, to)
}

// proxy is one attempt. onHead gets the head of the answer, before it is written; it may be nil.
func (a *API) proxy(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node, began func(*http.Response)) *forwardFailure {
	target, err := url.Parse(to.URL)
	lost := &forwardFailure{err: err, node: to.ID, safe: r.Method == http.MethodGet || r.Method == http.MethodHead}
	if err != nil {
		return lost
	}
	var connected atomic.Bool
	answered := false
	ctx, in := r.Context(), r
	if f.file {
		free, err := a.uploads.take()
		if err != nil {
			lost.err = err
			return lost
		}
		defer free()
		var body *uploadBody
		ctx, body = newUploadBody(ctx, w, r)
		defer body.end()
		defer func() { lost.spent, _ = body.spent() }()
		in = r.WithContext(ctx)
		in.Body = body
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	p := httputil.ReverseProxy{
		Transport: a.peers.roundTripper, FlushInterval: -1, ErrorLog: a.peers.log, BufferPool: a.peers.answerBuffers,
		Rewrite: func(pr *httputil.ProxyRequest) { a.rewriteForPeer(pr, f, target, to.ID) },
		ModifyResponse: func(res *http.Response) error {
			if err := misdirection(res); err != nil {
				return err
			}
			answered = true
			noteOwner(r, to.ID)
			a.o.Observer.Forwarded(f.result)
			for name := range res.Header {
				w.Header().Del(name) // the owner's in place of this node's
			}
			if began != nil {
				began(res)
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { lost.err = err },
	}
	if f.transport != "" {
		p.BufferPool = a.peers.streamBuffers
	}
	p.ServeHTTP(w, in.WithContext(ctx))
	if answered {
		return nil // an error in the body has cut the connection
	}
	lost.connected = connected.Load()
	return lost
}

// misdirection reads the answers that only nodes give each other.
func misdirection(res *http.Response) error {
	switch {
	case res.Header.Get(hopHeader) == hopRefused:
		return errHopRefused
	case res.StatusCode == http.StatusMisdirectedRequest:
		return errMisdirected
	}
	return nil
}

// rewriteForPeer turns a request to this node into one to a peer. The query stays as it is: the
// owner checks it.
func (a *API) rewriteForPeer(pr *httputil.ProxyRequest, f *forward, target *url.URL, to sessions.NodeID) {
	out := pr.Out
	out.URL.Scheme, out.URL.Host, out.URL.RawQuery = target.Scheme, target.Host, pr.In.URL.RawQuery
	if !f.file {
		out.Body, out.ContentLength = nil, int64(len(f.body))
	}
	out.GetBody, out.TransferEncoding = nil, nil
	if len(f.body) > 0 {
		// With GetBody the transport itself repeats a request on an idle connection that the
		// peer has just closed.
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.body)), nil }
		out.Body, _ = out.GetBody()
	}
	id := requestID(pr.In.Context())
	out.Header.Del("Expect")
	out.Header.Set("X-Request-Id", id)
	out.Header.Set(hopHeader, a.seal(a.newHop(pr.In, f.vouched), to, out.Method, out.URL.RequestURI(), id))
}
