package ttlmap_test

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
)

var epoch = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// watched is a map of at most three entries that notes what it evicts.
type watched struct {
	ttlmap.Map[string, int]
	evicted []string
}

func newWatched() *watched {
	w := &watched{}
	w.Max = 3
	w.OnEvict = func(k string, _ int) { w.evicted = append(w.evicted, k) }
	return w
}

func (w *watched) alive(now time.Time) (keys []string) {
	for _, k := range []string{"a", "b", "c", "d", "e"} {
		if _, ok := w.Get(k, now); ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func TestMap(t *testing.T) {
	const life = 10 * time.Second
	abc := func(w *watched) {
		for i, k := range []string{"a", "b", "c"} {
			w.Put(k, i, at(i), life)
		}
	}
	tests := map[string]struct {
		do      func(w *watched)
		now     int
		alive   []string
		evicted []string
		len     int
	}{
		"nothing":                   {func(*watched) {}, 0, nil, nil, 0},
		"all are alive":             {abc, 9, []string{"a", "b", "c"}, nil, 3},
		"one ends with its life":    {abc, 10, []string{"b", "c"}, nil, 3},
		"all have ended":            {abc, 12, nil, nil, 3},
		"one more":                  {func(w *watched) { abc(w); w.Put("d", 3, at(3), life) }, 3, []string{"b", "c", "d"}, []string{"a"}, 3},
		"the soonest goes":          {func(w *watched) { abc(w); w.Put("c", 0, at(3), time.Second); w.Put("d", 3, at(3), life) }, 3, []string{"a", "b", "d"}, []string{"c"}, 3},
		"an expired one goes first": {func(w *watched) { abc(w); w.Put("d", 3, at(10), life) }, 10, []string{"b", "c", "d"}, []string{"a"}, 3},
		"two of the expired go":     {func(w *watched) { abc(w); w.Put("d", 3, at(20), life) }, 20, []string{"d"}, []string{"a", "b"}, 2},
		"of equal ends the first put goes": {func(w *watched) {
			for _, k := range []string{"c", "a", "b", "d"} {
				w.Put(k, 0, at(0), life)
			}
		}, 0, []string{"a", "b", "d"}, []string{"c"}, 3},
		"put again":      {func(w *watched) { abc(w); w.Put("a", 7, at(3), life); w.Put("d", 3, at(3), life) }, 3, []string{"a", "c", "d"}, []string{"b"}, 3},
		"renewed":        {func(w *watched) { abc(w); w.Renew("a", at(9), life) }, 18, []string{"a"}, nil, 3},
		"renewed late":   {func(w *watched) { abc(w); w.Renew("a", at(10), life) }, 10, []string{"b", "c"}, []string{"a"}, 2},
		"renewing frees": {func(w *watched) { abc(w); w.Renew("x", at(20), life) }, 20, nil, []string{"a", "b"}, 1},
		"deleted":        {func(w *watched) { abc(w); w.Delete("b", at(3)) }, 3, []string{"a", "c"}, nil, 2},
		"all expired":    {func(w *watched) { abc(w); w.Expire(at(20)) }, 20, nil, []string{"a", "b", "c"}, 0},
		"some expired":   {func(w *watched) { abc(w); w.Expire(at(11)) }, 11, []string{"c"}, []string{"a", "b"}, 1},
		"forever":        {func(w *watched) { abc(w); w.Put("b", 0, at(3), ttlmap.Forever) }, 1 << 32, []string{"b"}, nil, 3},
		"no life":        {func(w *watched) { w.Put("a", 0, at(5), 0); w.Put("b", 0, at(5), -life) }, 5, nil, []string{"a"}, 1},
		"begun anew":     {func(w *watched) { abc(w); w.Expire(at(20)); w.Put("a", 0, at(30), life) }, 39, []string{"a"}, []string{"a", "b", "c"}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWatched()
			tt.do(w)
			if got := w.alive(at(tt.now)); !slices.Equal(got, tt.alive) {
				t.Errorf("got %q alive, want %q", got, tt.alive)
			}
			if !slices.Equal(w.evicted, tt.evicted) {
				t.Errorf("got %q evicted, want %q", w.evicted, tt.evicted)
			}
			if got := w.Len(); got != tt.len {
				t.Errorf("got %d entries, want %d", got, tt.len)
			}
		})
	}
}

// TestValues: what each method returns of an entry that is alive, has expired, is not there.
func TestValues(t *testing.T) {
	methods := map[string]func(m *ttlmap.Map[string, int], k string, now time.Time) (int, bool){
		"Get":    (*ttlmap.Map[string, int]).Get,
		"Delete": (*ttlmap.Map[string, int]).Delete,
		"Renew": func(m *ttlmap.Map[string, int], k string, now time.Time) (int, bool) {
			return m.Renew(k, now, time.Second)
		},
	}
	for name, method := range methods {
		for _, tt := range []struct {
			key  string
			now  int
			want int
			ok   bool
		}{{"a", 0, 7, true}, {"a", 9, 7, true}, {"a", 10, 0, false}, {"b", 0, 0, false}} {
			var m ttlmap.Map[string, int]
			m.Put("a", 7, at(0), 10*time.Second)
			got, ok := method(&m, tt.key, at(tt.now))
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("%s of %q after %d s: got %d, %v, want %d, %v", name, tt.key, tt.now, got, ok, tt.want, tt.ok)
			}
		}
	}
}

