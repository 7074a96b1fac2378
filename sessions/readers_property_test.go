package sessions_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// absences is a session with a webhook that gets everything and one for what comes while no stream is open, and
// what is known of both.
type absences struct {
	*world
	rt   *rapid.T
	c    *receiver
	s    *sessions.Session
	open []*client

	said   int
	unseen map[int]bool // messages that came while none was open, which the other webhook has to get
	calls  []*call
}

// steps are what may happen, by chance.
func (x *absences) steps() map[string]func() {
	return map[string]func(){
		"message": func() {
			for range rapid.IntRange(1, 3).Draw(x.rt, "messages") {
				x.message()
			}
		},
		"time":  func() { pass(time.Duration(rapid.IntRange(1, 12_000).Draw(x.rt, "ms")) * time.Millisecond) },
		"later": func() { pass(time.Duration(rapid.IntRange(1, 90).Draw(x.rt, "minutes")) * time.Minute) },
		"open": func() {
			x.open = append(x.open, x.attach(x.s, sessions.SubscribeOptions{}))
			clear(x.unseen) // the stream has them
		},
		"close": func() {
			if n := len(x.open); n > 0 {
				x.open[n-1].sub.Close()
				x.open = x.open[:n-1]
				synctest.Wait()
			}
		},
		"fail": func() { x.c.answers(failing(500)) },
		"work": func() { x.c.answers(nil) },
		"hang": func() {
			release := x.c.hold()
			x.message()
			pass(time.Second)
			if rapid.Bool().Draw(x.rt, "killed while it hangs") {
				x.killed()
			}
			release()
			synctest.Wait()
		},
		"kill":  x.killed,
		"drain": x.drained,
	}
}

func (x *absences) message() {
	x.said++
	x.sayBody(fmt.Sprint("m", x.said))
	if len(x.open) == 0 {
		x.unseen[x.said] = true
	}
}

// killed ends the process. What came to the webhook meanwhile counts as well.
func (x *absences) killed() {
	x.calls = append(x.calls, x.c.next()...)
	x.open = nil
	x.s = x.kill()
}

func (x *absences) drained() {
	x.open = nil
	x.close()
	x.start()
	x.s = x.world.open()
}

// check compares what has come with what had to.
func (x *absences) check() {
	for len(x.open) > 0 {
		x.steps()["close"]()
	}
	x.c.answers(nil)
	pass(30 * time.Minute)
	x.calls = append(x.calls, x.c.next()...)
	content, arrived := map[string]string{}, map[string]bool{}
	got := map[string][]int{}
	for _, k := range x.calls {
		text := k.toward + k.reset + strings.Join(k.bodies, "")
		if before, ok := content[k.id]; ok && before != text {
			x.rt.Errorf("the ID %s: got other content than before, want the same", k.id)
		}
		if content[k.id] = text; !k.arrived || arrived[k.id] {
			continue
		}
		arrived[k.id] = true
		for _, wire := range k.bodies {
			var m struct{ Data struct{ Body string } }
			must(x.rt, "json.Unmarshal", json.Unmarshal([]byte(wire), &m))
			var n int
			fmt.Sscanf(m.Data.Body, "m%d", &n)
			got[k.toward] = append(got[k.toward], n)
		}
	}
	var want []int
	for n := range x.said {
		want = append(want, n+1)
	}
	if !slices.Equal(got["all"], want) {
		x.rt.Errorf("the webhook for everything: got the messages %v, but for repeats, want %v", got["all"], want)
	}
	if !slices.IsSorted(got["away"]) {
		x.rt.Errorf("the webhook for the absent: got the messages %v, want them in order", got["away"])
	}
	for n := range x.unseen {
		if !slices.Contains(got["away"], n) {
			x.rt.Errorf("the webhook for the absent: got the messages %v, want %d among them", got["away"], n)
		}
	}
}

// TestReadersLoseNothing: for any history of messages, streams, crashes and failures one webhook gets every
// message in order, each again only under the same ID and with the same content, and the other one gets
// every message that came while no stream was open, and that none has had since.
func TestReadersLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(rt *rapid.T) {
			c := &receiver{}
			keep := cache.NewMemory(cache.MemoryOptions{Retention: sessions.Retention{Age: 1000 * time.Hour}})
			w := newWorld(rt, withReceiver(c), durable, func(o *sessions.Options) { o.Store.(*store).Store = keep })
			defer func() { w.close() }()
			x := &absences{world: w, rt: rt, c: c, s: w.open(), unseen: map[int]bool{}}
			x.putReader(x.s, hook("all"))
			x.putReader(x.s, absent("away"))
			steps := x.steps()
			names := slices.Sorted(maps.Keys(steps))
			for range rapid.IntRange(3, 30).Draw(rt, "steps") {
				steps[rapid.SampledFrom(names).Draw(rt, "step")]()
			}
			x.check()
		})
	})
}
