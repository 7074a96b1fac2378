package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perch-im/perch"
)

// TestStuckReadersThroughAHop is TestStuckReadersOverTCP with a node in between: what it
// holds for each of them is bounded too, and it does not hide from the owner, or from the
// client, that the client does not read.
func TestStuckReadersThroughAHop(t *testing.T) {
	const stuck, healthy, messages = 40, 10, 800
	n := newNodes(t, func(o *gatewayOptions) {
		o.StreamsPerToken = stuck + healthy + 1
		o.FrameTime = 2 * time.Second
	})
	conn := n.openAtB("tok-alice")
	frozen := make([]*rawConn, stuck)
	for i := range frozen {
		frozen[i] = n.a.raw("tok-alice")
	}
	before := heap()
	talkToHealthy(t, n.a, conn, healthy, messages)
	if grown := int64(heap()) - int64(before); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB, want at most 32", grown>>20)
	}
	n.b.waitForStreams("tok-alice", 0)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for n.a.api.Streams()["ws"] > 0 {
		<-look.C // until every reader is cut
	}
	for i, r := range frozen {
		ids, code := r.rest()
		if code != 4103 || len(ids) == 0 {
			t.Fatalf("stuck reader %d: %d whole messages, closed with %d, want 4103 after some messages", i, len(ids), code)
		}
		wantConsecutive(t, ids)
		if i > 0 {
			continue
		}
		cursor, k := ids[len(ids)-1], len(ids)
		for p := n.a.poll("tok-alice", since(cursor)+"&limit=200"); len(p.Events) > 0; p = n.a.poll("tok-alice", since(cursor)+"&limit=200") {
			ids, cursor = append(ids, durable(p.Events)...), p.Next
		}
		wantConsecutive(t, ids)
		t.Logf("a stuck reader had %d messages, and %d after it resumed", k, len(ids))
	}
}

// TestStuckLinesThroughAHop: a reader of SSE that stops is cut.
func TestStuckLinesThroughAHop(t *testing.T) {
	n := newNodes(t, func(o *gatewayOptions) { o.FrameTime = time.Second })
	conn := n.openAtB("tok-alice")
	f := n.a.stream("sse", "tok-alice", "").(*lines)
	defer f.close()
	upTo(t, f, "live")
	body := strings.Repeat("x", 60<<10)
	for i := 0; n.a.api.Streams()["sse"] > 0; i++ {
		if i == 10_000 {
			t.Fatal("the stream is still open, want it closed")
		}
		conn.Deliver(&perch.MessageIn{Message: perch.Message{
			ID: fmt.Sprint("m", i), From: "bob@example.net/phone", To: "alice@example.net", Kind: perch.ChatMessage, Body: body,
		}})
		n.b.get("/v1/session", "tok-alice", nil)
	}
	n.b.waitForStreams("tok-alice", 0)
}
