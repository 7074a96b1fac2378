package sessions

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// turns is a dispatcher whose turns end when the test says so.
type turns struct {
	d     *dispatcher
	mu    sync.Mutex
	begun []string
	end   map[string]chan struct{}
}

func newTurns() *turns { return &turns{d: newDispatcher(), end: map[string]chan struct{}{}} }

// add queues a turn of a session at a host, under a name.
func (x *turns) add(session, host, name string) *ticket {
	end := make(chan struct{})
	x.mu.Lock()
	x.end[name] = end
	x.mu.Unlock()
	t, _ := x.d.enqueue(ID(session), host, func() {
		x.mu.Lock()
		x.begun = append(x.begun, name)
		x.mu.Unlock()
		<-end
	})
	return t
}

func (x *turns) finish(names ...string) {
	for _, name := range names {
		synctest.Wait()
		x.mu.Lock()
		close(x.end[name])
		x.mu.Unlock()
		synctest.Wait()
	}
}

// next are the turns that have begun since it was called last. Those that begin at once have no order.
func (x *turns) next() []string {
	synctest.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	list := x.begun
	x.begun = nil
	slices.Sort(list)
	return list
}

func (x *turns) want(t *testing.T, running, waiting int, begun string) {
	t.Helper()
	got := strings.Join(x.next(), " ")
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	if x.d.running != running || x.d.waiting != waiting || got != begun {
		t.Errorf("got %d running, %d waiting, begun %q, want %d, %d, %q", x.d.running, x.d.waiting, got, running, waiting, begun)
	}
}

// empty fails unless nothing is left of what was queued.
func (x *turns) empty(t *testing.T) {
	t.Helper()
	x.d.close()
	if len(x.d.hosts)+len(x.d.sessions)+x.d.ready.Len()+x.d.running+x.d.waiting != 0 {
		t.Errorf("got hosts %v, sessions %v, %d ready, %d running, %d waiting, want nothing left", x.d.hosts, x.d.sessions, x.d.ready.Len(), x.d.running, x.d.waiting)
	}
}

// TestDispatcherLimits: as many as the limits of docs/operations.md say, and one more when one ends.
func TestDispatcherLimits(t *testing.T) {
	for name, tt := range map[string]struct {
		most          int
		session, host func(int) string
	}{
		"of a host":    {32, func(i int) string { return fmt.Sprint("s", i) }, func(int) string { return "h" }},
		"of a session": {4, func(int) string { return "s" }, func(i int) string { return fmt.Sprint("h", i) }},
		"of a node":    {128, func(i int) string { return fmt.Sprint("s", i) }, func(i int) string { return fmt.Sprint("h", i%10) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newTurns()
				n := tt.most + 20
				for i := range n {
					x.add(tt.session(i), tt.host(i), fmt.Sprint(i))
				}
				done := map[string]bool{}
				for len(done) < n {
					for _, name := range x.next() {
						done[name] = true
					}
					x.d.mu.Lock()
					running, waiting := x.d.running, x.d.waiting
					x.d.mu.Unlock()
					if want := min(tt.most, n-len(done)+running); running != want || waiting != n-len(done) {
						t.Fatalf("after %d: got %d running, %d waiting, want %d, %d", len(done), running, waiting, want, n-len(done))
					}
					for name := range done {
						if x.end[name] != nil {
							x.finish(name)
							x.end[name] = nil
							break
						}
					}
				}
				for name := range done {
					if x.end[name] != nil {
						x.finish(name)
					}
				}
				x.empty(t)
			})
		})
	}
}

// TestDispatcherIsFair: a host that has many waiting holds up none of the others, and within one it is first come,
// first served.
func TestDispatcherIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTurns()
		for i := range 128 { // the node is full
			x.add(fmt.Sprint("s", i), fmt.Sprint("h", i%4), fmt.Sprint("f", i))
		}
		x.next()
		for i := range 50 {
			x.add(fmt.Sprint("a", i), "slow", fmt.Sprintf("slow%02d", i))
		}
		x.add("b", "other", "other1")
		x.add("b", "other", "other2")
		for i, want := range []string{"slow00", "other1", "slow01", "other2", "slow02", "slow03"} {
			x.finish(fmt.Sprint("f", i))
			x.want(t, 128, 51-i, want)
		}
		for i := 6; i < 128; i++ {
			x.finish(fmt.Sprint("f", i))
		}
		x.want(t, 34, 18, strings.Join(names("slow", 4, 32), " "))
		x.finish("other1", "other2")
		x.finish(names("slow", 0, 50)...)
		x.empty(t)
	})
}

func names(prefix string, from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf("%s%02d", prefix, i))
	}
	return list
}

// TestDispatcherWithdraws: who is withdrawn leaves nothing behind, wherever it waits.
func TestDispatcherWithdraws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTurns()
		var list []*ticket
		for i := range 40 {
			list = append(list, x.add(fmt.Sprint("s", i), "h", fmt.Sprintf("h%02d", i)))
		}
		for i := range 6 {
			list = append(list, x.add("s", fmt.Sprint("x", i), fmt.Sprint("p", i)))
		}
		x.want(t, 36, 10, strings.Join(append(names("h", 0, 32), "p0", "p1", "p2", "p3"), " "))
		for i, want := range map[int]bool{0: false, 33: true, 40: false, 44: true} {
			if got := list[i].withdraw(); got != want {
				t.Errorf("withdraw %d: got %v, want %v", i, got, want)
			}
			if list[i].withdraw() {
				t.Errorf("withdraw %d again: got true, want false", i)
			}
		}
		x.want(t, 36, 8, "")
		x.finish("p0")
		x.want(t, 36, 7, "p5")
		x.finish("h00", "h01")
		x.want(t, 36, 5, "h32 h34")
		for _, i := range []int{35, 36, 37, 38, 39} {
			list[i].withdraw()
		}
		x.finish(append(names("h", 2, 33), "h34", "p1", "p2", "p3", "p5")...)
		x.empty(t)
	})
}

// TestDispatcherCloses: it waits for what is under way, and takes no more.
func TestDispatcherCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTurns()
		x.add("s", "h", "one")
		synctest.Wait()
		begun := time.Now()
		go func() { time.Sleep(time.Second); x.finish("one") }()
		x.d.close()
		if got := time.Since(begun); got != time.Second {
			t.Errorf("closed after %v, want that of what was under way, %v", got, time.Second)
		}
		if _, ok := x.d.enqueue("s", "h", func() {}); ok {
			t.Error("enqueue after close: got true, want false")
		}
	})
}

// TestHostOf: the limit of a host counts one host once.
func TestHostOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://A.example/x?y": "a.example", "https://a.example:8443/": "a.example", "https://user@a.example": "a.example", "https://[::1]:1/": "::1", "%": "", "": "",
	} {
		if got := hostOf(address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
}
