package cache_test

import (
	"strings"
	"testing"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// TestReplacedBindingRows: during a rolling upgrade nodes of before share the rows. They know a
// replaced credential by what is in place of the sealed one, and that alone.
func TestReplacedBindingRows(t *testing.T) {
	w := mini(t)
	r := w.open(t, cache.RedisOptions{})
	if err := w.client.Set(t.Context(), "perch:token:old", `{"id":"a1","upstream":"up","jid":"","sealed":"AA=="}`, 0).Err(); err != nil {
		t.Fatalf("SET got error %v, want none", err)
	}
	b, err := r.Lookup(t.Context(), "old")
	if err != nil || !b.Replaced || b.Sealed != nil {
		t.Errorf("Lookup of a row of before = %+v, %v; want it replaced and without a credential", b, err)
	}
	if _, err := r.Bind(t.Context(), "new", sessions.Binding{ID: "a1", Upstream: "up", Replaced: true}); err != nil {
		t.Fatalf("Bind got error %v, want none", err)
	}
	row, err := w.client.Get(t.Context(), "perch:token:new").Result()
	if err != nil || !strings.Contains(row, `"sealed":"AA=="`) {
		t.Errorf("the row is %s, %v; want the sign in it that nodes of before know", row, err)
	}
}
