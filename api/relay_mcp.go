package api

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/perch-im/perch/sessions"
)

// relayMCP relays a request to the tools, which may wait as a long poll does. It is cut when this node
// drains: the client calls again, on another node, with the cursor that it has. By then every call that does not
// wait has its answer.
func (a *API) relayMCP(w http.ResponseWriter, r *http.Request, f *forward, to sessions.Node) *forwardFailure {
	l, restore := a.lineStream(w, r)
	defer restore()
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	e, err := a.streams.openRelay("poll")
	if err != nil {
		return &forwardFailure{err: err, node: to.ID}
	}
	defer a.streams.close(e)
	var drained atomic.Bool
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case after := <-e.closeAfter:
			leave := time.NewTimer(after)
			defer leave.Stop()
			select {
			case <-leave.C:
				drained.Store(true)
				cancel()
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
	}()
	defer func() { <-watched }()
	defer cancel()
	lost := a.proxy(&lineRelay{ResponseWriter: w, lines: l}, r.WithContext(ctx), f, to, nil)
	if lost != nil && drained.Load() {
		return &forwardFailure{err: errStopping, node: to.ID}
	}
	return lost
}
