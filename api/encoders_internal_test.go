package api

import (
	"net/http"
	"testing"
	"unsafe"

	"github.com/perch-im/perch"
)

// recorder remembers where the bytes that it was given lie.
type recorder struct {
	header http.Header
	seen   []*byte
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}
func (r *recorder) Write(p []byte) (int, error) {
	if r.seen != nil {
		r.seen = append(r.seen, unsafe.SliceData(p))
	}
	return len(p), nil
}

func lineEncoders(t testing.TB, r *recorder) map[string]encoder {
	l := &lineWriter{ctx: t.Context(), w: r, rc: http.NewResponseController(r)}
	return map[string]encoder{"ndjson": ndjsonEncoder{l}, "sse": &sseEncoder{lineWriter: l}}
}

// TestEncodersShareTheBytes: an envelope is written as it lies in the log.
func TestEncodersShareTheBytes(t *testing.T) {
	ev := perch.NewEvent(perch.Position{Epoch: "e", Offset: 1}, perch.EventMessageReceived, 1, perch.Message{Body: "hello"})
	for name := range lineEncoders(t, &recorder{}) {
		r := &recorder{seen: []*byte{}}
		if err := lineEncoders(t, r)[name].event(ev); err != nil {
			t.Fatalf("lineEncoders: got error %v, want none", err)
		}
		found := false
		for _, p := range r.seen {
			found = found || p == unsafe.SliceData(ev.Wire)
		}
		if !found {
			t.Errorf("%s: the envelope was copied, want its bytes written as they are", name)
		}
		e := lineEncoders(t, &recorder{})[name]
		if n := testing.AllocsPerRun(100, func() { _ = e.event(ev) }); n > 4 {
			t.Errorf("%s: %v allocations for one event, want at most 4", name, n)
		}
	}
}
