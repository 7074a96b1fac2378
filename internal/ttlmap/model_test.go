package ttlmap_test

import (
	"slices"
	"testing"
	"time"

	"github.com/perch-im/perch/internal/ttlmap"
	"pgregory.net/rapid"
)

// model is the map as a list in which everything is searched for. It has what is alive only.
type model struct {
	max  int
	now  time.Duration
	puts int
	list []modelled
}

type modelled struct {
	key, value int
	end        time.Duration
}

func (m *model) tick(d time.Duration) {
	m.now += d
	m.list = slices.DeleteFunc(m.list, func(e modelled) bool { return e.end <= m.now })
}

func (m *model) find(key int) *modelled {
	if i := slices.IndexFunc(m.list, func(e modelled) bool { return e.key == key }); i >= 0 {
		return &m.list[i]
	}
	return nil
}

func (m *model) delete(key int) {
	m.list = slices.DeleteFunc(m.list, func(e modelled) bool { return e.key == key })
}

// put appends, so that of equal ends the first in the list was put first.
func (m *model) put(key, value int, life time.Duration) {
	if m.find(key) == nil && m.max > 0 && len(m.list) >= m.max {
		m.delete(m.soonest().key)
	}
	m.delete(key)
	m.list = append(m.list, modelled{key: key, value: value, end: m.now + life})
	m.tick(0)
}

func (m *model) soonest() modelled {
	return slices.MinFunc(m.list, func(a, b modelled) int { return int(a.end - b.end) })
}

// pair is a map and its model, which are used alike.
type pair struct {
	model
	ttlmap.Map[int, int]
	evicted map[int]int // values that were evicted; each value is put once
	added   int         // less those that were deleted
}

func (p *pair) at() time.Time { return epoch.Add(p.now) }

func compare(t *rapid.T) {
	p := &pair{evicted: map[int]int{}}
	p.max = rapid.IntRange(0, 6).Draw(t, "max")
	p.Max = p.max
	p.OnEvict = func(_, v int) {
		if p.evicted[v]++; p.evicted[v] > 1 {
			t.Errorf("value %d was evicted %d times, want once", v, p.evicted[v])
		}
	}
	key := rapid.IntRange(0, 9)
	life := rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.IntRange(-1, 20).Draw(t, "life")) })
	t.Repeat(map[string]func(*rapid.T){
		"": p.check,
		"put": func(t *rapid.T) {
			p.puts++
			k, l := key.Draw(t, "key"), life.Draw(t, "life")
			if p.find(k) == nil {
				p.added++
			}
			p.Put(k, p.puts, p.at(), l)
			p.put(k, p.puts, l)
		},
		"renew": func(t *rapid.T) {
			k, l := key.Draw(t, "key"), life.Draw(t, "life")
			v, ok := p.Renew(k, p.at(), l)
			p.same(t, "Renew", k, v, ok)
			if ok {
				p.put(k, v, l)
			}
		},
		"delete": func(t *rapid.T) {
			k := key.Draw(t, "key")
			v, ok := p.Delete(k, p.at())
			p.same(t, "Delete", k, v, ok)
			if p.delete(k); ok {
				p.added--
			}
		},
		"expire": func(t *rapid.T) {
			if p.Expire(p.at()); p.Len() != len(p.list) {
				t.Errorf("got %d entries after Expire, want %d", p.Len(), len(p.list))
			}
		},
		"pass": func(t *rapid.T) { p.tick(time.Duration(rapid.IntRange(0, 10).Draw(t, "time"))) },
	})
}

func (p *pair) same(t *rapid.T, method string, key, value int, ok bool) {
	e := p.find(key)
	if ok != (e != nil) || ok && value != e.value {
		t.Errorf("%s of %d: got %d, %v, want %+v", method, key, value, ok, e)
	}
}

// check compares all that can be asked.
func (p *pair) check(t *rapid.T) {
	for k := range 10 {
		v, ok := p.Get(k, p.at())
		p.same(t, "Get", k, v, ok)
	}
	if p.Len() < len(p.list) || p.max > 0 && p.Len() > p.max {
		t.Errorf("got %d entries, want at least %d and at most %d", p.Len(), len(p.list), p.max)
	}
	if got, want := len(p.evicted), p.added-p.Len(); got != want {
		t.Errorf("got %d evicted, want %d", got, want)
	}
	if got, want := p.Full(p.at()), p.max > 0 && len(p.list) >= p.max; got != want {
		t.Errorf("full: got %v, want %v", got, want)
	}
	if k, _, ok := p.Soonest(); p.Len() == len(p.list) && ok && k != p.soonest().key {
		t.Errorf("soonest: got %d, want %d", k, p.soonest().key)
	}
	for _, e := range p.list {
		if p.evicted[e.value] > 0 {
			t.Errorf("value %d of %d is alive, and was evicted: got %v, want none", e.value, e.key, p.evicted[e.value])
		}
	}
}

// TestModel: a map does what a list does that is searched for everything.
func TestModel(t *testing.T) { rapid.Check(t, compare) }

func FuzzModel(f *testing.F) { f.Fuzz(rapid.MakeFuzz(compare)) }
