package api

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/coder/websocket"
)

func wsTextFrame(payload string) []byte {
	return append(wsFrameHead(nil, 0x81, len(payload)), payload...)
}

// frames is what a WebSocket server sends, and where messages end in it.
func frames(r *rand.Rand, n int) (b []byte, ends []int) {
	payload := make([]byte, 70_000)
	for i := range payload {
		payload[i] = byte(r.Uint32())
	}
	size := func() int { return []int{0, 1, 125, 126, 127, 300, 65535, 65536}[r.IntN(8)] }
	put := func(first byte, size int) { b = append(wsFrameHead(b, first, size), payload[:size]...) }
	for range n {
		switch r.IntN(4) {
		case 0: // a control frame
			put(0x80|[]byte{9, 10}[r.IntN(2)], r.IntN(126))
		case 1: // in pieces, with a ping between them
			put(0x01, size())
			put(0x89, r.IntN(126))
			put(0x00, size())
			put(0x80, size())
		default:
			put(0x81, size())
		}
		ends = append(ends, len(b))
	}
	return b, ends
}

// boundaries feeds b in pieces, and says where the scanner finds a place.
func boundaries(s scanner, b []byte, piece func() int) (ends []int) {
	for at := 0; at < len(b); {
		p := b[at:min(len(b), at+max(1, piece()))]
		for len(p) > 0 {
			n := s.next(p)
			at += n
			if p = p[n:]; s.atBoundary() {
				ends = append(ends, at)
			}
		}
	}
	return ends
}

// TestFrameBoundaries are found wherever the bytes are cut.
func TestFrameBoundaries(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		b, want := frames(r, 20)
		got := boundaries(&frameScanner{}, b, func() int { return r.IntN(1 << r.IntN(16)) })
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d boundaries, want %d", seed, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("seed %d: boundary %d at %d, want %d", seed, i, got[i], want[i])
			}
		}
	}
}

func TestLineBoundaries(t *testing.T) {
	for text, want := range map[string][2]int{ // in NDJSON and SSE
		"":                          {0, 0},
		"{}\n":                      {1, 0},
		"{}\n{}\n":                  {2, 0},
		"retry: 1\n\ndata: x\n\n":   {4, 2},
		"id: 1\ndata: x\n\nid: 2\n": {4, 1},
		"data: x":                   {0, 0},
	} {
		for i, count := range want {
			for _, size := range []int{1, 2, 3, 100} {
				s := &lineScanner{want: i + 1, have: i + 1}
				if got := boundaries(s, []byte(text), func() int { return size }); len(got) != count {
					t.Errorf("%q in pieces of %d: places at %v, want %d", text, size, got, count)
				}
			}
		}
	}
}

// FuzzFrameScanner: whatever an owner sends, the scanner takes it all, and finds the same
// places however it is cut.
func FuzzFrameScanner(f *testing.F) {
	for seed := range uint64(5) {
		b, _ := frames(rand.New(rand.NewPCG(seed, 2)), 2)
		f.Add(b[:min(len(b), 4096)], uint8(seed))
	}
	f.Add([]byte{0x81, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2}, uint8(1))
	f.Add([]byte{0x88, 0x82, 1, 2, 3, 4, 5, 6}, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		whole := boundaries(&frameScanner{}, b, func() int { return len(b) })
		single := boundaries(&frameScanner{}, b, func() int { return int(size) })
		if len(whole) != len(single) {
			t.Fatalf("%v, in pieces of %d %v, want the same boundaries", whole, size, single)
		}
		for i := range whole {
			if whole[i] != single[i] {
				t.Fatalf("%v, in pieces of %d %v, want the same boundaries", whole, size, single)
			}
		}
	})
}

// TestSplice puts frames in at any moment: the client sees whole frames, all of the owner's
// up to the last one of this node, and nothing after that.
func TestSplice(t *testing.T) {
	own, last := wsTextFrame("own"), wsCloseFrame(closeDraining, "over")
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		b, ends := frames(r, 10)
		var out bytes.Buffer
		s := newSplicer(&frameScanner{}, func(p []byte) error { out.Write(p); return nil })
		ownAt, lastAt := r.IntN(len(b)), r.IntN(len(b))
		ownAt = min(ownAt, lastAt)
		for at := 0; at < len(b); {
			n := min(len(b)-at, 1+r.IntN(1<<r.IntN(16)))
			if at <= ownAt && ownAt < at+n {
				s.insert(own, false)
			}
			if at <= lastAt && lastAt < at+n {
				s.insert(last, true)
			}
			if err := s.pass(b[at : at+n]); err != nil {
				t.Fatalf("s.pass: got error %v, want none", err)
			}
			at += n
		}
		got := out.Bytes()
		if !bytes.HasSuffix(got, last) || bytes.Count(got, own) != 1 || !s.atBoundary() {
			t.Fatalf("seed %d: the frames of this node are not there, or not at the end, want both, and the last one at the end", seed)
		}
		passed := bytes.Replace(bytes.TrimSuffix(got, last), own, nil, 1)
		ok := len(passed) == 0
		for _, end := range ends {
			ok = ok || bytes.Equal(passed, b[:end])
		}
		if !ok {
			t.Fatalf("seed %d: %d bytes passed, which is no whole number of frames, want whole frames", seed, len(passed))
		}
		select {
		case <-s.ended:
		default:
			t.Fatalf("seed %d: ended is still open, want it closed", seed)
		}
	}
}

// TestSpliceAfterCloseFrame: nothing follows the close frame of the owner.
func TestSpliceAfterCloseFrame(t *testing.T) {
	var out bytes.Buffer
	s := newSplicer(&frameScanner{}, func(p []byte) error { out.Write(p); return nil })
	closing := wsCloseFrame(websocket.StatusNormalClosure, "")
	if err := s.pass(closing); err != nil {
		t.Fatalf("s.pass: got error %v, want none", err)
	}
	s.insert(wsTextFrame("own"), false)
	s.insert(wsCloseFrame(closeMoved, ""), true)
	if err := s.pass([]byte("garbage")); err != nil || !bytes.Equal(out.Bytes(), closing) {
		t.Errorf("got %v, % x, want no error, and the close frame alone", err, out.Bytes())
	}
}

// TestSpliceReturnsWriteErrors: pass fails when the client has gone.
func TestSpliceReturnsWriteErrors(t *testing.T) {
	gone := errors.New("gone")
	s := newSplicer(&frameScanner{}, func([]byte) error { return gone })
	if err := s.pass(wsTextFrame("x")); !errors.Is(err, gone) {
		t.Errorf("s.pass: got error %v, want none", err)
	}
}
