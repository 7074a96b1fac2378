package xmlstream

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// maxHead bounds the start tags of a large answer and its payload: each part repeats them.
const maxHead = 4 << 10

// largeAnswer is an IQ result over the limit of a stanza that is taken in parts, because it
// answers a request that allows for it. Each part is made an IQ of its own: the start
// tags of the answer and its payload, some whole children of the payload, and the end tags. So
// the decoder of the whole answer reads the parts too. The limits of a stanza hold for each
// child.
type largeAnswer struct {
	about  Skipped
	prefix string // start tags; "" until the first part
	suffix string // end tags
	total  int    // bytes that were handed out
}

// noteCut notes where a large answer may be cut: after the start tag of its payload, and
// after each child of that. What follows the payload is not cut any more.
func (s *scanner) noteCut() {
	switch {
	case !s.split:
	case s.depth == 2 && (s.opened || !s.closing && !s.empty):
		s.opened, s.cut = true, s.pos
	case s.depth < 2 && s.opened:
		s.split = false
	}
}

// beginParts has the current stanza, of which everything is still in the buffer, scanned
// again as a large answer, if it may be one.
func (f *Framer) beginParts() bool {
	if f.TakesLarge == nil || f.large != nil {
		return false
	}
	about := f.describe()
	if about.Space != NSClient || about.Local != "iq" || !f.TakesLarge(about) {
		return false
	}
	f.large = &largeAnswer{about: *about}
	f.scan = scanner{start: f.scan.start, pos: f.scan.start, split: true}
	return true
}

// nextPart hands out the whole children of a large answer that are in the buffer. Ok is false
// when there are none.
func (f *Framer) nextPart() (_ Frame, ok bool, _ error) {
	if f.large == nil || f.skip != nil || f.scan.cut == 0 {
		return Frame{}, false, nil
	}
	cut := f.scan.cut
	if f.large.total+cut > f.Limits.Answer {
		f.beginSkip(perch.DroppedTooLarge)
		return Frame{}, false, nil
	}
	if f.large.prefix == "" && !f.scan.opened {
		return Frame{}, false, nil
	}
	fr, err := f.makePart(KindPart, cut)
	if err != nil || f.skip != nil {
		return Frame{}, false, err
	}
	f.in.drop(cut)
	f.scan.shift(cut)
	return fr, true, nil
}

// makePart makes an IQ of the bytes up to end. Its bytes are a copy.
func (f *Framer) makePart(kind Kind, end int) (Frame, error) {
	l, raw := f.large, f.in.bytes()[f.scan.start:end]
	fr := f.frame(kind)
	fr.Local = "iq"
	if l.prefix == "" {
		fr.Raw = slices.Clone(raw)
		if kind == KindLastPart {
			return fr, nil
		}
		if err := f.notePrefix(fr.Raw); err != nil {
			return Frame{}, err
		}
	} else {
		fr.Raw = append(append(make([]byte, 0, len(l.prefix)+len(raw)+len(l.suffix)), l.prefix...), raw...)
	}
	if kind == KindPart {
		fr.Raw = append(fr.Raw, l.suffix...)
	}
	l.total += len(raw)
	return fr, nil
}

// notePrefix notes the start tags of a large answer, which its first part begins with.
func (f *Framer) notePrefix(raw []byte) error {
	s := scanner{split: true}
	for !s.opened {
		// One tag at a time: the end of the first payload is the first place to cut at.
		i := slices.Index(raw[s.pos:], '>')
		if i < 0 || s.pos+i >= maxHead {
			f.beginSkip(perch.DroppedTooLarge)
			return nil
		}
		if _, err := s.run(raw[:s.pos+i+1], false, &f.Limits); err != nil {
			return err
		}
	}
	f.large.prefix = string(raw[:s.pos])
	p := newParser(f.large.prefix, f.ns)
	for p.pos < len(p.src) {
		if err := p.markup(); err != nil {
			return err
		}
		if p.pos == len(p.src) {
			break
		}
		if err := p.text(); err != nil {
			return err
		}
	}
	var b strings.Builder
	for _, o := range slices.Backward(p.open) {
		b.WriteString("</" + o.name + ">")
	}
	f.large.suffix = b.String()
	return nil
}

// SkipRest skips what is left of a large answer that was counted already.
func (f *Framer) SkipRest() {
	if f.large != nil && f.skip == nil {
		about := f.large.about
		about.Reason, about.Answered, about.Counted = perch.DroppedMalformed, true, true
		f.skip = &about
	}
}
