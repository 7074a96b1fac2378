package api

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestRefusalLines(t *testing.T) {
	l, now := newRefusalLines(), time.Now()
	var got []int
	for range 1000 {
		if n, write := l.count("a", now); write {
			got = append(got, n)
		}
	}
	if want := []int{1, 2, 3, 4, 5, 10, 20, 40, 80, 160, 320, 640}; !slices.Equal(got, want) {
		t.Errorf("got lines at %v, want at %v", got, want)
	}
	if n, write := l.count("b", now); n != 1 || !write {
		t.Errorf("another address: got %d, %v, want 1 and a line", n, write)
	}
	if n, write := l.count("a", now.Add(refusalWindow)); n != 1 || !write {
		t.Errorf("a minute later: got %d, %v, want 1 and a line", n, write)
	}
	for i := range maxRefusalRows + 100 {
		l.count(fmt.Sprint("address ", i), now)
	}
	if n := l.rows.Len(); n > maxRefusalRows {
		t.Errorf("got %d addresses, want at most %d", n, maxRefusalRows)
	}
}
