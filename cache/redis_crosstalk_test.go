package cache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// crosstalk reads of many sessions at once, under deadlines that often end before the answer,
// and reports every answer that belongs to another session (as by CVE-2025-29923: a connection
// goes back to the pool with an answer still to come, and the next caller reads it).
type crosstalk struct {
	store    sessions.Store
	sessions int
	answered atomic.Int64
	given    atomic.Int64 // operations whose context had ended first
	mu       sync.Mutex
	wrong    []string
}

const crosstalkCard = perch.JID("bob@example.net")

// fill gives every session a card, a log and a token that say whose they are.
func (c *crosstalk) fill(t *testing.T, r *cache.Redis) {
	t.Helper()
	for n := range c.sessions {
		id := sessions.ID(fmt.Sprintf("s%03d", n))
		o := own(t, r, id)
		o.ok(&sessions.Commit{
			Events: o.event(1, string(id)), Record: &sessions.Record{},
			VCards: sessions.Delta[perch.VCard]{Put: []*perch.VCard{{JID: crosstalkCard, FullName: string(id)}}},
		})
		if _, err := r.Bind(t.Context(), "token-"+string(id), sessions.Binding{ID: id}); err != nil {
			t.Fatalf("r.Bind: got error %v, want none", err)
		}
	}
}

// one asks for something of one session, and looks whose it is.
func (c *crosstalk) one(ctx context.Context, r *rand.Rand) {
	id := sessions.ID(fmt.Sprintf("s%03d", r.IntN(c.sessions)))
	wait := 5 * time.Second
	if r.IntN(3) == 0 { // gives up before the answer, or beside it
		wait = time.Duration(r.IntN(30_000)) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if r.IntN(4) == 0 { // hangs up in the middle
		defer time.AfterFunc(time.Duration(r.IntN(10_000))*time.Microsecond, cancel).Stop()
	}
	got, what := "", ""
	var err error
	switch r.IntN(3) {
	case 0:
		var card *perch.VCard
		if card, err = c.store.VCard(ctx, id, crosstalkCard); err == nil {
			what, got = "card", card.FullName
		}
	case 1:
		var b sessions.Binding
		if b, err = c.store.Lookup(ctx, "token-"+string(id)); err == nil {
			what, got = "token", string(b.ID)
		}
	default:
		var page sessions.LogPage
		if page, err = c.store.Log(ctx, id, 0, 10); err == nil && len(page.Events) == 1 && strings.Contains(string(page.Events[0].Wire), `"`+string(id)+`"`) {
			what, got = "log", string(id)
		}
	}
	switch {
	case perch.KindOf(err) == perch.KindNotFound: // "not there" is an answer too, and a wrong one
		c.found("%s: %v", id, err)
	case err != nil:
		c.given.Add(1)
	case got != string(id):
		c.found("%s: the %s of %q", id, what, got)
	default:
		c.answered.Add(1)
	}
}

func (c *crosstalk) found(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// run asks so many times, or until ctx ends.
func (c *crosstalk) run(ctx context.Context, operations int) {
	var left atomic.Int64
	left.Store(int64(operations))
	var wg sync.WaitGroup
	for worker := range 32 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(11, uint64(worker)))
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				c.one(context.Background(), r)
			}
		})
	}
	wg.Wait()
}

// TestRedisAnswersReachTheirCallers asks for ten seconds at the most; CROSSTALK_OPERATIONS
// names a number, such as a million, that is done whatever it takes.
func TestRedisAnswersReachTheirCallers(t *testing.T) {
	operations, ctx := 100_000, t.Context()
	if n, err := strconv.Atoi(os.Getenv("CROSSTALK_OPERATIONS")); err == nil {
		operations = n
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
	}
	server := testkit.Redis(t, testkit.RedisOptions{})
	proxy := testkit.NewProxy(t, server.Addr)
	w := &world{url: "redis://" + proxy.Addr}
	store := w.open(t, cache.RedisOptions{Timeout: 300 * time.Millisecond, RetryFor: time.Second})
	quick := (&world{url: server.URL()}).open(t, cache.RedisOptions{})
	c := &crosstalk{store: store, sessions: 200}
	c.fill(t, quick)
	proxy.Toxic(t, "latency", "downstream", map[string]any{"latency": 6, "jitter": 6})
	c.run(ctx, operations)
	for _, w := range c.wrong {
		t.Errorf("got %v, want none", w)
	}
	t.Logf("%d answers, %d given up", c.answered.Load(), c.given.Load())
	if c.answered.Load() < 100 || c.given.Load() < 100 {
		t.Errorf("%d answers and %d given up: want many of both", c.answered.Load(), c.given.Load())
	}
}

// mixed answers now and then with what another caller has asked for.
type mixed struct {
	sessions.Store
	calls atomic.Int64
}

func (m *mixed) Lookup(ctx context.Context, token string) (sessions.Binding, error) {
	if m.calls.Add(1)%50 == 0 {
		token = "token-s000"
	}
	return m.Store.Lookup(ctx, token)
}

// TestCrosstalkIsFound shows that the check can fail.
func TestCrosstalkIsFound(t *testing.T) {
	store := mini(t).open(t, cache.RedisOptions{})
	c := &crosstalk{store: &mixed{Store: store}, sessions: 20}
	c.fill(t, store)
	c.run(t.Context(), 2_000)
	if len(c.wrong) == 0 {
		t.Errorf("answers of another session were not found: got %v, want more than 0", len(c.wrong))
	}
}
