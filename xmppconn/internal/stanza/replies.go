package stanza

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// reply reads XEP-0461.
func (x *extras) reply(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("reply") || el.Attr("id").Empty() {
		return false
	}
	if d := x.more(); d.ReplyTo == nil {
		d.ReplyTo = &perch.Reply{ID: el.Attr("id").Copy(), From: copyJID(el.Attr("to"))}
	}
	x.content = true
	return true
}

// fallback reads XEP-0428: which part of the body is there for those who do not know a feature. Only
// that of a reply is of use: what it repeats is not new.
func (x *extras) fallback(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("fallback") {
		return false
	}
	if el.Attr("for").Is(nsReply) {
		x.quoted.read(el)
	}
	return true
}

// span is a range of code points: begin is the first one, end the one behind the last.
type span struct{ begin, end int }

// spans are the parts of a body that a fallback names.
type spans struct {
	whole bool
	list  [8]span // more are ignored
	n     int
}

// read takes the ranges of a fallback. One that names no part means the whole body; a range that
// makes no sense is ignored.
func (s *spans) read(fallback *xmlstream.Borrowed) {
	if fallback.Count() == 0 {
		s.whole = true
	}
	for c := range fallback.Children() {
		start, end := c.Attr("start"), c.Attr("end")
		switch {
		case !c.Local().Is("body"):
		case start.Empty() && end.Empty():
			s.whole = true
		default:
			if r, ok := parseSpan(start, end); ok && s.n < len(s.list) {
				s.list[s.n] = r
				s.n++
			}
		}
	}
}

func parseSpan(begin, end xmlstream.Text) (span, bool) {
	b, errB := strconv.ParseUint(begin.Peek(), 10, 31)
	e, errE := strconv.ParseUint(end.Peek(), 10, 31)
	return span{int(b), int(e)}, errB == nil && errE == nil && b < e
}

// within returns the ranges that lie in a text of n code points, in order and apart from each other.
func (s *spans) within(n int) (list []span) {
	if s.whole && n > 0 {
		return []span{{0, n}}
	}
	for _, r := range s.list[:s.n] {
		if r.end <= n {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b span) int { return a.begin - b.begin })
	apart := list[:0]
	for _, r := range list {
		if last := len(apart) - 1; last >= 0 && r.begin <= apart[last].end {
			apart[last].end = max(apart[last].end, r.end)
		} else {
			apart = append(apart, r)
		}
	}
	return apart
}

// cutOut takes ranges out of a text, which lie in it, in order and apart.
func cutOut(text string, ranges []span) (rest, cut string) {
	var left, out strings.Builder
	from, point := 0, 0
	for at := range text {
		switch {
		case len(ranges) == 0:
		case point == ranges[0].begin:
			left.WriteString(text[from:at])
			from = at
		case point == ranges[0].end:
			out.WriteString(text[from:at])
			from, ranges = at, ranges[1:]
		}
		point++
	}
	if len(ranges) > 0 { // it ends with the text
		out.WriteString(text[from:])
	} else {
		left.WriteString(text[from:])
	}
	return left.String(), out.String()
}

// applyRanges takes what is quoted out of the body, and counts the ranges of mentions in what is left.
func (x *extras) applyRanges(m *perch.Message) {
	if x.details == nil || x.details.ReplyTo == nil && x.details.Mentions == nil {
		return
	}
	n, quoted := utf8.RuneCountInString(m.Body), []span(nil)
	if x.details.ReplyTo != nil {
		quoted = x.quoted.within(n)
	}
	for i := range x.details.Mentions {
		shiftMention(&x.details.Mentions[i], n, quoted)
	}
	if len(quoted) > 0 {
		rest, quote := cutOut(m.Body, quoted)
		m.Body, x.details.ReplyTo.Excerpt = rest, excerptOf(quote)
	}
}

// excerptOf is a quote without its marks, not longer than perch.MaxExcerptBytes.
func excerptOf(quote string) string {
	lines := strings.Split(quote, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, ">"); ok {
			lines[i] = strings.TrimPrefix(rest, " ")
		}
	}
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	if len(text) <= perch.MaxExcerptBytes {
		return text
	}
	end := perch.MaxExcerptBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// quoteOf is an excerpt as older clients show it.
func quoteOf(excerpt string) string { return "> " + strings.ReplaceAll(excerpt, "\n", "\n> ") + "\n" }

// reply writes what a message answers; of the body its first so many code points are the quote.
func (w *writer) reply(r *perch.Reply, quoted int) {
	if r.ID == "" {
		w.fail("/reply_to/id", "the id of the message is required")
	}
	w.Raw("<reply xmlns='" + nsReply + "'")
	w.Attr("/reply_to/from", "to", string(r.From))
	w.Attr("/reply_to/id", "id", r.ID)
	w.Raw("/>")
	if quoted > 0 {
		w.Raw("<fallback xmlns='" + nsFallback + "' for='" + nsReply + "'><body start='0' end='")
		w.Int(int64(quoted))
		w.Raw("'/></fallback>")
	}
}
