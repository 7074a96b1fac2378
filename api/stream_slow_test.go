package api_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/canary"
	"github.com/perch-im/perch/internal/fakexmpp"
)

// TestStuckReadersOverTCP has 200 clients that stop reading beside 100 that read on: the
// healthy ones miss nothing, the others cost a bounded amount of memory and find 4103
// after whole frames when they look again, however late, and resume without a loss.
func TestStuckReadersOverTCP(t *testing.T) {
	const stuck, healthy, messages = 200, 100, 1000
	var log lockedBuffer
	g := newGateway(t, func(o *gatewayOptions) {
		o.Logger = canary.Logger(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.StreamsPerToken = stuck + healthy + 1
		o.FrameTime = 4 * time.Second
	})
	conn := g.open("tok-alice")
	frozen := make([]*rawConn, stuck)
	for i := range frozen {
		frozen[i] = g.raw("tok-alice")
	}
	before := heap()
	talkToHealthy(t, g, conn, healthy, messages)
	if grown := int64(heap()) - int64(before); grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB, want at most 64", grown>>20)
	}
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for strings.Count(log.String(), `"encoding":"ws"`) < stuck+healthy {
		<-look.C // until every stuck reader is cut
	}
	for i, r := range frozen {
		ids, code := r.rest()
		if code != 4103 {
			t.Fatalf("stuck reader %d: %d whole messages, closed with %d, want 4103", i, len(ids), code)
		}
		wantConsecutive(t, ids)
		if i > 0 || len(ids) == 0 {
			continue
		}
		cursor, n := ids[len(ids)-1], len(ids)
		for p := g.poll("tok-alice", since(cursor)+"&limit=200"); len(p.Events) > 0; p = g.poll("tok-alice", since(cursor)+"&limit=200") {
			ids, cursor = append(ids, durable(p.Events)...), p.Next
		}
		wantConsecutive(t, ids)
		t.Logf("a stuck reader had %d messages, and %d after it resumed", n, len(ids))
	}
}

// talkToHealthy sends messages to alice and returns when so many readers, which keep up, have
// had them all. None may fall behind: after each batch it waits for all of them.
func talkToHealthy(t *testing.T, g *gateway, conn *fakexmpp.Conn, healthy, messages int) {
	t.Helper()
	const batch = 50
	progress := make(chan bool, healthy) // one for each healthy reader and batch
	var ready, done sync.WaitGroup
	ready.Add(healthy)
	for range healthy {
		done.Go(func() {
			f := g.stream("ws", "tok-alice", "").(*socketFeed)
			defer f.close()
			upTo(t, f, "live")
			ready.Done()
			for range messages / batch {
				n := countMessages(f, batch)
				if progress <- n == batch; n != batch {
					return
				}
			}
		})
	}
	ready.Wait()
	body := strings.Repeat("x", 1000)
	for i := range messages {
		conn.Deliver(&perch.MessageIn{Message: perch.Message{
			ID: fmt.Sprint("m", i), From: "bob@example.net/phone", To: "alice@example.net", Kind: perch.ChatMessage, Body: body,
		}})
		for n := 0; i%batch == batch-1 && n < healthy; n++ {
			if !<-progress {
				t.Fatalf("a healthy reader did not get message %d, want it", i)
			}
		}
	}
	done.Wait()
}

func countMessages(f *socketFeed, most int) (n int) {
	for n < most {
		e, err := f.next()
		if err != nil {
			return n
		}
		if e.Type == "message.received" && strings.Contains(string(e.Data), `"id":"m`) {
			n++
		}
	}
	return n
}

// rest reads a connection to its end: the ids of the durable events, and the close code.
func (r *rawConn) rest() (ids []string, code int) {
	for {
		op, payload, err := r.read()
		if err != nil {
			r.t.Logf("ended with %v", err)
			return ids, -1
		}
		if op == opClose {
			return ids, int(binary.BigEndian.Uint16(payload))
		}
		var e envelope
		if op == opText && json.Unmarshal(payload, &e) == nil && e.ID != "" {
			ids = append(ids, e.ID)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
