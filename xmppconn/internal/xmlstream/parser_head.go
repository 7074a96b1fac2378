package xmlstream

// parseHead parses what may end anywhere, and be anything: the tree of what is sound at its
// beginning, as if all that is open ended there. Nil: not even a start tag is.
func parseHead(raw []byte, ns *nsContext) *Element {
	p := newParser(string(raw), ns)
	for {
		if err := p.markup(); err != nil {
			break
		}
		if len(p.open) == 0 {
			return p.root
		}
		if err := p.text(); err != nil {
			break
		}
	}
	if len(p.open) == 0 {
		return nil
	}
	for len(p.open) > 0 {
		p.closeElement()
	}
	return p.root
}
