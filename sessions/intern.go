package sessions

import "sync"

const (
	internMax  = 1 << 16 // strings; then it starts again
	internLong = 128     // longer ones are rarely alike
)

// interner shares strings between sessions: addresses, groups, resources and status texts
// repeat in every roster of a domain.
type interner struct {
	mu sync.Mutex
	m  map[string]string
}

// one returns a string equal to s, the same one for equal arguments while it is known.
func (t *interner) one(s string) string {
	if s == "" || len(s) > internLong {
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.m[s]; ok {
		return v
	}
	if t.m == nil || len(t.m) >= internMax {
		t.m = map[string]string{}
	}
	t.m[s] = s
	return s
}
