package api

import "sync"

// splicer is a stream that another node writes and this one passes through, with words of
// this node between its frames. Its methods are safe for concurrent use; while a write is
// under way the others wait, as long as write may take.
type splicer struct {
	write func([]byte) error // bounded in time
	scan  scanner

	mu    sync.Mutex
	begun bool   // something has passed: from now on a place for our words will come
	own   []byte // waits for its place
	last  bool   // own ends the stream
	over  bool   // the stream has ended here: what still comes is dropped
	ended chan struct{}
}

func newSplicer(scan scanner, write func([]byte) error) *splicer {
	return &splicer{write: write, scan: scan, ended: make(chan struct{})}
}

// pass writes what has come, whole or not. What comes after the end is dropped, so that
// the other side can still be heard.
func (s *splicer) pass(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	if err := s.settle(); err != nil {
		return err
	}
	for len(p) > 0 && !s.over {
		n := s.scan.next(p)
		for len(s.own) == 0 && !s.last && n < len(p) {
			n += s.scan.next(p[n:]) // nothing waits: all in one write
		}
		if err := s.write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if err := s.settle(); err != nil {
			return err
		}
	}
	return nil
}

// add puts a frame of our own in at the next place for one. With last the stream ends
// after it, and ended is closed. An error of writing shows again in pass, or nowhere: the
// client has gone.
func (s *splicer) add(frame []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue(frame, last)
	if s.begun {
		_ = s.settle()
	}
}

// queue is add while s.mu is held, and writes nothing yet.
func (s *splicer) queue(frame []byte, last bool) {
	if s.last || s.over {
		return
	}
	s.own, s.last = append(s.own, frame...), last
}

// settle writes what waits, if this is a place for it; s.mu is held.
func (s *splicer) settle() (err error) {
	if s.over || !s.scan.between() {
		return nil
	}
	if s.scan.closed() {
		s.finish()
		return nil
	}
	if len(s.own) > 0 {
		err = s.write(s.own)
		s.own = nil
	}
	if s.last {
		s.finish()
	}
	return err
}

func (s *splicer) finish() {
	s.over, s.own = true, nil
	close(s.ended)
}

// whole reports whether the client has seen nothing but whole frames.
func (s *splicer) whole() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over || s.scan.between()
}
