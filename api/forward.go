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

// forward is one request on its way to another node. Its body is kept: what was not
// handled there may have to be sent elsewhere.
type forward struct {
	body      []byte
	vouched   sessions.ID
	transport string // of a stream, one of Transports; "" is any other request
	result    string // what the Observer gets when it is answered
}

func (a *API) newForward(r *http.Request, vouched sessions.ID) (*forward, error) {
	f := &forward{vouched: vouched, result: ForwardOK}
	switch routePattern(r) {
	case "/v1/events/ws":
		f.transport = "ws"
	case "/v1/events":
		f.transport = transportOf(streamMedia(r))
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return f, nil // its body, if there is one, is not read
	}
	err := keepBody(r)
	if err == nil {
		f.body = r.Body.(*keptBody).all // and r.Body is at its beginning, for a handler of ours
	}
	return f, err
}

// keptBody is a body that was read to its end and can be read again.
type keptBody struct {
	bytes.Reader
	all []byte
}

// Close implements io.ReadCloser.
func (*keptBody) Close() error { return nil }

// keepBody reads the body of r, which withBodyLimit bounds, and puts it back.
func keepBody(r *http.Request) error {
	if k, ok := r.Body.(*keptBody); ok {
		k.Reset(k.all)
		return nil
	}
	all, err := readBody(r)
	if err != nil {
		return err
	}
	k := &keptBody{all: all}
	k.Reset(all)
	r.Body = k
	return nil
}

// lostForward is a forward that has brought no answer.
type lostForward struct {
	err       error
	node      sessions.NodeID
	connected bool // the request may have been sent
	safe      bool // it changes nothing, however often it is sent
}

// What a node answers to another one whose request is not for it.
var (
	errMisdirected = errors.New("api: the session is not on that node")
	errHopRefused  = errors.New("api: that node does not trust this one")
)

// misdirected reports whether the node answered, but not for this session or this node.
func (l *lostForward) misdirected() bool {
	return errors.Is(l.err, errMisdirected) || errors.Is(l.err, errHopRefused)
}

// mayHaveRun reports whether a request may have been carried out whose answer is lost.
func (l *lostForward) mayHaveRun() bool { return l.connected && !l.safe && !l.misdirected() }

// again reports whether the request may be sent once more, to another node.
func (l *lostForward) again(r *http.Request) bool { return r.Context().Err() == nil && !l.mayHaveRun() }

// passOn sends the whole request to another node and the client its answer. Nil: it was
// answered; else nothing was.
func (a *API) passOn(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *lostForward {
	switch f.transport {
	case "":
		return a.proxy(w, r, f, to, nil)
	case "ws":
		return a.relaySocket(w, r, f, to)
	case "poll":
		return a.relayPoll(w, r, f, to)
	}
	return a.relayLines(w, r, f, to)
}

// proxy is one attempt. began gets the head of the answer, before it is written.
func (a *API) proxy(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node, began func(*http.Response)) *lostForward {
	target, err := url.Parse(to.URL)
	lost := &lostForward{err: err, node: to.ID, safe: r.Method == http.MethodGet || r.Method == http.MethodHead}
	if err != nil {
		return lost
	}
	var connected atomic.Bool
	answered := false
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	p := httputil.ReverseProxy{
		Transport: a.hops.way, FlushInterval: -1, ErrorLog: a.hops.log, BufferPool: a.hops.large,
		Rewrite: func(pr *httputil.ProxyRequest) { a.address(pr, f, target, to.ID) },
		ModifyResponse: func(res *http.Response) error {
			if err := misdirection(res); err != nil {
				return err
			}
			answered = true
			a.o.Observer.Forwarded(f.result)
			for name := range res.Header {
				w.Header().Del(name) // the owner's instead of ours
			}
			if began != nil {
				began(res)
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { lost.err = err },
	}
	if f.transport != "" {
		p.BufferPool = a.hops.small
	}
	p.ServeHTTP(w, r.WithContext(ctx))
	if answered {
		return nil // an error in the middle has cut the connection
	}
	lost.connected = connected.Load()
	return lost
}

// misdirection reads what only nodes tell each other.
func misdirection(res *http.Response) error {
	switch {
	case res.Header.Get(hopHeader) == hopRefused:
		return errHopRefused
	case res.StatusCode == http.StatusMisdirectedRequest:
		return errMisdirected
	}
	return nil
}

// address turns a request to us into one to another node. The query stays as it is:
// what is wrong with it is for the owner to say.
func (a *API) address(pr *httputil.ProxyRequest, f *forward, target *url.URL, to sessions.NodeID) {
	out := pr.Out
	out.URL.Scheme, out.URL.Host, out.URL.RawQuery = target.Scheme, target.Host, pr.In.URL.RawQuery
	out.Body, out.GetBody, out.ContentLength, out.TransferEncoding = nil, nil, int64(len(f.body)), nil
	if len(f.body) > 0 {
		// With GetBody the transport itself repeats what an idle connection that has just
		// been closed did not take.
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.body)), nil }
		out.Body, _ = out.GetBody()
	}
	id := requestID(pr.In.Context())
	out.Header.Del("Expect")
	out.Header.Set("X-Request-Id", id)
	out.Header.Set(hopHeader, a.seal(a.newHop(pr.In, f.vouched), to, out.Method, out.URL.RequestURI(), id))
}
