package cache_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/sessions"
)

// TestReplacedBindingRows: during a rolling upgrade nodes of before share the rows. They know a
// replaced credential by what is in place of the sealed one, and that alone.
func TestReplacedBindingRows(t *testing.T) {
	w := mini(t)
	r := w.open(t, cache.RedisOptions{})
	if err := w.client.Set(t.Context(), "perch:token:old", `{"id":"a1","upstream":"up","jid":"","sealed":"AA=="}`, 0).Err(); err != nil {
		t.Fatalf("SET got error %v, want none", err)
	}
	b, err := r.Lookup(t.Context(), "old")
	if err != nil || !b.Replaced || b.Sealed != nil {
		t.Errorf("Lookup of a row of before = %+v, %v; want it replaced and without a credential", b, err)
	}
	if _, err := r.Bind(t.Context(), "new", sessions.Binding{ID: "a1", Upstream: "up", Replaced: true}); err != nil {
		t.Fatalf("Bind got error %v, want none", err)
	}
	row, err := w.client.Get(t.Context(), "perch:token:new").Result()
	if err != nil || !strings.Contains(row, `"sealed":"AA=="`) {
		t.Errorf("the row is %s, %v; want the sign in it that nodes of before know", row, err)
	}
}

// TestRestrictedRows: nodes of before, which know of no restriction, take a restricted token for a replaced
// credential, and a restricted ticket for none.
func TestRestrictedRows(t *testing.T) {
	w := mini(t)
	r := w.open(t, cache.RedisOptions{})
	b := sessions.Binding{ID: "a1", Upstream: "up", Minted: true, Sealed: []byte{4, 5}, Token: &sessions.TokenRecord{
		ID: "r1", Created: 5, Made: true, Grant: perch.Grant{Scopes: []perch.Scope{perch.ScopeRead}}}}
	if _, err := r.Bind(t.Context(), "made", b); err != nil {
		t.Fatalf("Bind got error %v, want none", err)
	}
	row, err := w.client.Get(t.Context(), "perch:token:made").Result()
	if err != nil || !strings.Contains(row, `"sealed":"AA=="`) || !strings.Contains(row, `"replaced":true`) {
		t.Errorf("the row is %s, %v; want both signs of a replaced credential in it", row, err)
	}
	if err := r.PutTicket(t.Context(), "h1", sessions.Ticket{Session: "a1", Token: "r1", Restricted: true}, time.Minute); err != nil {
		t.Fatalf("PutTicket got error %v, want none", err)
	}
	row, err = w.client.Get(t.Context(), "perch:ticket:h1").Result()
	if err != nil || !strings.Contains(row, `"session":""`) {
		t.Errorf("the ticket is %s, %v; want no session where nodes of before look for it", row, err)
	}
}

// TestTicketRowUnread: what is no ticket is an error, and no fault of the process.
func TestTicketRowUnread(t *testing.T) {
	w := mini(t)
	r := w.open(t, cache.RedisOptions{})
	for _, row := range []string{"no JSON", "[]", "{}"} {
		if err := w.client.Set(t.Context(), "perch:ticket:h1", row, 0).Err(); err != nil {
			t.Fatalf("SET got error %v, want none", err)
		}
		if k, err := r.TakeTicket(t.Context(), "h1"); perch.KindOf(err) != perch.KindInternal {
			t.Errorf("TakeTicket of %q = %+v, %v; want an error of kind %s", row, k, err, perch.KindInternal)
		}
	}
}

// cutter fails every command to Redis after the first few.
type cutter struct {
	left   int // before it does; negative: it does not
	cancel context.CancelFunc
}

var errCut = errors.New("cut off")

func (c *cutter) cut() bool {
	if c.left != 0 {
		c.left--
		return false
	}
	c.cancel() // nothing is tried again
	return true
}

func (*cutter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *cutter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.cut() {
			return errCut
		}
		return next(ctx, cmd)
	}
}

func (c *cutter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if c.cut() {
			return errCut
		}
		return next(ctx, cmds)
	}
}

// TestRebindCutOff cuts Rebind off after each of its steps: the token leads to its session all the time, by
// one name or the other, and all is done when it is repeated.
func TestRebindCutOff(t *testing.T) {
	steps := 0
	for ; ; steps++ {
		w := mini(t)
		s := w.open(t, cache.RedisOptions{})
		b := sessions.Binding{ID: "s1", Upstream: "u", Minted: true}
		for _, token := range []string{"m1", "m2"} {
			if _, err := s.Bind(t.Context(), token, b); err != nil {
				t.Fatalf("Bind(%s): got error %v, want none", token, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		c := &cutter{steps, cancel}
		s.Client().AddHook(c)
		cut := s.Rebind(ctx, "m1", "n1", b)
		c.left = -1
		leads := func(token string) bool { got, err := s.Lookup(t.Context(), token); return err == nil && got.ID == "s1" }
		if !leads("m1") && !leads("n1") {
			t.Errorf("after %d steps: neither name leads to the session, want one", steps)
		}
		if err := s.Rebind(t.Context(), "m1", "n1", b); err != nil {
			t.Errorf("repeated after %d steps: got error %v, want none", steps, err)
		}
		if leads("m1") || !leads("n1") {
			t.Errorf("repeated after %d steps: got the old name leading there %v, the new one %v, want the new one alone", steps, leads("m1"), leads("n1"))
		}
		if got, err := w.client.ZRange(t.Context(), "perch:{s1}:minted", 0, -1).Result(); err != nil || !slices.Equal(got, []string{"n1", "m2"}) {
			t.Errorf("repeated after %d steps: got %q minted, error %v, want n1 in the place of m1", steps, got, err)
		}
		if got, err := w.client.SMembers(t.Context(), "perch:{s1}:tokens").Result(); err != nil || len(got) != 2 {
			t.Errorf("repeated after %d steps: got the tokens %q, error %v, want 2", steps, got, err)
		}
		if cut == nil {
			break
		}
	}
	if steps < 4 {
		t.Errorf("got %d steps, want all of Rebind", steps)
	}
}
