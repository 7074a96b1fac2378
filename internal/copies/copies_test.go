package copies_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/perch-im/perch/internal/copies"
)

type pair struct{ a, b string }

// TestOne: equal values are one, and others are not.
func TestOne(t *testing.T) {
	c := copies.Of[pair]{Max: 10}
	first, again, other := c.One(pair{"x", "y"}), c.One(pair{"x", "y"}), c.One(pair{"x", "z"})
	if first != again || *first != (pair{"x", "y"}) {
		t.Errorf("an equal value: got another one, %v, want the first", *again)
	}
	if first == other || *other != (pair{"x", "z"}) {
		t.Errorf("another value: got %v, want it", *other)
	}
}

// TestOneIsBounded: what is kept is the last ones, and what somebody has stays as it is.
func TestOneIsBounded(t *testing.T) {
	for _, most := range []int{0, 1, 3, 20} {
		c := copies.Of[int]{Max: most}
		var list []*int
		for i := range 100 {
			list = append(list, c.One(i))
		}
		kept := max(most, 1)
		for i := 100 - kept; i < 100; i++ {
			if c.One(i) != list[i] {
				t.Errorf("a table of %d: got another %d, want that of before", most, i)
			}
		}
		if c.One(0) == list[0] || *list[0] != 0 {
			t.Errorf("a table of %d: got the first value kept, want it forgotten", most)
		}
	}
}

func same(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }

// TestTexts: equal texts are one piece of memory, within both bounds, and nothing is kept of what was given.
func TestTexts(t *testing.T) {
	c := copies.Texts{Max: 3, MaxBytes: 10}
	given := []byte("abc")
	first := c.One(given)
	given[0] = 'x'
	if again := c.One([]byte("abc")); first != "abc" || !same(first, again) {
		t.Errorf("an equal text: got %q and another %q, want one", first, again)
	}
	if long := strings.Repeat("l", 11); c.One([]byte(long)) != long || same(c.One([]byte(long)), c.One([]byte(long))) {
		t.Error("a text over the bound: got one that is shared, want it as it is")
	}
	if again := c.One([]byte("abc")); !same(first, again) {
		t.Error("after it: got another abc, want the first")
	}
	c.One([]byte("12345678"))
	if again := c.One([]byte("abc")); same(first, again) {
		t.Error("over the bound of bytes: got the first abc, want it forgotten")
	}
	for i := range 3 {
		c.One([]byte{'n', byte('0' + i)})
	}
	second := c.One([]byte("n0"))
	c.One([]byte("n9"))
	if again := c.One([]byte("n0")); same(second, again) {
		t.Error("over the bound of texts: got the oldest, want it forgotten")
	}
}

// TestManyAtOnce: what many give at the same time is one.
func TestManyAtOnce(t *testing.T) {
	values, texts := copies.Of[pair]{Max: 100}, copies.Texts{Max: 100, MaxBytes: 1 << 20}
	var wg sync.WaitGroup
	got := make([]*pair, 50)
	for i := range got {
		wg.Go(func() {
			for n := range 100 {
				v := pair{fmt.Sprint(n), "x"}
				got[i] = values.One(v)
				if text := texts.One([]byte(v.a)); text != v.a {
					t.Errorf("got %q, want %q", text, v.a)
				}
			}
		})
	}
	wg.Wait()
	for _, v := range got {
		if v != got[0] {
			t.Fatalf("got %v and %v, want one", v, got[0])
		}
	}
}

// BenchmarkOne is what a session pays for a text that another one has given.
func BenchmarkOne(b *testing.B) {
	c := copies.Texts{Max: 1000, MaxBytes: 1 << 20}
	text := []byte(strings.Repeat("m", 500))
	b.ReportAllocs()
	for b.Loop() {
		c.One(text)
	}
}
