package api_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/perch-im/perch/api"
	"github.com/perch-im/perch/internal/canary"
)

// flood is a client that speaks HTTP/2 frame by frame, and a server whose handlers it can
// count and hold.
type flood struct {
	t       *testing.T
	framer  *http2.Framer
	next    uint32
	running atomic.Int64
	most    atomic.Int64
	calls   atomic.Int64
	release chan struct{}
	ended   chan http2.ErrCode // of GOAWAY, or -1 as an unsigned when the connection just ends
	reset   chan uint32        // streams that the server refused
}

const closedSilently = http2.ErrCode(1<<32 - 1)

func newFlood(t *testing.T) *flood {
	t.Helper()
	f := &flood{t: t, next: 1, release: make(chan struct{}), ended: make(chan http2.ErrCode, 1), reset: make(chan uint32, 1<<16)}
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = api.NewServer(http.HandlerFunc(f.serve), canary.Logger())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	cfg := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	cfg.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", srv.Listener.Addr().String(), cfg)
	if err != nil {
		t.Fatalf("tls.Dial: got error %v, want none", err)
	}
	_ = c.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatalf("io.WriteString: got error %v, want none", err)
	}
	f.framer = http2.NewFramer(c, c)
	if err := f.framer.WriteSettings(); err != nil {
		t.Fatalf("f.framer.WriteSettings: got error %v, want none", err)
	}
	read := make(chan struct{})
	go func() { defer close(read); f.read() }()
	t.Cleanup(func() { _ = c.Close(); <-read })
	t.Cleanup(func() {
		select {
		case <-f.release:
		default:
			close(f.release)
		}
	})
	return f
}

// serve is a handler that does not look whether its client is still there.
func (f *flood) serve(w http.ResponseWriter, _ *http.Request) {
	f.calls.Add(1)
	n := f.running.Add(1)
	defer f.running.Add(-1)
	for most := f.most.Load(); n > most && !f.most.CompareAndSwap(most, n); most = f.most.Load() {
	}
	<-f.release
	w.WriteHeader(http.StatusNoContent)
}

// read takes what the server says until the connection ends.
func (f *flood) read() {
	code := closedSilently
	for {
		fr, err := f.framer.ReadFrame()
		if err != nil {
			f.ended <- code
			return
		}
		switch fr := fr.(type) {
		case *http2.GoAwayFrame:
			code = fr.ErrCode
		case *http2.RSTStreamFrame:
			f.reset <- fr.StreamID
		}
	}
}

// block is the header of a request, with a field of this many bytes.
func block(bytesMore int) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/"}} {
		_ = e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	if bytesMore > 0 {
		_ = e.WriteField(hpack.HeaderField{Name: "x-pad", Value: string(bytes.Repeat([]byte("x"), bytesMore)), Sensitive: true})
	}
	return b.Bytes()
}

// open begins a stream with a whole request.
func (f *flood) open() error {
	id := f.next
	f.next += 2
	return f.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(0), EndStream: true, EndHeaders: true})
}

// end waits until the server has had enough.
func (f *flood) end(want ...http2.ErrCode) {
	f.t.Helper()
	select {
	case got := <-f.ended:
		if !slices.Contains(want, got) {
			f.t.Errorf("the connection ended with %v, want one of %v", got, want)
		}
	case <-time.After(50 * time.Second):
		f.t.Error("the connection is still open, want it ended")
	}
}

// TestHTTP2StreamsAreBounded opens more requests at once than a connection may have: the one
// over the limit is refused by itself, and the others stay.
func TestHTTP2StreamsAreBounded(t *testing.T) {
	f := newFlood(t)
	for range 101 {
		if err := f.open(); err != nil {
			t.Fatalf("f.open: got error %v, want none", err)
		}
	}
	select {
	case id := <-f.reset:
		if id != 201 {
			t.Errorf("stream %d was refused, want the last, 201", id)
		}
	case code := <-f.ended:
		t.Fatalf("the connection ended with %v, want it to live", code)
	case <-time.After(50 * time.Second):
		t.Fatal("no stream was refused, want one refused")
	}
	close(f.release)
	for f.running.Load() > 0 || f.calls.Load() < 100 {
		if err := f.framer.WritePing(false, [8]byte{}); err != nil {
			t.Fatalf("the connection did not live on: %v, want it to answer a ping", err)
		}
		runtime.Gosched()
	}
	if got := f.calls.Load(); got != 100 {
		t.Errorf("%d requests were served, want 100", got)
	}
}

// TestHTTP2RapidReset takes back every request at once (CVE-2023-44487): it ends as a stream,
// but its handler does not. No more handlers may run than there may be streams, and a client
// that does not stop is cut.
func TestHTTP2RapidReset(t *testing.T) {
	f := newFlood(t)
	for range 20_000 {
		id := f.next
		if f.open() != nil || f.framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break
		}
	}
	f.end(http2.ErrCodeEnhanceYourCalm, closedSilently)
	if got := f.most.Load(); got > 100 {
		t.Errorf("%d handlers at once, want at most 100", got)
	}
	close(f.release)
}

// TestHTTP2HeaderWithoutEnd sends a header in pieces that never end (CVE-2023-45288).
func TestHTTP2HeaderWithoutEnd(t *testing.T) {
	f := newFlood(t)
	err := f.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(0), EndStream: true})
	sent := 0
	piece := block(8 << 10)[len(block(0)):]
	for ; err == nil && sent < 32<<20; sent += len(piece) {
		err = f.framer.WriteContinuation(1, false, piece)
	}
	if err == nil {
		t.Errorf("%d bytes of a header were taken, want it cut", sent)
	}
	if f.calls.Load() != 0 {
		t.Error("a request without the end of its header was served, want it refused")
	}
	if !errors.Is(err, net.ErrClosed) {
		f.end(http2.ErrCodeProtocol, http2.ErrCodeEnhanceYourCalm, http2.ErrCodeCompression, closedSilently)
	}
}
