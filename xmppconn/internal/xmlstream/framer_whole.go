package xmlstream

// Messages and presences are most of what arrives, and mostly whole when it is looked at. They
// are parsed at once, which finds their end too: one pass in place of two. Whatever is not a
// sound stanza within the limits from its first byte to its last, all of it in the buffer, is
// left to the scanner, as if nothing had been tried: it says what is wrong with it, skips it, or
// waits for the rest. So the parser may refuse here what it likes, and may accept nothing that
// the scanner would end elsewhere.

// leastTried is the least number of bytes worth a try. A stanza that is not whole is tried again
// when twice as much is there, so that one that comes in many pieces is not parsed for each.
const leastTried = 64

// whole hands out the next stanza in fr if it is there from end to end, with its tree. False:
// anything else is there.
func (f *Framer) whole(fr *Frame) bool {
	if f.ns == nil || f.skip != nil || f.large != nil {
		return false
	}
	b := f.in.bytes()
	if len(b) < max(leastTried, 2*f.tried) || len(b) > largeBuffer {
		return false
	}
	f.tried = len(b)
	start := f.scan.start
	if f.scan.between() {
		for start = f.scan.pos; start < len(b) && isSpace(b[start]); start++ {
		}
	}
	name := stanzaName(b[start:])
	if name == "" {
		return false
	}
	tree := parseWhole(b[start:], f.ns, &f.Limits)
	if tree == nil {
		return false
	}
	f.tree = tree
	f.scan.start, f.scan.pos, f.scan.done = start, start+tree.pos, true
	fr.Kind, fr.Raw, fr.Local = KindElement, b[start:f.scan.pos], name
	fr.ns, fr.owner, fr.seq = f.ns, f, f.seq
	return true
}

// stanzaName is the name that raw begins with, if that is a stanza of many.
func stanzaName(raw []byte) string {
	name := "message"
	if len(raw) > 1 && raw[1] == 'p' {
		name = "presence"
	}
	if n := 1 + len(name); len(raw) > n && raw[0] == '<' && string(raw[1:n]) == name && (isSpace(raw[n]) || raw[n] == '>' || raw[n] == '/') {
		return name
	}
	return ""
}

// parseWhole parses the element that raw begins with, which must be within the limits. Its tree
// is lent until giveBack. Nil: it is not whole, not sound or not within them.
func parseWhole(raw []byte, ctx *nsContext, limits *Limits) (tree *parser) {
	p := borrowParser(raw, ctx)
	p.limits = limits
	defer func() {
		if recover() != nil { // a fault of ours: who takes the stanza meets it again, and is prepared for it
			tree = nil
		}
	}()
	if p.element() != nil || p.pos > limits.Stanza {
		p.giveBack()
		return nil
	}
	p.src = p.src[:p.pos]
	return p
}

// dropTree ends the life of the tree of the last frame.
func (f *Framer) dropTree() {
	if f.tree != nil {
		f.tree.giveBack()
		f.tree = nil
	}
}
