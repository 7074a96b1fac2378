package xmppconn

import (
	"slices"
	"strings"

	"github.com/perch-im/perch"
)

// maxPrefix bounds the start tags of a large answer and its payload: each part repeats them.
const maxPrefix = 4 << 10

// largeAnswer is an IQ result over the limit of a stanza that is taken in parts, because it
// answers a request of ours that allows for it. Each part is made an IQ of its own: the start
// tags of the answer and its payload, some whole children of the payload, and the end tags. So
// the decoder of the whole answer reads the parts too. The limits of a stanza hold for each
// child.
type largeAnswer struct {
	about  skipped
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
func (f *framer) beginParts() bool {
	if f.takesLarge == nil || f.large != nil {
		return false
	}
	about := f.describe()
	if about.space != nsClient || about.local != "iq" || !f.takesLarge(about) {
		return false
	}
	f.large = &largeAnswer{about: *about}
	f.scan = scanner{start: f.scan.start, pos: f.scan.start, split: true}
	return true
}

// part hands out the whole children of a large answer that are in the buffer. Ok is false
// when there are none.
func (f *framer) part() (_ frame, ok bool, _ error) {
	if f.large == nil || f.skip != nil || f.scan.cut == 0 {
		return frame{}, false, nil
	}
	cut := f.scan.cut
	if f.large.total+cut > f.lim.answer {
		f.beginSkip(perch.DroppedTooLarge)
		return frame{}, false, nil
	}
	if f.large.prefix == "" && !f.scan.opened {
		return frame{}, false, nil
	}
	fr, err := f.makePart(framePart, cut)
	if err != nil || f.skip != nil {
		return frame{}, false, err
	}
	f.in.drop(cut)
	f.scan.shift(cut)
	return fr, true, nil
}

// makePart makes an IQ of the bytes up to end. Its bytes are a copy.
func (f *framer) makePart(kind frameKind, end int) (frame, error) {
	l, raw := f.large, f.in.bytes()[f.scan.start:end]
	fr := f.frame(kind)
	fr.local = "iq"
	if l.prefix == "" {
		fr.raw = slices.Clone(raw)
		if kind == frameLastPart {
			return fr, nil
		}
		if err := f.begun(fr.raw); err != nil {
			return frame{}, err
		}
	} else {
		fr.raw = append(append(make([]byte, 0, len(l.prefix)+len(raw)+len(l.suffix)), l.prefix...), raw...)
	}
	if kind == framePart {
		fr.raw = append(fr.raw, l.suffix...)
	}
	l.total += len(raw)
	return fr, nil
}

// begun notes the start tags of a large answer, which its first part begins with.
func (f *framer) begun(raw []byte) error {
	s := scanner{split: true}
	for !s.opened {
		// One tag at a time: the end of the first payload is the first place to cut at.
		i := slices.Index(raw[s.pos:], '>')
		if i < 0 || s.pos+i >= maxPrefix {
			f.beginSkip(perch.DroppedTooLarge)
			return nil
		}
		if _, err := s.run(raw[:s.pos+i+1], false, &f.lim); err != nil {
			return err
		}
	}
	f.large.prefix = string(raw[:s.pos])
	p := newParser(f.large.prefix, *f.ns)
	for p.pos < len(p.src) {
		if err := p.markup(); err != nil {
			return err
		}
		if p.pos == len(p.src) {
			break
		}
		if text, err := p.chars('<'); err != nil {
			return err
		} else if text != "" {
			p.addText(text)
		}
	}
	var b strings.Builder
	for _, o := range slices.Backward(p.open) {
		b.WriteString("</" + o.name + ">")
	}
	f.large.suffix = b.String()
	return nil
}

// abandon skips what is left of a large answer that was counted already.
func (f *framer) abandon() {
	if f.large != nil && f.skip == nil {
		about := f.large.about
		about.reason, about.told, about.counted = "malformed", true, true
		f.skip = &about
	}
}

// takesLarge reports whether a stanza over the limit is the answer to an open request that
// may be as large. It is asked by the reader.
func (c *Conn) takesLarge(s *skipped) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.iqs[s.id]
	return q != nil && q.part != nil && s.typ == "result" && answersFor(c.login.JID, q.to, s.from)
}

// skippingAnswer fails the request that a stanza over a limit answers as soon as this is
// known: the rest of the stanza may take long, or never come.
func (c *Conn) skippingAnswer(s *skipped) {
	if s.space != nsClient || s.local != "iq" || s.typ == "get" || s.typ == "set" || s.told {
		return
	}
	s.told = true
	c.answered(iqIn{id: s.id, typ: "error", from: s.from},
		perch.Wrap(perch.KindXMPP, perch.ErrAnswerTooLarge, "the answer is larger or deeper than this gateway takes"))
}

// handlePart takes a part of a large answer. The last one is the answer itself: with it the
// stanza is counted, and the request ends.
func (c *Conn) handlePart(f *frame) error {
	el, err := f.parse()
	if err != nil {
		return err
	}
	if f.kind == frameLastPart {
		c.handleIQ(el)
		return nil
	}
	in, ok := parseIQ(el)
	c.mu.Lock()
	q := c.iqs[in.id]
	if q != nil {
		q.heard = c.d.now()
	}
	c.mu.Unlock()
	if ok && q != nil && q.part != nil {
		q.part(in)
	}
	return nil
}
