package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/perch-im/perch/sessions"
)

// relayLines relays SSE or NDJSON.
func (a *API) relayLines(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *forwardFailure {
	l, restore := a.lineStream(w, r)
	defer restore()
	ctx, rl, err := a.newRelay(l.ctx, f.transport)
	if err != nil {
		return &forwardFailure{err: err, node: to.ID}
	}
	defer rl.close(a)
	lr := &lineRelay{ResponseWriter: w, lines: l, relay: rl}
	scan, frame := &lineScanner{want: 1, have: 1}, framing(ndjsonFrame)
	if f.transport == "sse" {
		scan, frame = &lineScanner{want: 2, have: 2}, sseFrame
	}
	rl.splice, rl.frame = newSplicer(scan, lr.send), frame
	rl.wg.Go(rl.watch)
	return a.proxy(lr, r.WithContext(ctx), f, to, lr.onHead)
}

// lineRelay is the response to the client. Unlike the one of net/http, it may be written to
// by the reverse proxy and by the watch at once.
type lineRelay struct {
	http.ResponseWriter
	lines  *lineWriter
	relay  *relay
	stream bool // the answer is a stream, and no problem
}

// onHead gets the head of the answer.
func (lr *lineRelay) onHead(res *http.Response) {
	if lr.stream = res.StatusCode == http.StatusOK; lr.stream {
		res.Body = &relayBody{res.Body, lr.relay.splice}
	}
}

// Write implements http.ResponseWriter.
func (lr *lineRelay) Write(p []byte) (n int, err error) {
	if lr.stream {
		err = lr.relay.pass(p)
	} else {
		err = lr.send(p)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes to the client and flushes.
func (lr *lineRelay) send(p []byte) error {
	if err := lr.lines.frame(p); err != nil {
		return err
	}
	return lr.lines.flush()
}

// FlushError implements what http.ResponseController looks for. Only what was written is
// flushed: see send.
func (lr *lineRelay) FlushError() error { return nil }

// relayBody is the body of the owner's answer. A stream that ends between two frames, for
// whatever reason, ends without an error.
type relayBody struct {
	io.ReadCloser
	splice *splicer
}

// Read implements io.Reader.
func (b *relayBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || n > 0:
		return n, nil // the error comes again
	case b.splice.atBoundary():
		return 0, io.EOF
	}
	return 0, err
}

// relayPoll relays a long poll. When this node drains it answers in place of the owner: no
// events, and the same cursor.
func (a *API) relayPoll(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *forwardFailure {
	l, restore := a.lineStream(w, r)
	defer restore()
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	e, err := a.streams.openRelay(f.transport)
	if err != nil {
		return &forwardFailure{err: err, node: to.ID}
	}
	defer a.streams.close(e)
	var answered, drained atomic.Bool
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-e.closeAfter:
			if drained.Store(true); !answered.Load() {
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	lost := a.proxy(&lineRelay{ResponseWriter: w, lines: l}, r.WithContext(ctx), f, to, func(*http.Response) { answered.Store(true) })
	cancel()
	<-watched
	if lost == nil || !drained.Load() {
		return lost
	}
	since := r.URL.Query().Get("since")
	if since == "" {
		return &forwardFailure{err: errStopping, node: to.ID}
	}
	if err := writeJSON(w, http.StatusOK, Poll{Events: []json.RawMessage{}, Next: since}); err != nil {
		return &forwardFailure{err: err, node: to.ID}
	}
	return nil
}
