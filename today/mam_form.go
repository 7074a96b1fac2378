package today

import (
	"strconv"
	"strings"
	"time"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// fieldFulltext is the field of the form by which an archive is searched for words (XEP-0431).
const fieldFulltext = "{urn:xmpp:fulltext:0}fulltext"

// Bounds of a page, and of the ids and the words that can be asked for at once: a search holds the lock of
// the service.
const (
	archivePageDefault = 50
	archivePageMax     = 250
	maxArchiveIDs      = 250
	maxArchiveWords    = 20
)

// parseArchiveQuery reads a query (XEP-0313, 4.1 and 4.3) and returns the condition of a stanza error,
// or "".
func parseArchiveQuery(e *xmppserver.Element) (q archiveQuery, condition string) {
	q.max = archivePageDefault
	q.flip = e.Child(nsMAM, "flip-page") != nil
	if x := e.Child(nsForms, "x"); x != nil {
		f, ok := parseForm(x)
		if !ok || f.kind != nsMAM {
			return q, "bad-request"
		}
		for name := range f.fields {
			if condition := q.filter(name, f); condition != "" {
				return q, condition
			}
		}
	}
	return q, q.page(e.Child(xmppserver.NSRSM, "set"))
}

// filter takes one field of the form. What is not known is refused: without it the answer would be of
// another question.
func (q *archiveQuery) filter(name string, f form) string {
	value := f.text(name)
	var ok bool
	switch name {
	case "with":
		j, err := perch.ParseJID(value)
		q.with, ok = string(j), err == nil
	case "start":
		q.start, ok = parseStamp(value)
	case "end":
		q.end, ok = parseStamp(value)
	case "before-id":
		q.beforeID, ok = value, value != ""
	case "after-id":
		q.afterID, ok = value, value != ""
	case "ids":
		q.ids = f.fields[name]
		ok = len(q.ids) <= maxArchiveIDs
	case fieldFulltext:
		q.words = strings.Fields(strings.ToLower(strings.Join(f.fields[name], " ")))
		ok = len(q.words) <= maxArchiveWords
	default:
		return "feature-not-implemented"
	}
	if !ok {
		return "bad-request"
	}
	return ""
}

// parseStamp reads a time of XEP-0082.
func parseStamp(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err == nil
}

// page takes the part that asks for a page (XEP-0059). set may be nil.
func (q *archiveQuery) page(set *xmppserver.Element) string {
	if max := set.Child(xmppserver.NSRSM, "max"); max != nil {
		n, err := strconv.ParseUint(strings.TrimSpace(max.Text()), 10, 31)
		if err != nil {
			return "bad-request"
		}
		q.max = min(int(n), archivePageMax)
	}
	if set.Child(xmppserver.NSRSM, "index") != nil {
		return "feature-not-implemented" // 2.6
	}
	if before := set.Child(xmppserver.NSRSM, "before"); before != nil {
		q.before, q.last = before.Text(), true
	}
	q.after = set.Child(xmppserver.NSRSM, "after").Text()
	return ""
}

// archiveForm is what an archive can be asked by (XEP-0313, 4.1.1).
func archiveForm() []byte {
	b := appendForm([]byte("<query xmlns='"+nsMAM+"'>"), "form", nsMAM)
	b = appendField(b, "jid-single", "with")
	for _, name := range [...]string{"start", "end", "before-id", "after-id"} {
		b = appendField(b, "text-single", name)
	}
	b = appendField(b, "list-multi", "ids")
	b = appendField(b, "text-single", fieldFulltext)
	return append(b, "</x></query>"...)
}
