package sessions

import (
	"slices"
	"strings"
	"sync"
)

const (
	internMax  = 1 << 16 // strings; then it starts again
	internLong = 128     // longer ones are rarely alike
)

// interner shares strings between sessions: addresses, groups, resources and status texts
// repeat in every roster of a domain.
type interner struct {
	mu    sync.Mutex
	m     map[string]string
	lists map[string][]string // by the strings with a NUL after each
}

// none is the empty list, for JSON no null.
var none = []string{}

// list returns a list equal to l, the same one for equal arguments while it is known.
// It must not be changed.
func (t *interner) list(l []string) []string {
	if len(l) == 0 {
		return none
	}
	key := strings.Join(l, "\x00")
	if len(key) > internLong {
		return l
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.lists[key]; ok {
		return v
	}
	if t.lists == nil || len(t.lists) >= internMax {
		t.lists = map[string][]string{}
	}
	l = slices.Clone(l)
	for i := range l {
		l[i] = strings.Clone(l[i]) // not the whole stanza that it was a part of
	}
	t.lists[key] = l
	return l
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
	s = strings.Clone(s) // not the whole stanza that it was a part of
	t.m[s] = s
	return s
}
