package sessions

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// loginTimes runs logins that take a second each, all asked for at once, and returns when each began, in
// order, and how many were under way at the most.
func loginTimes(t *testing.T, q *loginQueue, n int) (begun []time.Duration, most int) {
	t.Helper()
	start, times, running := time.Now(), make(chan time.Duration, n), 0
	for range n {
		go func() {
			free, err := q.enter(t.Context())
			if err != nil {
				t.Errorf("enter: got error %v, want none", err)
				return
			}
			times <- time.Since(start)
			time.Sleep(time.Second)
			free()
		}()
		synctest.Wait() // in this order
		load, _ := q.load()
		most = max(most, load.Running)
	}
	for range n {
		begun = append(begun, <-times)
		synctest.Wait()
		load, _ := q.load()
		if running = load.Running; running > most {
			most = running
		}
	}
	time.Sleep(time.Second)
	synctest.Wait()
	if load, _ := q.load(); load != (LoginLoad{}) {
		t.Errorf("after all logins: got %+v, want none", load)
	}
	slices.Sort(begun)
	return begun, most
}

func seconds(s ...float64) (list []time.Duration) {
	for _, x := range s {
		list = append(list, time.Duration(x*float64(time.Second)))
	}
	return list
}

// TestLoginQueue: as many as may be at once, and in a second.
func TestLoginQueue(t *testing.T) {
	for name, c := range map[string]struct {
		limits loginLimits
		begun  []time.Duration
		most   int
	}{
		"at once":           {loginLimits{most: 2}, seconds(0, 0, 1, 1, 2), 2},
		"in a second":       {loginLimits{64, 2}, seconds(0, 0, 0.5, 1, 1.5), 3},
		"in two seconds":    {loginLimits{64, 0.5}, seconds(0, 2, 4), 1},
		"many in a second":  {loginLimits{64, 1000}, seconds(0, 0, 0, 0, 0), 5},
		"both, the first":   {loginLimits{1, 4}, seconds(0, 1, 2), 1},
		"both, the second":  {loginLimits{4, 1}, seconds(0, 1, 2), 1},
		"one after another": {loginLimits{most: 1}, seconds(0, 1, 2), 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, most := loginTimes(t, newLoginQueue(c.limits), len(c.begun))
				if !slices.Equal(begun, c.begun) || most != c.most {
					t.Errorf("got logins at %v, %d at once, want %v, %d", begun, most, c.begun, c.most)
				}
			})
		})
	}
}

// TestLoginQueueOfThoseWhoLeave: a login that is given up before its turn takes none, and one whose turn comes
// at that moment gives it back.
func TestLoginQueueOfThoseWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newLoginQueue(loginLimits{most: 1})
		free, err := q.enter(t.Context())
		if err != nil {
			t.Fatalf("enter: got error %v, want none", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		given := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := q.enter(ctx)
				given <- err
			}()
		}
		entered := make(chan error, 1)
		synctest.Wait()
		go func() {
			free, err := q.enter(t.Context())
			if err == nil {
				free()
			}
			entered <- err
		}()
		synctest.Wait()
		if load, _ := q.load(); load != (LoginLoad{Running: 1, Waiting: 4}) {
			t.Errorf("got %+v, want 1 under way and 4 that wait", load)
		}
		cancel()
		free()
		for range 3 {
			if err := <-given; err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("a login that was given up: got error %v, want %v", err, context.Canceled)
			} else if err == nil {
				q.leave()
			}
		}
		if err := <-entered; err != nil {
			t.Errorf("the login after them: got error %v, want none", err)
		}
		synctest.Wait()
		if load, _ := q.load(); load != (LoginLoad{}) {
			t.Errorf("in the end: got %+v, want none", load)
		}
	})
}

// TestLoginQueueChanges: another limit holds at once for those that wait, and who is under way stays.
func TestLoginQueueChanges(t *testing.T) {
	for name, c := range map[string]struct {
		first, then loginLimits
		begun       []time.Duration
	}{
		"more at once":      {loginLimits{most: 1}, loginLimits{most: 3}, seconds(0, 0.25, 0.25, 1)},
		"fewer at once":     {loginLimits{most: 3}, loginLimits{most: 1}, seconds(0, 0, 0, 1, 2)},
		"more in a second":  {loginLimits{64, 0.1}, loginLimits{64, 2}, seconds(0, 0.25, 0.25, 0.75)},
		"no rate any more":  {loginLimits{64, 0.1}, loginLimits{most: 64}, seconds(0, 0.25, 0.25, 0.25)},
		"fewer in a second": {loginLimits{64, 2}, loginLimits{64, 0.5}, seconds(0, 0, 0.25, 2.25)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newLoginQueue(c.first)
				time.AfterFunc(250*time.Millisecond, func() { q.limit(c.then) })
				if begun, _ := loginTimes(t, q, len(c.begun)); !slices.Equal(begun, c.begun) {
					t.Errorf("got logins at %v, want %v", begun, c.begun)
				}
			})
		})
	}
}

// TestLoginQueueTellsTheWait: how long one more would wait, by the rate.
func TestLoginQueueTellsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newLoginQueue(loginLimits{64, 0.5})
		for i, want := range seconds(0, 2, 4, 6) {
			if _, wait := q.load(); wait != want {
				t.Errorf("after %d logins: got a wait of %v, want %v", i, wait, want)
			}
			go func() {
				free, err := q.enter(t.Context())
				if err != nil {
					t.Errorf("enter: got error %v, want none", err)
					return
				}
				free()
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		if _, wait := newLoginQueue(loginLimits{most: 1}).load(); wait != 0 {
			t.Errorf("without a rate: got a wait of %v, want none", wait)
		}
	})
}

// TestLoginQueueGivesTheStepBack: who leaves at the moment of his turn leaves it to the next one, with its step of
// the rate.
func TestLoginQueueGivesTheStepBack(t *testing.T) {
	for range 1000 {
		q := newLoginQueue(loginLimits{most: 1, rate: 0.001})
		q.running = 1 // another one is under way, so that this one waits
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			free, err := q.enter(ctx)
			if err == nil {
				free()
			}
			left <- err
		}()
		for waiting := 0; waiting == 0; {
			load, _ := q.load()
			waiting = load.Waiting
		}
		q.mu.Lock()
		cancel()
		q.running = 0
		q.serve()
		q.mu.Unlock()
		if err := <-left; err == nil {
			continue // it had its turn first
		}
		q.mu.Lock()
		wait := q.untilNext(time.Now())
		q.mu.Unlock()
		if wait > 0 || q.running != 0 {
			t.Errorf("the next login waits for %v with %d under way, want it to begin at once", wait, q.running)
		}
		return
	}
	t.Error("got a turn for each of 1000 who leave at that moment, want one to leave before it")
}