func TestFull(t *testing.T) {
	w := newWatched()
	for i, k := range []string{"a", "b", "c"} {
		if w.Full(at(0)) {
			t.Errorf("got full with %d of 3, want room", i)
		}
		w.Put(k, i, at(i), 10*time.Second)
	}
	for now, want := range map[int]bool{3: true, 9: true, 10: false, 30: false} {
		if got := w.Full(at(now)); got != want {
			t.Errorf("full after %d s: got %v, want %v", now, got, want)
		}
	}
	var unbounded ttlmap.Map[int, int]
	for i := range 1000 {
		unbounded.Put(i, i, at(0), time.Hour)
	}
	if unbounded.Full(at(0)) || unbounded.Len() != 1000 {
		t.Errorf("without a bound: got full %v with %d, want room with 1000", unbounded.Full(at(0)), unbounded.Len())
	}
}

func TestSoonest(t *testing.T) {
	var m ttlmap.Map[string, int]
	if k, v, ok := m.Soonest(); ok {
		t.Errorf("an empty map: got %q, %d, want none", k, v)
	}
	m.Put("a", 1, at(0), 10*time.Second)
	m.Put("b", 2, at(0), 5*time.Second)
	if k, v, ok := m.Soonest(); k != "b" || v != 2 || !ok {
		t.Errorf("got %q, %d, %v, want b, 2, true", k, v, ok)
	}
}

// TestNoCallSearchesTheMap: however much has expired at once, a Put and a Renew free two
// entries and leave the others to the next ones.
func TestNoCallSearchesTheMap(t *testing.T) {
	const n = 10_000
	evicted := 0
	m := ttlmap.Map[int, int]{Max: n, OnEvict: func(int, int) { evicted++ }}
	for i := range n {
		m.Put(i, i, at(0), time.Second)
	}
	for i := range n {
		before := evicted
		if i%2 == 0 {
			m.Put(n+i, i, at(60), time.Hour)
		} else {
			m.Renew(n+i-1, at(60), time.Hour)
		}
		if got := evicted - before; got > 2 {
			t.Fatalf("call %d: got %d entries freed, want at most 2", i, got)
		}
	}
	if evicted != n || m.Len() != n/2 {
		t.Errorf("got %d freed and %d left, want %d and %d", evicted, m.Len(), n, n/2)
	}
}

// TestEmptyMapKeepsNothing: the tables of a Go map do not become smaller.
func TestEmptyMapKeepsNothing(t *testing.T) {
	heap := func() int64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	m, before := new(ttlmap.Map[int, int]), heap()
	for i := range 50_000 {
		m.Put(i, i, at(0), time.Second)
	}
	m.Expire(at(1))
	if got := heap() - before; got > 256<<10 {
		t.Errorf("got %d bytes in use of an empty map, want next to none", got)
	}
	runtime.KeepAlive(m)
}

// TestClock: the time of a bubble, which is that of the program elsewhere.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m ttlmap.Map[string, int]
		m.Put("a", 1, time.Now(), time.Minute)
		for _, tt := range []struct {
			pause time.Duration
			want  bool
		}{{time.Minute - 1, true}, {1, false}} {
			time.Sleep(tt.pause)
			if _, ok := m.Get("a", time.Now()); ok != tt.want {
				t.Errorf("after %v more: got %v, want %v", tt.pause, ok, tt.want)
			}
		}
	})
}
