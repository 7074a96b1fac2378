package stanza

import (
	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// retractionSentence is what older clients show of a retraction (XEP-0424, 5).
const retractionSentence = "/me retracted a previous message, but it's unsupported by your client."

// retraction reads XEP-0424: a message is taken back, or this one was, and the archive has kept
// its place (a tombstone). A retraction may be a notice of a moderator's (XEP-0425).
func (x *extras) retraction(el *xmlstream.Borrowed) bool {
	switch {
	case el.Local().Is("retracted"):
		x.retracted(el, nil)
		return true
	case el.Is(nsRetraction, "retract") && !el.Attr("id").Empty():
		x.takeBack(el.Attr("id"), el, moderatedIn(el), el)
		return true
	}
	return false
}

// fastening reads the forms of before: what is done to a message is wrapped in its id.
func (x *extras) fastening(el *xmlstream.Borrowed) bool {
	id := el.Attr("id")
	if !el.Local().Is("apply-to") || id.Empty() {
		return false
	}
	if by := moderatedIn(el); by != nil && by.Child(nsRetractionOld, "retract") != nil {
		x.takeBack(id, el, by, by)
		return true
	}
	if retract := el.Child(nsRetractionOld, "retract"); retract != nil {
		x.takeBack(id, retract, nil, retract)
		return true
	}
	return false
}

// moderated reads the tombstone that a room leaves of a message that a moderator took back.
func (x *extras) moderated(el *xmlstream.Borrowed) bool {
	for _, space := range []string{nsRetraction, nsRetractionOld} {
		if retracted := el.Child(space, "retracted"); retracted != nil {
			x.retracted(retracted, el)
			return true
		}
	}
	return false
}

func moderatedIn(el *xmlstream.Borrowed) *xmlstream.Borrowed {
	if by := el.Child(nsModeration, "moderated"); by != nil {
		return by
	}
	return el.Child(nsModerationOld, "moderated")
}

// takeBack notes a retraction. In the name of a moderator only the room itself may say so.
func (x *extras) takeBack(id xmlstream.Text, el, by, reasonIn *xmlstream.Borrowed) {
	r := perch.Relation{Kind: perch.RelationRetraction, Target: id.Copy(), Reason: reasonOf(reasonIn)}
	if by != nil {
		if x.kind != perch.GroupchatMessage || !x.from.IsBare() {
			x.dropped = perch.DroppedNotAuthor
			return
		}
		r.Moderated, r.By = true, copyJID(by.Attr("by"))
		if r.Reason == "" {
			r.Reason = reasonOf(el)
		}
	}
	x.relate(r)
}

// retracted notes a tombstone. That of a moderator is by the element around it or inside of it.
func (x *extras) retracted(el, by *xmlstream.Borrowed) {
	t := &perch.Retracted{At: parseTime(el.Attr("stamp").Peek()), Reason: reasonOf(el)}
	if by == nil {
		by = moderatedIn(el)
	}
	if by != nil && x.kind == perch.GroupchatMessage {
		t.Moderated, t.By = true, copyJID(by.Attr("by"))
	}
	if by != nil && t.Reason == "" {
		t.Reason = reasonOf(by)
	}
	x.more().Retracted = t
}

// tombstone reports whether the message itself was taken back.
func (x *extras) tombstone() bool { return x.details != nil && x.details.Retracted != nil }

// reasonOf is the reason in an element, in whatever namespace of the feature it is.
func reasonOf(el *xmlstream.Borrowed) string {
	for c := range el.Children() {
		if c.Local().Is("reason") {
			return c.InnerText().Copy()
		}
	}
	return ""
}

// retraction writes a retraction without its body, which is retractionSentence.
func (w *writer) retraction(r *perch.Relation) {
	w.target("retract", nsRetraction, r)
	if r.Reason == "" {
		w.Raw("/>")
	} else {
		w.Raw(">")
		w.Element("/reason", "reason", r.Reason)
		w.Raw("</retract>")
	}
	w.Raw("<fallback xmlns='" + nsFallback + "' for='" + nsRetraction + "'/>")
}
