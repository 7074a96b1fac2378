package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// uploadStall is how long uploadStep bytes of a file may take, and the answer when all have come: a
	// slow line gets through, and one on which nothing happens is given up. On both sides: nothing is
	// read of the client while the other side takes nothing.
	uploadStall = 30 * time.Second
	uploadStep  = 64 << 10
)

var (
	errStalled    = errors.New("api: the upload makes no progress")
	errUploadOver = errors.New("api: the upload is over")
)

// uploadBody is the body of a request whose bytes go on to somebody else. It has the deadlines of the
// request follow the progress.
type uploadBody struct {
	from    io.ReadCloser
	control *http.ResponseController
	size    int64
	timer   *time.Timer

	mu    sync.Mutex
	begun bool // a read has begun, and may still wait
	got   int64
	step  int64 // got when the deadlines were moved last
	over  bool  // the handler returns: the connection has its next request
	err   error // of the client's side
}

// newUploadBody begins with the body of r, of a known length. Ctx ends when there is no progress, with
// errStalled as its cause; end must be called before the handler returns.
func newUploadBody(ctx context.Context, w http.ResponseWriter, r *http.Request) (context.Context, *uploadBody) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &uploadBody{from: r.Body, control: http.NewResponseController(w), size: r.ContentLength}
	b.timer = time.AfterFunc(uploadStall, func() {
		cancel(errStalled)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.interrupt()
	})
	b.extend()
	return ctx, b
}

// extend gives the connection time for the next step, and some more: the timer comes first, so that there
// is an answer. The caller holds mu, or has the body alone.
func (b *uploadBody) extend() {
	now := time.Now()
	_ = b.control.SetReadDeadline(now.Add(2 * uploadStall))
	_ = b.control.SetWriteDeadline(now.Add(3 * uploadStall))
}

// interrupt ends a read that waits for the client. A body that was not read stays as it is: over HTTP/2
// nothing could be read of it after a deadline. The caller holds mu.
func (b *uploadBody) interrupt() {
	if b.begun && !b.over && b.got < b.size {
		_ = b.control.SetReadDeadline(time.Now())
	}
}

// Read implements io.Reader.
func (b *uploadBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	over := b.over
	b.begun = b.begun || !over
	b.mu.Unlock()
	if over {
		return 0, errUploadOver
	}
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got += int64(n)
	if !b.over && n > 0 && (b.got-b.step >= uploadStep || b.got == b.size) {
		b.step = b.got
		b.timer.Reset(uploadStall)
		b.extend()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// Close implements io.Closer. The server closes the body of a request itself, when its handler is done.
func (b *uploadBody) Close() error { return nil }

// end stops the clock. What was not read of the body is not waited for: a goroutine that still reads it
// ends at once.
func (b *uploadBody) end() {
	b.timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.interrupt()
	b.over = true
}

// spent reports whether a read has begun, so that the body cannot be sent once more; failed is the error
// of the client's side.
func (b *uploadBody) spent() (spent bool, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun, b.err
}

// moved is how many bytes have come.
func (b *uploadBody) moved() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got
}
