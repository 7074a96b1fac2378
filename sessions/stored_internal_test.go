package sessions

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// bindingStore has the tokens of a Store, and nothing else.
type bindingStore struct{ Store }

func (bindingStore) Bindings(context.Context) (map[string]Binding, error) {
	return map[string]Binding{"t": {ID: "s", Upstream: "u"}}, nil
}

// TestStoredRowsAreDropped: a node without others keeps the list of what is stored for no longer than it is asked for.
func TestStoredRowsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Manager{o: Options{Store: bindingStore{}}, routes: &routes{stored: newStoredIndex()}}
		rows, err := m.storedRows(t.Context())
		if err != nil || len(rows) != 1 {
			t.Fatalf("storedRows: got %v, error %v, want one", rows, err)
		}
		time.Sleep(storedFor)
		if _, err := m.storedRows(t.Context()); err != nil {
			t.Fatalf("storedRows: got error %v, want none", err)
		}
		time.Sleep(2*storedFor - time.Second)
		x := m.routes.stored
		x.mu.Lock()
		kept := len(x.rows)
		x.mu.Unlock()
		if kept != 1 {
			t.Errorf("got %d rows within the time, want 1", kept)
		}
		time.Sleep(2 * time.Second)
		x.mu.Lock()
		kept = len(x.rows)
		x.mu.Unlock()
		if kept != 0 {
			t.Errorf("got %d rows after the time, want none", kept)
		}
	})
}
