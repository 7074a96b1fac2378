package app

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what waits for the reader of the log.
const (
	logQueueLines = 1024
	logQueueBytes = 1 << 20
)

// LogWriter stands between a logger and where its lines go, such as a pipe. A pipe that is
// not read, or a disk that is full, must not stop the requests that log: a line that does
// not fit into the queue, or cannot be written, is dropped and counted. One goroutine
// writes; Close ends it.
type LogWriter struct {
	out   io.Writer
	queue chan []byte
	done  chan struct{}

	waiting atomic.Int64  // bytes in queue
	dropped atomic.Uint64 // lines
	notice  atomic.Pointer[func(uint64)]

	mu     sync.RWMutex // held for writing only to close queue
	closed bool
}

// NewLogWriter starts the goroutine that writes to out.
func NewLogWriter(out io.Writer) *LogWriter {
	w := &LogWriter{out: out, queue: make(chan []byte, logQueueLines), done: make(chan struct{})}
	go w.run()
	return w
}

// OnRecover sets what is called when lines are written again after some were dropped, with
// their number. It may log.
func (w *LogWriter) OnRecover(notice func(dropped uint64)) { w.notice.Store(&notice) }

// Dropped reports how many lines were dropped so far.
func (w *LogWriter) Dropped() uint64 { return w.dropped.Load() }

// Write implements io.Writer: one line a call, as the handlers of log/slog do. It never
// blocks and never fails.
func (w *LogWriter) Write(line []byte) (int, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	size := int64(len(line))
	if w.closed || w.waiting.Add(size) > logQueueBytes {
		w.drop(size)
		return len(line), nil
	}
	select {
	case w.queue <- append([]byte(nil), line...):
	default:
		w.drop(size)
	}
	return len(line), nil
}

func (w *LogWriter) drop(size int64) {
	if !w.closed {
		w.waiting.Add(-size)
	}
	w.dropped.Add(1)
}

func (w *LogWriter) run() {
	defer close(w.done)
	var reported uint64 // of dropped
	for line := range w.queue {
		_, err := w.out.Write(line)
		w.waiting.Add(-int64(len(line)))
		if err != nil {
			w.dropped.Add(1) // the reader is gone, or the disk is full: perhaps the next line passes
			continue
		}
		// The notice goes through the queue like any line: there must be room for it.
		if n := w.dropped.Load(); n > reported && len(w.queue) <= logQueueLines/2 && w.waiting.Load() <= logQueueBytes/2 {
			if notice := w.notice.Load(); notice != nil {
				(*notice)(n - reported)
			}
			reported = n
		}
	}
}

// Close writes what waits, as far as that is possible before ctx ends. What is logged
// later is dropped. The goroutine itself may remain in a write that is stuck; only
// the end of the process helps then.
func (w *LogWriter) Close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the log is not read: %d bytes of it are lost", w.waiting.Load())
	}
}

// logFlushTime bounds the end of a log.
const logFlushTime = time.Second

// Flush is Close with a bound that suits the end of a process.
func (w *LogWriter) Flush() {
	ctx, cancel := context.WithTimeout(context.Background(), logFlushTime)
	defer cancel()
	_ = w.Close(ctx) // there is nowhere left to say so
}
