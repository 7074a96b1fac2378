package stanza

import (
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// appendMessageOut writes a message. Its id is also its origin-id (XEP-0359), so that a copy
// in an archive can be distinguished from another message with the same id.
func appendMessageOut(w *writer, m *perch.MessageOut) {
	kind := m.Kind
	if kind == "" {
		kind = perch.ChatMessage
	}
	w.Raw("<message")
	w.to(m.To)
	w.Attr("/id", "id", m.ID)
	w.Attr("/kind", "type", string(kind))
	w.Raw(">")
	w.Element("/subject", "subject", m.Subject)
	body, quote := bodyOut(m)
	w.Element("/body", "body", quote+body)
	w.Element("/thread", "thread", m.Thread)
	if m.ID != "" {
		w.Raw("<origin-id xmlns='" + nsSID + "'")
		w.Attr("/id", "id", m.ID)
		w.Raw("/>")
	}
	if m.Receipt && kind != perch.GroupchatMessage { // each occupant would answer (XEP-0184, 5.3)
		w.Raw("<request xmlns='" + nsReceipts + "'/>")
	}
	if m.Relation != nil {
		w.relation(m.Relation)
	}
	if m.Details != nil && !onlyControl(m) {
		w.details(m.Details, body, utf8.RuneCountInString(quote))
		if m.Details.Encryption != nil && m.Body != "" {
			w.fail("/body", "the body of an encrypted message is in its payloads; the sentence for those without a key is its fallback")
		}
	}
	if onlyControl(m) || m.Details != nil && (m.Details.Encryption != nil || body == "" && m.Details.Payloads != nil) {
		w.store()
	}
	w.Raw("</message>")
}

// onlyControl reports whether a message is about an earlier one and says nothing else.
func onlyControl(m *perch.MessageOut) bool {
	return m.Relation != nil && m.Relation.Kind != perch.RelationEdit
}

// bodyOut is the body of a message, and the quote before it for clients that do not know replies.
func bodyOut(m *perch.MessageOut) (body, quote string) {
	d := m.Details
	switch {
	case onlyControl(m):
		if m.Relation.Kind == perch.RelationRetraction {
			return retractionSentence, ""
		}
		return "", ""
	case d == nil:
		return m.Body, ""
	case d.Encryption != nil:
		return d.Fallback, ""
	}
	if body = m.Body; body == "" {
		body = fileBody(d.Attachments)
	}
	if body != "" && d.ReplyTo != nil && d.ReplyTo.Excerpt != "" {
		quote = quoteOf(d.ReplyTo.Excerpt)
	}
	return body, quote
}

func (w *writer) relation(r *perch.Relation) {
	switch r.Kind {
	case perch.RelationEdit:
		w.correction(r)
	case perch.RelationRetraction:
		w.retraction(r)
	case perch.RelationReactions:
		w.reactions(r)
	default:
		w.fail("/kind", "%q is not one of edit, retraction, reactions", string(r.Kind))
	}
}

// details writes what a message has beside its texts, as far as it is its sender's to say. Quoted is
// how many code points are before the body.
func (w *writer) details(d *perch.MessageDetails, body string, quoted int) {
	if d.ReplyTo != nil {
		if len(d.ReplyTo.Excerpt) > perch.MaxExcerptBytes {
			w.fail("/reply_to/excerpt", "at most %d bytes are allowed", perch.MaxExcerptBytes)
		}
		w.reply(d.ReplyTo, quoted)
	}
	w.attachments(d.Attachments)
	w.mentions(d.Mentions, body, quoted)
	if d.Markable {
		w.Raw("<markable xmlns='" + nsMarkers + "'/>")
	}
	if d.Unstyled {
		w.Raw("<unstyled xmlns='" + nsStyling + "'/>")
	}
	if d.Spoiler != nil {
		w.spoiler(d.Spoiler)
	}
	w.payloads(d.Payloads)
	if d.Encryption != nil {
		w.encryption(d.Encryption)
	}
}
