package api

import "sync"

// splicer passes on a stream of another node, and inserts frames of this node between its
// frames. Its methods are safe for concurrent use; while a write is under way the others wait,
// as long as write may take.
type splicer struct {
	write func([]byte) error // bounded in time
	scan  scanner

	mu      sync.Mutex
	started bool   // something has passed: from now on a boundary will come
	pending []byte // inserted at the next boundary
	final   bool   // pending ends the stream
	done    bool   // the stream has ended here: what follows is dropped
	ended   chan struct{}
}

func newSplicer(scan scanner, write func([]byte) error) *splicer {
	return &splicer{write: write, scan: scan, ended: make(chan struct{})}
}

// pass writes bytes of the other node. What follows the end is dropped, so that the other
// direction can still be read.
func (s *splicer) pass(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	if err := s.flush(); err != nil {
		return err
	}
	for len(p) > 0 && !s.done {
		n := s.scan.next(p)
		for len(s.pending) == 0 && !s.final && n < len(p) {
			n += s.scan.next(p[n:]) // nothing to insert: all in one write
		}
		if err := s.write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// insert adds a frame of this node at the next boundary. With final the stream ends after it,
// and ended is closed. An error of writing is returned again by pass, if that is called at all:
// the client has left.
func (s *splicer) insert(frame []byte, final bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue(frame, final)
	if s.started {
		_ = s.flush()
	}
}

// queue is insert while s.mu is held, and writes nothing yet.
func (s *splicer) queue(frame []byte, final bool) {
	if s.final || s.done {
		return
	}
	s.pending, s.final = append(s.pending, frame...), final
}

// flush writes what is pending, if this is a boundary; s.mu is held.
func (s *splicer) flush() (err error) {
	if s.done || !s.scan.atBoundary() {
		return nil
	}
	if s.scan.closed() {
		s.finish()
		return nil
	}
	if len(s.pending) > 0 {
		err = s.write(s.pending)
		s.pending = nil
	}
	if s.final {
		s.finish()
	}
	return err
}

func (s *splicer) finish() {
	s.done, s.pending = true, nil
	close(s.ended)
}

// atBoundary reports whether the client has got nothing but whole frames.
func (s *splicer) atBoundary() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done || s.scan.atBoundary()
}
