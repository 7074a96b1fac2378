package stanza

import (
	"strings"

	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// bodySubstitute is what a message without a body shows all the same: the address of a file
// (XEP-0066, XEP-0447) with its description as a title, or the text of XHTML (XEP-0071).
func (x *extras) bodySubstitute() (body, title string) {
	if x.details != nil && len(x.details.Attachments) > 0 {
		f := &x.details.Attachments[0]
		return f.URL, f.Description
	}
	var b strings.Builder
	html := x.el.Child(nsXHTMLIM, "html")
	if xhtml := html.Child(nsXHTML, "body"); xhtml == nil || !plainTextOf(xhtml, &b) {
		return "", ""
	}
	x.foreign.remove(html)
	return strings.TrimSpace(b.String()), ""
}

// plainTextOf appends the text of XHTML, a line for each block. It reports false when an
// element has both text and elements in it: a tree does not keep their order, and a garbled
// text is worse than none.
func plainTextOf(el *xmlstream.Borrowed, b *strings.Builder) bool {
	text, leaf := el.InnerText(), true
	for range el.Children() {
		leaf = false
		break
	}
	if !text.Empty() && !leaf {
		return false
	}
	b.WriteString(text.Peek())
	for c := range el.Children() {
		if !plainTextOf(c, b) {
			return false
		}
		switch c.Local().Peek() {
		case "p", "div", "br", "li", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6":
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
	}
	return true
}
