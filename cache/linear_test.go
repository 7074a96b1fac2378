package cache_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/cache"
	"github.com/perch-im/perch/internal/testkit"
	"github.com/perch-im/perch/sessions"
)

// A session as a sequential machine: who owns it, how long its log is, which idempotency keys
// were answered how, and what the last commit says of a room and of a
// cursor. What three nodes do at once, over
// links that lose answers, must be explained by some order of single steps.
type linearState struct {
	fence, tip uint64
	room       string // what the last commit says of a room, and the cursor of a reader
	fenced     bool   // by an Open whose answer was lost, and which is asked again
	keys       [4]string
}

type linearInput struct {
	op     string // open, commit, read
	id     sessions.ID
	fence  uint64
	first  uint64
	key    int
	answer string
}

type linearOutput struct {
	word       string // ok, fenced, order, exists, unknown
	fence, tip uint64
	answer     string
	room       string
}

// linearStep gives the states that may follow; none: the answer was wrong.
func linearStep(st linearState, in linearInput, out linearOutput) []linearState {
	next := st
	switch in.op {
	case "open":
		if out.word == "unknown" {
			next.fenced = true
			return []linearState{st, next}
		}
		next.fence, next.fenced = out.fence, false
		if out.fence > st.fence && out.tip == st.tip && out.room == st.room {
			return []linearState{next}
		}
	case "read":
		if out.word == "unknown" || out.tip == st.tip {
			return []linearState{st}
		}
	case "commit":
		next.tip, next.room, next.keys[in.key] = in.first, in.answer, in.answer
		word := "ok"
		switch {
		case in.fence != st.fence || st.fenced:
			word = "fenced"
		case in.first != st.tip+1:
			word = "order"
		case st.keys[in.key] != "":
			word = "exists"
		}
		switch {
		case out.word == "fenced" && in.fence == st.fence && word == "ok":
			// Nothing more is taken from this owner, ever; or it was applied, the answer was lost,
			// and another one had opened the session before it was repeated.
			st.fenced = true
			return []linearState{st, next}
		case out.word == "fenced" && in.fence == st.fence:
			st.fenced = true
			return []linearState{st}
		case out.word == "unknown" && word == "ok":
			return []linearState{st, next}
		case out.word == "unknown":
			return []linearState{st}
		case out.word == word && word == "ok":
			return []linearState{next}
		case out.word == word && (word != "exists" || out.answer == st.keys[in.key]):
			return []linearState{st}
		}
	}
	return nil
}

var linearModel = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{linearState{}} },
	Step: func(st, in, out any) []any {
		var all []any
		for _, next := range linearStep(st.(linearState), in.(linearInput), out.(linearOutput)) {
			all = append(all, next)
		}
		return all
	},
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[sessions.ID][]porcupine.Operation{}
		for _, op := range history {
			id := op.Input.(linearInput).id
			parts[id] = append(parts[id], op)
		}
		var all [][]porcupine.Operation
		for _, p := range parts {
			all = append(all, p)
		}
		return all
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}).ToModel()

// linearHistory has what all workers did.
type linearHistory struct {
	mu    sync.Mutex
	begun time.Time
	ops   []porcupine.Operation
}

func (h *linearHistory) do(worker int, in linearInput, f func() linearOutput) linearOutput {
	call := time.Since(h.begun).Nanoseconds()
	out := f()
	back := time.Since(h.begun).Nanoseconds()
	if out.word == "unknown" {
		back = 1 << 62 // it may be done at any later time
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: worker, Input: in, Output: out, Call: call, Return: back})
	return out
}

// work takes sessions over, writes to them until it is fenced off, and looks at their logs.
func (h *linearHistory) work(t *testing.T, worker int, s *cache.Redis, n int) {
	r := rand.New(rand.NewPCG(7, uint64(worker)))
	owned := map[sessions.ID]*sessions.Saved{}
	for i := range n {
		id := sessions.ID(fmt.Sprint("a", r.IntN(2)))
		in := linearInput{op: "commit", id: id, key: r.IntN(4), answer: fmt.Sprint(worker, "-", i)}
		o := owned[id]
		switch c := r.IntN(10); {
		case o == nil || c == 0:
			in.op = "open"
			h.do(worker, in, func() (out linearOutput) {
				saved, err := s.Open(t.Context(), id, sessions.OpenOptions{})
				if owned[id] = saved; err != nil {
					return linearOutput{word: "unknown"}
				}
				room := ""
				for _, r := range saved.Rooms {
					room += r.Text
				}
				reader := ""
				for _, r := range saved.Readers {
					reader += r.By
				}
				if reader != room {
					room = "a cursor of another commit"
				}
				return linearOutput{word: "ok", fence: saved.Fence, tip: saved.Tip, room: room}
			})
		case c == 1:
			in.op = "read"
			h.do(worker, in, func() linearOutput {
				page, err := s.Log(t.Context(), id, 0, 0)
				if err != nil {
					return linearOutput{word: "unknown"}
				}
				return linearOutput{word: "ok", tip: page.Tip}
			})
		default:
			in.fence, in.first = o.Fence, o.Tip+1
			switch out := h.do(worker, in, func() linearOutput { return linearCommit(s, o, in) }); out.word {
			case "ok":
				o.Tip++
			case "exists":
			default:
				delete(owned, id)
			}
		}
	}
}

