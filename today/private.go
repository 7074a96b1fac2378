package today

import (
	"encoding/xml"
	"slices"

	"github.com/perch-im/perch/internal/xmppserver"
)

const nsPrivate = "jabber:iq:private"

// maxPrivate bounds the documents of one account in private storage; their bytes count as those of nodes.
const maxPrivate = 20

// privateFeature is private storage (XEP-0049).
var privateFeature = feature{iq: map[xml.Name]func(*request){
	{Space: nsPrivate, Local: "query"}: private,
}, server: []string{nsPrivate}}

// private answers with a document, which is an empty one where there is none, or replaces it.
func private(r *request) {
	list := r.payload.Elements()
	switch {
	case !r.own():
		r.fail("forbidden")
	case len(list) != 1 || list[0].Name.Space == nsPrivate:
		r.fail("bad-request")
	case !r.set:
		doc := r.from.acct.privateDocument(list[0].Name)
		r.result(append(doc.Append([]byte("<query xmlns='"+nsPrivate+"'>"), nsPrivate), "</query>"...))
	default:
		if condition := r.s.setPrivate(r.from.acct, list[0]); condition != "" {
			r.fail(condition)
			return
		}
		r.result(nil)
	}
}

func isBookmarks(name xml.Name) bool {
	return name.Space == nodeOldBookmarks && name.Local == "storage"
}

func (a *account) privateDocument(name xml.Name) *xmppserver.Element {
	if isBookmarks(name) {
		return a.document()
	}
	if i := slices.IndexFunc(a.private, func(i item) bool { return i.payload.Name == name }); i >= 0 {
		return a.private[i].payload
	}
	return &xmppserver.Element{Name: name}
}

// setPrivate returns the condition of a stanza error, or "".
func (s *Service) setPrivate(a *account, doc *xmppserver.Element) string {
	if isBookmarks(doc.Name) {
		condition := s.publish(a, nodeOldBookmarks, bookmarksConfig(1), newItem("current", doc))
		if condition == "" {
			condition = s.readDocument(a)
		}
		return condition
	}
	made := newItem("", doc)
	i := slices.IndexFunc(a.private, func(i item) bool { return i.payload.Name == doc.Name })
	more := made.bytes
	if i >= 0 {
		more -= a.private[i].bytes
	}
	if i < 0 && len(a.private) >= maxPrivate || a.pep.bytes+more > maxNodeBytes {
		return "resource-constraint"
	}
	a.pep.bytes += more
	if i >= 0 {
		a.private[i] = made
	} else {
		a.private = append(a.private, made)
	}
	return ""
}
