package stanza

import (
	"cmp"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// message decodes a message (RFC 6121, 5) and what rides in it: archive results and
// carbons first, because their payload is another message. One that its sender may not send
// is counted, and what stands beside it is an ordinary message. An error repeats what it
// answers to, wrappers included: there they say nothing.
func (r decoder) message(el *xmlstream.Borrowed) Decoded {
	var d Decoded
	m := incoming{decoder: r, el: el}
	if el.Attr("type").Is("error") {
		d.In = m.inbound()
		return d
	}
	if result := archiveResultOf(el); result != nil {
		if from := el.Attr("from"); result.Is(nsMAM, "result") && (from.Empty() || r.self.Bare().Equal(peekJID(from))) {
			d.Archived = r.archiveResult(el, result)
		} else {
			d.Forged = "archive result"
		}
	}
	m, forged := m.unwrap()
	d.Forged = cmp.Or(forged, d.Forged)
	d.In = m.inbound()
	return d
}

// incoming is one message, as it arrived or as it was in a carbon.
type incoming struct {
	decoder
	el     *xmlstream.Borrowed
	around envelope
	sent   bool // by another device of the account
}

// unwrap returns the message in a carbon, or the message itself when there is none that its
// sender may send. Forged is what was claimed without the right to, on either level.
func (m incoming) unwrap() (_ incoming, forged string) {
	el := m.el
	carbon, sent := carbonOf(el)
	if carbon == nil {
		return m, ""
	}
	inner := unwrapCarbon(el, carbon, sent, m.self)
	if inner == nil {
		return m, "carbon"
	}
	m.el, m.sent = inner, sent
	m.around = append(envelope{carbon.Child(nsForward, "forwarded"), carbon, el}, m.around...)
	if archiveResultOf(inner) != nil {
		return m, "archive result"
	} else if nested, _ := carbonOf(inner); nested != nil {
		return m, "carbon"
	}
	return m, ""
}

// inbound returns what a message says. Of a message that another device of the account sent
// only the content counts: its states and receipts are our own. A chat state is about the
// moment at which it is sent: one that was held back on its way says nothing any more.
func (m incoming) inbound() (in []perch.Inbound) {
	el, from := m.el, sender(m.el, m.self)
	if el.Attr("type").Is("error") {
		return append(in, &perch.MessageError{ID: el.Attr("id").Copy(), From: from, Error: *parseStanzaError(el)})
	}
	switch message, reason := m.content(from); {
	case reason != "":
		of := message.Message
		in = append(in, &perch.DroppedIn{Dropped: perch.Dropped{Reason: reason, From: from, StanzaID: of.StanzaID}, Of: of})
	case message != nil:
		message.Sent = m.sent
		in = append(in, message)
	}
	if m.sent || el.Attr("type").Is("groupchat") {
		return in
	}
	if r := receiptIn(el, from); r != nil {
		in = append(in, r)
	}
	if state := chatState(el); state != "" && !m.around.delayed(el) {
		in = append(in, &perch.ChatStateIn{From: from, State: state})
	}
	return in
}

// content returns the message if people can read something in it: a body, what takes the place
// of one, or a subject alone (RFC 6121, 5.2.4; XEP-0045, 8.1). With a reason of event.dropped
// it is a message without text. Nil: there is nothing in it for a person. Live messages and
// archived ones both come this way, so that they cannot differ.
func (m incoming) content(from perch.JID) (_ *perch.MessageIn, reason string) {
	el := m.el
	kind := messageKind(el.Attr("type").Peek())
	body, subject := m.preferred(el, "body").Copy(), m.preferred(el, "subject").Copy()
	if body == "" {
		var title string
		if body, title = bodySubstitute(el); subject == "" {
			subject = title
		}
	}
	if body == "" && subject == "" {
		if reason = droppedReason(el); reason == "" {
			return nil, ""
		}
	}
	to := m.self
	if v := el.Attr("to"); !v.Empty() {
		to = copyJID(v)
	}
	id := el.Attr("id").Copy()
	return &perch.MessageIn{Message: perch.Message{
		ID:               id,
		StanzaID:         stanzaID(el, m.self.Bare()),
		RoomStanzaID:     roomStanzaID(el, from, kind),
		OriginID:         originID(el),
		From:             from,
		To:               to,
		Kind:             kind,
		Body:             body,
		Thread:           el.ChildText(nsClient, "thread").Copy(),
		Subject:          subject,
		Delay:            m.around.delay(el, m.now),
		Source:           perch.SourceLive,
		ReceiptRequested: !m.sent && id != "" && kind != perch.GroupchatMessage && el.Child(nsReceipts, "request") != nil,
	}}, reason
}

// messageKind reads the type: normal is the default, also for unknown types (RFC
// 6121, 5.2.2).
func messageKind(typ string) perch.MessageKind {
	switch typ {
	case "chat":
		return perch.ChatMessage
	case "groupchat":
		return perch.GroupchatMessage
	case "headline":
		return perch.HeadlineMessage
	}
	return perch.NormalMessage
}

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
	w.Element("/body", "body", m.Body)
	w.Element("/thread", "thread", m.Thread)
	if m.ID != "" {
		w.Raw("<origin-id xmlns='" + nsSID + "'")
		w.Attr("/id", "id", m.ID)
		w.Raw("/>")
	}
	if m.Receipt {
		w.Raw("<request xmlns='" + nsReceipts + "'/>")
	}
	w.Raw("</message>")
}
