package xmlstream

// parseHead parses what may end anywhere, and be anything: the tree of what is sound at its
// beginning, as if all that is open ended there. Nil: not even a start tag is.
func parseHead(raw []byte, ns nsContext) *Element {
	p := newParser(string(raw), ns)
	for {
		open := len(p.open)
		if err := p.markup(); err != nil {
			p.open = p.open[:min(open, len(p.open))] // without the start tag that is broken
			break
		}
		if len(p.open) == 0 {
			return p.root
		}
		text, err := p.chars('<')
		if err != nil {
			break
		}
		if text != "" {
			p.addText(text)
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
