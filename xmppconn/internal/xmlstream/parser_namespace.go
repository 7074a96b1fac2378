package xmlstream

import "slices"

const nsXMLNS = "http://www.w3.org/2000/xmlns/"

// declare binds a prefix, or the default namespace, from this element on.
func (p *parser) declare(prefix, uri string) error {
	if prefix == "xml" && uri == nsXML {
		return nil
	}
	if prefix == "xml" || prefix == "xmlns" || uri == nsXML || uri == nsXMLNS || prefix != "" && uri == "" {
		return &Error{Condition: "bad-namespace-prefix", Detail: "forbidden namespace declaration"}
	}
	for _, b := range p.ns[p.tagNS:] {
		if b.prefix == prefix {
			return notWellFormed("namespace declared twice")
		}
	}
	if len(p.ns)-p.tagNS >= maxAttrs {
		return &Error{Condition: "policy-violation", Detail: "too many attributes"}
	}
	if prefix == "" {
		p.def = uri
	}
	p.ns = append(p.ns, nsBinding{prefix, uri})
	return nil
}

// resolve turns a prefix into a namespace. Without a prefix it is def.
func (p *parser) resolve(prefix, def string) (string, error) {
	switch prefix {
	case "":
		return def, nil
	case "xml":
		return nsXML, nil
	}
	for _, b := range slices.Backward(p.ns) {
		if b.prefix == prefix {
			return b.uri, nil
		}
	}
	for i := range p.ctx.bindings {
		if p.ctx.bindings[i].prefix == prefix {
			return p.ctx.bindings[i].uri, nil
		}
	}
	return "", &Error{Condition: "bad-namespace-prefix", Detail: "undeclared prefix"}
}

// resolveAttrs turns the prefixes of the current tag's attributes into namespaces.
func (p *parser) resolveAttrs() ([]attr, error) {
	own := p.attrs[p.tagAttrs:len(p.attrs):len(p.attrs)]
	if len(own) == 0 {
		return nil, nil
	}
	if len(own) > maxAttrs {
		return nil, &Error{Condition: "policy-violation", Detail: "too many attributes"}
	}
	for i := range own {
		a := &own[i]
		if a.space != "" {
			space, err := p.resolve(a.space, "")
			if err != nil {
				return nil, err
			}
			a.space = space
		}
		for j := range i {
			if own[j].local == a.local && own[j].space == a.space {
				return nil, notWellFormed("duplicate attribute")
			}
		}
	}
	return own, nil
}
