package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// correction reads XEP-0308: the message is the new text of an earlier one, the original.
func (x *extras) correction(el *xmlstream.Borrowed) bool {
	if !el.Local().Is("replace") || el.Attr("id").Empty() {
		return false
	}
	x.relate(perch.Relation{Kind: perch.RelationEdit, Target: el.Attr("id").Copy()})
	return true
}

// relate says what the message does to an earlier one. Of several the first counts, but for an
// edit: what takes a message back, or only reacts to it, has no new text for it.
func (x *extras) relate(r perch.Relation) {
	if x.relation == nil || x.relation.Kind == perch.RelationEdit {
		x.relation = &r
	}
}

func (w *writer) correction(r *perch.Relation) {
	w.target("replace", nsCorrection, r)
	w.Raw("/>")
}

// target writes the start tag of an element that names the message that it is about, up to its end.
func (w *writer) target(name, space string, r *perch.Relation) {
	if r.Target == "" {
		w.fail("/target", "the id of the message is required")
	}
	w.Raw("<" + name + " xmlns='" + space + "'")
	w.Attr("/target", "id", r.Target)
}
