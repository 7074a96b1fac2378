package mcptools

import (
	"context"
	"encoding/json"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// mostWait is how long a call may wait, in seconds, as a long poll may.
const mostWait = 60

// progressEvery is how often a call that waits says so to a client that wants to know. Clients take a
// request for lost after some time without a word, often a minute.
const progressEvery = 5 * time.Second

// whileWaiting runs what waits. Meanwhile a client that has asked for progress gets it; for all others
// there are comments, so that no proxy takes the connection for dead.
func (s *Server) whileWaiting(ctx context.Context, r *mcp.CallToolRequest, wait func()) {
	token, every := r.Params.GetProgressToken(), s.o.Heartbeat
	if token != nil {
		every = min(every, progressEvery)
	}
	began, over, stopped := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			if token == nil {
				postOf(ctx).out.comment()
				continue
			}
			_ = r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: token, Progress: time.Since(began).Seconds(), Message: "waiting for events",
			}) // a client that has left needs none
		}
	}()
	defer func() {
		close(over)
		<-stopped
	}()
	wait()
}

// cancelled is the result of a call that its client has given up. A wait has found nothing, and its
// cursor is good for the next one.
func cancelled(t *tool, arguments json.RawMessage) *mcp.CallToolResult {
	var args struct{ Cursor string }
	if t.waiting && json.Unmarshal(arguments, &args) == nil && args.Cursor != "" {
		next, _ := json.Marshal(args.Cursor) // a string: cannot fail
		return done([]byte(`{"events":[],"next":` + string(next) + `,"reset":null}`))
	}
	return failed([]byte(`{"title":"Cancelled","detail":"the call was cancelled"}`))
}
