package wsframe_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/perch-im/perch/internal/wsframe"
)

// echo is a server that is made of this package alone: it answers every message with the same.
func echo(t *testing.T) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Sec-WebSocket-Accept", wsframe.Accept(r.Header.Get("Sec-WebSocket-Key")))
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack: got error %v, want none", err)
			return
		}
		defer conn.Close()
		answer(conn)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func answer(conn net.Conn) {
	d := &wsframe.Decoder{Limit: 1 << 20}
	for {
		n, err := conn.Read(d.Space())
		if err != nil {
			return
		}
		d.Fed(n)
		m, ok, err := d.Next()
		for ; ok; m, ok, err = d.Next() {
			frame := wsframe.Append(nil, m.Op, m.Payload)
			switch m.Op {
			case wsframe.Ping:
				frame = wsframe.Append(nil, wsframe.Pong, m.Payload)
			case wsframe.Close:
				code, reason, _ := wsframe.ParseClose(m.Payload)
				frame = wsframe.AppendClose(nil, code, reason)
			}
			if _, err := conn.Write(frame); err != nil || m.Op == wsframe.Close {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestForeignClient talks to a client that another project has written.
func TestForeignClient(t *testing.T) {
	ctx := context.Background()
	ws, _, err := websocket.Dial(ctx, echo(t), nil)
	if err != nil {
		t.Fatalf("Dial: got error %v, want none", err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	closed := make(chan error, 1)
	random := rand.New(rand.NewPCG(1, 2))
	want := make([]string, 200)
	for i := range want {
		want[i] = strings.Repeat(string(rune('a'+i%26)), random.IntN(1<<(i%18)))
	}
	go func() {
		for i, m := range want {
			if err := send(ctx, ws, random, m, i%3 == 0); err != nil {
				closed <- err
				return
			}
		}
		closed <- nil
	}()
	for i, m := range want {
		typ, got, err := ws.Read(ctx)
		if err != nil || typ != websocket.MessageText || string(got) != m {
			t.Fatalf("message %d: got %d bytes, type %v, error %v; want %d bytes of text", i, len(got), typ, err, len(m))
		}
	}
	if err := <-closed; err != nil {
		t.Errorf("Write: got error %v, want none", err)
	}
	done := ws.CloseRead(ctx)
	if err := ws.Ping(ctx); err != nil {
		t.Errorf("Ping: got error %v, want none", err)
	}
	if err := ws.Close(4321, "bye"); err != nil {
		t.Errorf("Close: got error %v, want the handshake to end", err)
	}
	<-done.Done()
}

// send writes a message, in one frame or in several.
func send(ctx context.Context, ws *websocket.Conn, random *rand.Rand, m string, whole bool) error {
	if whole {
		return ws.Write(ctx, websocket.MessageText, []byte(m))
	}
	w, err := ws.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for len(m) > 0 {
		n := 1 + random.IntN(len(m))
		if _, err := w.Write([]byte(m[:n])); err != nil {
			return err
		}
		m = m[n:]
	}
	return w.Close()
}
