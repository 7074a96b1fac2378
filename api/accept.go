package api

import (
	"net/http"
	"strconv"
	"strings"
)

// mediaRange is one range of an Accept header (RFC 9110, 12.5.1). Everything but the values
// of parameters is in lower case.
type mediaRange struct {
	group, sub string // "*" is any
	params     [][2]string
	q          float64
}

// Precisions of a match, least first: any type, the group, the type, the type with
// parameters.
const (
	matchNone  = -1
	matchAny   = 0
	matchGroup = 1
	matchType  = 2
	matchExact = 3
)

// maxRanges bounds what is read of an Accept header; browsers send about ten ranges.
const maxRanges = 64

// acceptOf parses the Accept header of r. A range that is not well formed is left out; nil
// means that nothing was asked for, which accepts everything.
func acceptOf(r *http.Request) (ranges []mediaRange) {
	for part := range splitQuoted(strings.Join(r.Header.Values("Accept"), ","), ',') {
		if m, ok := parseRange(part); ok && len(ranges) < maxRanges {
			ranges = append(ranges, m)
		}
	}
	return ranges
}

func parseRange(text string) (m mediaRange, ok bool) {
	m.q = 1
	first := true
	for part := range splitQuoted(text, ';') {
		part = strings.Trim(part, " \t")
		if first {
			first = false
			if m.group, m.sub, ok = parseMedia(strings.ToLower(part)); !ok {
				return m, false
			}
			continue
		}
		if part == "" {
			continue // "type/sub;"
		}
		name, value, ok := strings.Cut(part, "=")
		if name = strings.ToLower(strings.Trim(name, " \t")); !ok || !isToken(name) {
			return m, false
		}
		if value = quotedValue(strings.Trim(value, " \t")); name == "q" {
			m.q = weight(value)
			return m, true // what follows a weight is no parameter of the type (RFC 7231, 5.3.2)
		}
		m.params = append(m.params, [2]string{name, value})
	}
	return m, ok
}

// parseMedia reads "group/sub"; a lone "*", which old HTTP clients send, is "*/*".
func parseMedia(s string) (group, sub string, ok bool) {
	if s == "*" {
		return "*", "*", true
	}
	group, sub, _ = strings.Cut(s, "/")
	return group, sub, isToken(group) && isToken(sub) && (group != "*" || sub == "*")
}

// match is how precisely the range names a representation.
func (m *mediaRange) match(offer mediaRange) int {
	switch {
	case m.group == "*":
		return matchAny
	case m.group != offer.group:
		return matchNone
	case m.sub == "*":
		return matchGroup
	case m.sub != offer.sub:
		return matchNone
	case len(m.params) == 0:
		return matchType
	}
	for _, p := range m.params {
		if !offer.has(p) {
			return matchNone
		}
	}
	return matchExact
}

// has reports whether a representation has a parameter. All text of this API is UTF-8.
func (m *mediaRange) has(param [2]string) bool {
	if param[0] == "charset" {
		return isUTF8Label(param[1])
	}
	for _, p := range m.params {
		if p[0] == param[0] && strings.EqualFold(p[1], param[1]) {
			return true
		}
	}
	return false
}

// preference is how much a client likes a representation: first the weight of the most
// precise range that names it, then how precisely that names it. 0 of q: not at all.
type preference struct {
	q         float64
	precision int
}

func (p preference) over(other preference) bool {
	return p.q > other.q || p.q == other.q && p.q > 0 && p.precision > other.precision
}

func preferenceFor(ranges []mediaRange, media string) preference {
	offer, _ := parseRange(media)
	best := preference{precision: matchNone}
	if len(ranges) == 0 {
		return preference{q: 1, precision: matchAny}
	}
	for i := range ranges {
		p := preference{ranges[i].q, ranges[i].match(offer)}
		if p.precision > best.precision || p.precision == best.precision && p.precision != matchNone && p.q > best.q {
			best = p
		}
	}
	return best
}

// negotiate picks the offer that the Accept header of r prefers. Among equals the first
// offer wins, and so it does when none is acceptable (RFC 9110, 12.5.1 leaves that to the
// server): a client that cannot read it at least gets its type.
func negotiate(r *http.Request, offers ...string) string {
	ranges := acceptOf(r)
	best, preferred := offers[0], preferenceFor(ranges, offers[0])
	for _, offer := range offers[1:] {
		if p := preferenceFor(ranges, offer); p.over(preferred) {
			best, preferred = offer, p
		}
	}
	return best
}

// weight reads a qvalue (RFC 9110, 12.4.2), with more digits than it may have if need be.
// One that is not valid is 0: not accepted.
func weight(s string) float64 {
	for _, c := range s {
		if c != '.' && (c < '0' || c > '9') {
			return 0
		}
	}
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || q > 1 {
		return 0
	}
	return q
}

// splitQuoted yields the parts of s between separators that are outside of quoted strings
// (RFC 9110, 5.6.4).
func splitQuoted(s string, sep byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		begin, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++
			case c == sep && !quoted:
				if !yield(s[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
		yield(s[begin:])
	}
}

// quotedValue reads a value that may be a quoted string.
func quotedValue(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i < len(s)-2 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isToken reports whether s is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7F || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// isUTF8Label reports whether a charset parameter means UTF-8. "utf8" is not registered, but
// many clients send it, and the Encoding Standard, 4.2 accepts it. ASCII is a part of UTF-8.
func isUTF8Label(label string) bool {
	switch strings.ToLower(strings.Trim(label, " \t'")) {
	case "utf-8", "utf8", "unicode-1-1-utf-8", "us-ascii", "ascii":
		return true
	}
	return false
}
