package stanza

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// reference reads XEP-0372 as far as it mentions somebody. Other references, and more than
// perch.MaxMentions, are left to clients that know them.
func (x *extras) reference(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("reference") || !el.Attr("type").Is("mention") {
		return false
	}
	jid := jidOfURI(el.Attr("uri").Peek())
	if jid == "" || x.details != nil && len(x.details.Mentions) >= perch.MaxMentions {
		return false
	}
	m := perch.Mention{JID: jid}
	if r, ok := parseSpan(el.Attr("begin"), el.Attr("end")); ok {
		m.Begin, m.End = r.begin, r.end
	}
	d := x.more()
	d.Mentions = append(d.Mentions, m)
	x.content = true
	return true
}

// shiftMention counts the range of a mention in a body of n code points from which others are taken out,
// in order. A range that is not in what is left is none.
func shiftMention(m *perch.Mention, n int, out []span) {
	if m.End > n {
		m.Begin, m.End = 0, 0
	}
	begin, end := m.Begin, m.End
	for _, r := range out {
		switch {
		case r.end <= m.Begin:
			begin, end = begin-(r.end-r.begin), end-(r.end-r.begin)
		case r.begin < m.End:
			m.Begin, m.End = 0, 0
			return
		}
	}
	m.Begin, m.End = begin, end
}

// maxJIDBytes is the longest address (RFC 7622, 3.1).
const maxJIDBytes = 3071

// jidOfURI is the address in a URI of XMPP (RFC 5122); "" when there is none.
func jidOfURI(uri string) perch.JID {
	if len(uri) < len("xmpp:") || !strings.EqualFold(uri[:len("xmpp:")], "xmpp:") {
		return ""
	}
	text := uri[len("xmpp:"):]
	if end := strings.IndexAny(text, "?#"); end >= 0 {
		text = text[:end]
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b = append(b, text[i])
			continue
		}
		if i+2 >= len(text) {
			return ""
		}
		c, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return ""
		}
		b = append(b, byte(c))
		i += 2
	}
	jid := perch.JID(b)
	if len(b) > maxJIDBytes || !utf8.Valid(b) || jid.Domain() == "" || strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return jid
}

// uriOf is the URI of an address.
func uriOf(jid perch.JID) string {
	const digits, plain = "0123456789ABCDEF", "-._~!$&'()*+,;=:@/"
	b := append(make([]byte, 0, len("xmpp:")+len(jid)), "xmpp:"...)
	for _, c := range []byte(jid) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(plain, c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

// mentions writes references into a body, which begins behind a quote of so many code points.
func (w *writer) mentions(list []perch.Mention, body string, quoted int) {
	if len(list) > perch.MaxMentions {
		w.fail("/mentions", "at most %d are allowed", perch.MaxMentions)
	}
	n := 0
	if len(list) > 0 {
		n = utf8.RuneCountInString(body)
	}
	for i, m := range list {
		field := "/mentions/" + strconv.Itoa(i)
		ranged := m.Begin != 0 || m.End != 0
		switch {
		case m.JID == "":
			w.fail(field+"/jid", "an address is required")
		case !utf8.ValidString(string(m.JID)):
			w.fail(field+"/jid", "it must be valid UTF-8")
		case ranged && (m.Begin < 0 || m.End <= m.Begin || m.End > n):
			w.fail(field+"/end", "the range must lie in the body")
		}
		w.Raw("<reference xmlns='" + nsReference + "' type='mention'")
		w.Attr(field+"/jid", "uri", uriOf(m.JID))
		if ranged {
			w.Attr(field, "begin", strconv.Itoa(m.Begin+quoted))
			w.Attr(field, "end", strconv.Itoa(m.End+quoted))
		}
		w.Raw("/>")
	}
}
