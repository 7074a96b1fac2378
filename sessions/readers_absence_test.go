package sessions_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/sessions"
)

// absent is a webhook for what comes while no stream is open.
func absent(id string) sessions.NewReader {
	n := hook(id)
	n.Spec.When = perch.ReadDetached
	return n
}

// TestReaderOfTheAbsent: what such a reader gets, step by step. The steps are: n messages, "open" and "close" of a
// stream, "fail" and "work" of the receiver, "kill" of the process, and times that pass. What is in brackets
// has come by then, and nothing else has; the messages are numbered, other events are not counted.
func TestReaderOfTheAbsent(t *testing.T) {
	for name, steps := range map[string][]any{
		"nobody is there":               {2, "[1][2]"},
		"somebody is there":             {"open", 2, time.Hour, ""},
		"somebody has left":             {"open", 2, time.Minute, "close", 1, time.Second, 1, "", 4 * time.Second, "[3 4]", 1, "[5]"},
		"somebody comes back":           {"open", time.Minute, "close", 2, 4 * time.Second, "open", time.Hour, "close", time.Minute, ""},
		"comes back, and leaves":        {"open", time.Minute, "close", 2, 4 * time.Second, "open", 1, time.Second, "close", 1, 5 * time.Second, "[1 2 3 4]"},
		"left without a word":           {"open", 1, 6 * time.Second, 1, time.Second, 1, 3 * time.Second, "close", 5 * time.Second, "[2 3]"},
		"a short visit":                 {"fail", 1, "work", "open", time.Second, 1, "close", 5 * time.Second, "[1][2]"},
		"seen on a stream in between":   {"fail", 1, "work", "open", time.Minute, "close", time.Minute, ""},
		"killed while nobody was there": {"fail", 2, "kill", "work", 1, time.Hour, "[1][2 3]"},
		"killed while somebody was":     {"open", 2, "kill", 1, time.Minute, "[3]"},
		"killed after somebody left":    {"open", time.Minute, "close", 1, time.Second, "kill", 1, 6 * time.Second, "[1 2]"},
		"back after it was killed":      {"open", 2, "kill", 1, time.Second, "open", time.Minute, "close", time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := &receiver{}
			inWorld(t, func(w *world) {
				s := w.open()
				w.putReader(s, absent("a"))
				var stream *client
				n := 0
				for i, step := range steps {
					switch step := step.(type) {
					case int:
						for range step {
							n++
							w.sayBody(fmt.Sprint("m", n))
						}
					case time.Duration:
						pass(step)
					case string:
						switch step {
						case "open":
							stream = w.attach(s, sessions.SubscribeOptions{})
						case "close":
							stream.sub.Close()
							synctest.Wait()
						case "fail":
							c.answers(failing(500))
						case "work":
							c.next()
							c.answers(nil)
						case "kill":
							s = w.kill()
						default:
							if got := numbers(t, c.next()); got != step {
								t.Errorf("step %d: got %q, want %q", i, got, step)
							}
						}
					}
				}
			}, withReceiver(c))
		})
	}
}

// numbers are those of the messages of calls, each call in brackets.
func numbers(t tb, calls []*call) string {
	text := ""
	for _, k := range calls {
		var list []string
		for _, wire := range k.bodies {
			var m struct{ Data struct{ Body string } }
			must(t, "json.Unmarshal", json.Unmarshal([]byte(wire), &m))
			list = append(list, m.Data.Body[1:])
		}
		text += fmt.Sprint(list)
	}
	return text
}

// TestAbsenceIsWrittenOnce: that a stream is open is written when it opens and when it ends, and for nothing
// between; and not at all where no reader depends on it.
func TestAbsenceIsWrittenOnce(t *testing.T) {
	for _, detached := range []bool{true, false} {
		c := &receiver{}
		inWorld(t, func(w *world) {
			s := w.open()
			n := hook("a")
			if detached {
				n = absent("a")
			}
			n.Spec.Types = []string{"room.*"}
			w.putReader(s, n)
			writes := func() int {
				synctest.Wait()
				return w.store.count(func(c *sessions.Commit) bool { return !c.Readers.Empty() })
			}
			writes()
			first := w.attach(s, sessions.SubscribeOptions{})
			second := w.attach(s, sessions.SubscribeOptions{})
			w.say(s, 5)
			first.sub.Close()
			got := []int{writes()}
			second.sub.Close()
			got = append(got, writes())
			if want := map[bool]string{true: "[1 2]", false: "[0 0]"}[detached]; fmt.Sprint(got) != want {
				t.Errorf("detached %v: got %v writes with a stream and after it, want %s", detached, got, want)
			}
		}, withReceiver(c))
	}
}

// TestPutWhileAStreamIsOpen: a reader that is put while somebody is there waits like one that was there before.
func TestPutWhileAStreamIsOpen(t *testing.T) {
	c := &receiver{}
	inWorld(t, func(w *world) {
		s := w.open()
		w.putReader(s, hook("other"))
		stream := w.attach(s, sessions.SubscribeOptions{})
		w.putReader(s, absent("a"))
		n := hook("b")
		w.putReader(s, n)
		n.Spec.When = perch.ReadDetached
		w.putReader(s, n)
		pass(time.Minute)
		w.say(s, 1)
		pass(time.Minute)
		if calls := c.next(); len(calls) != 1 {
			t.Errorf("while a stream is open: got %d calls, want that of the other one", len(calls))
		}
		stream.sub.Close()
		pass(time.Minute)
		if calls := c.next(); len(calls) != 0 {
			t.Errorf("after it: got %s, want nothing: it was seen", offsets(calls))
		}
		w.say(s, 1)
		if calls := c.next(); len(calls) != 3 {
			t.Errorf("then: got %d calls, want one to each", len(calls))
		}
	}, withReceiver(c))
}
