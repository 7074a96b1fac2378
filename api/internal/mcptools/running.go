package mcptools

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
)

// running are the calls that are under way, so that they can be cancelled: without a session of MCP the
// notification comes with a POST of its own, and says only the id that the client has given the call. Two
// clients with one token may use one id: both calls end then. That does no harm, as what ends early is a
// wait, and its answer is that nothing has happened.
//
// All calls of a token are on the node that has its session, as the requests of REST are.
type running struct {
	mu    sync.Mutex
	calls map[string]map[*call]struct{} // by caller and id
}

type call struct{ end context.CancelFunc }

func newRunning() *running { return &running{calls: map[string]map[*call]struct{}{}} }

func keyOf(caller string, id json.RawMessage) string {
	return caller + "\x00" + string(bytes.TrimSpace(id))
}

// add notes a call; the function that it returns must be called at its end.
func (r *running) add(caller string, id json.RawMessage, end context.CancelFunc) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, c := keyOf(caller, id), &call{end}
	if r.calls[key] == nil {
		r.calls[key] = map[*call]struct{}{}
	}
	r.calls[key][c] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if delete(r.calls[key], c); len(r.calls[key]) == 0 {
			delete(r.calls, key)
		}
	}
}

// cancel ends the calls of a caller with an id.
func (r *running) cancel(caller string, id json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.calls[keyOf(caller, id)] {
		c.end()
	}
}