func linearCommit(s *cache.Redis, o *sessions.Saved, in linearInput) linearOutput {
	e := perch.NewEvent(perch.Position{Epoch: o.Epoch, Offset: in.first}, perch.EventMessageReceived, 1, perch.Message{Body: in.answer})
	ch := make(chan sessions.Result, 1)
	room := &sessions.StoredRoom{JID: "r@muc.x", Text: in.answer}
	s.Commit(in.id, &sessions.Commit{Fence: o.Fence, Epoch: o.Epoch, Events: []*perch.Event{e},
		Rooms: sessions.Delta[sessions.StoredRoom]{Put: []*sessions.StoredRoom{room}},
		Readers: sessions.Delta[sessions.StoredReader]{Put: []*sessions.StoredReader{
			{Kind: perch.WebhookReader, ID: "a", By: in.answer, Cursor: e.Position}}},
		Once: &sessions.Once{Key: fmt.Sprint("k", in.key), Answer: in.answer}}, func(r sessions.Result) { ch <- r })
	switch r := <-ch; {
	case errors.Is(r.Err, sessions.ErrFenced):
		return linearOutput{word: "fenced"}
	case errors.Is(r.Err, sessions.ErrOrder):
		return linearOutput{word: "order"}
	case r.Err != nil:
		return linearOutput{word: "unknown"}
	case r.Existing != nil:
		return linearOutput{word: "exists", answer: r.Existing.Answer}
	}
	return linearOutput{word: "ok"}
}

// linearRun lets three nodes with two workers each at two sessions, while their links to Redis
// lose answers and break, and reports whether some order explains what they saw.
func linearRun(t *testing.T, plant ...string) porcupine.CheckResult {
	server := testkit.Redis(t, testkit.RedisOptions{})
	w := &world{url: server.URL()}
	h := &linearHistory{begun: time.Now()}
	var workers sync.WaitGroup
	var links []*testkit.Proxy
	for node := range 3 {
		p := testkit.NewProxy(t, server.Addr)
		links = append(links, p)
		s := w.open(t, cache.RedisOptions{URL: strings.Replace(server.URL(), server.Addr, p.Addr, 1), RetryFor: 20 * time.Second})
		s.Plant(t, plant...)
		for k := range 2 {
			workers.Go(func() { h.work(t, 2*node+k, s, 60) })
		}
	}
	ended := make(chan struct{})
	go func() { workers.Wait(); close(ended) }()
	for i := 0; ; i++ {
		heal := links[i%len(links)].Toxic(t, "limit_data", "downstream", map[string]any{"bytes": 40 * (i % 7)})
		select {
		case <-ended:
			heal()
			return porcupine.CheckOperationsTimeout(linearModel, h.ops, time.Minute)
		case <-time.After(30 * time.Millisecond):
		}
		heal()
	}
}

// TestRedisIsLinearizable: three nodes at the same sessions see one history.
func TestRedisIsLinearizable(t *testing.T) {
	if got := linearRun(t); got != porcupine.Ok {
		t.Errorf("got %s, want %s", got, porcupine.Ok)
	}
}

// A store that takes the writes of an owner that was replaced, or counts a repeated write
// twice, or forgets a key or a room, is found out.
func TestLinearizabilityCanFail(t *testing.T) {
	for name, plant := range map[string][]string{
		"an old owner":     {"tonumber(s[2]) > tonumber(fence)", "false", "s[2] ~= fence", "false", "if c < prev then return {'BEHIND'} end", "", "if n <= c then", "if false then", "first ~= tip + 1 then", "false then"},
		"a forgotten room": {"if old then\n", "if old then redis.call('DEL', KEYS[9])\n"},
		"a lost cursor":    {"if old then\n", "if old then redis.call('DEL', KEYS[11])\n"},
		"a forgotten key":  {"local old = once ~= '' and redis.call('GET', KEYS[#KEYS])", "local old = false"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := linearRun(t, plant...); got != porcupine.Illegal {
				t.Errorf("got %s, want %s", got, porcupine.Illegal)
			}
		})
	}
}
