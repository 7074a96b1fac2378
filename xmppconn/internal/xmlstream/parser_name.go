package xmlstream

import (
	"strings"
	"unicode/utf8"
)

// name reads a qualified name (Namespaces in XML 1.0, 4).
func (p *parser) name() (prefix, local string, err error) {
	s, start := p.src, p.pos
	i := start
	for i < len(s) && nameBytes[s[i]]&namePlain != 0 {
		i++
	}
	if i > start && i < len(s) && nameBytes[s[i]] == nameNot && nameBytes[s[start]]&nameStart != 0 {
		p.pos = i
		return "", s[start:i], nil // nearly every name
	}
	return p.otherName(start, i)
}

// otherName continues from i with a name that has a prefix, is not ASCII or is none.
func (p *parser) otherName(start, i int) (prefix, local string, err error) {
	s, colon, ascii := p.src, -1, true
	for {
		for i < len(s) && nameBytes[s[i]]&namePlain != 0 {
			i++
		}
		if i == len(s) || nameBytes[s[i]] == nameNot {
			break
		}
		if s[i] != ':' {
			ascii = false
		} else if colon < 0 {
			colon = i
		} else {
			return "", "", badName()
		}
		i++
	}
	p.pos = i
	if i == start || !isName(s[start:i], ascii) {
		return "", "", badName()
	}
	if colon < 0 {
		return "", s[start:i], nil
	}
	prefix, local = s[start:colon], s[colon+1:i]
	if prefix == "" || local == "" || !isName(prefix, true) || !isName(local, true) {
		return "", "", badQName()
	}
	return prefix, local, nil
}

// isName checks how a name starts and, unless it is ASCII, all of it.
func isName(s string, ascii bool) bool {
	if ascii && s[0] < utf8.RuneSelf {
		return s[0] == ':' || nameBytes[s[0]]&nameStart != 0
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
		if r != ':' && !isNameRune(r, i > 0) {
			return false
		}
	}
	return true
}
