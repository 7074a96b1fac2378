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
	m := incoming{decoder: r, el: el, has: payloadsOf(el)}
	if el.Attr("type").Is("error") {
		d.In = m.inbound()
		return d
	}
	if result := m.archiveResult(); result != nil {
		if from := el.Attr("from"); result.Is(nsMAM, "result") && (from.Empty() || r.self.Bare().Equal(peekJID(from))) {
			d.Archived = r.readResult(el, result)
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
	has    payloads
	around envelope
	sent   bool // by another device of the account
}

// archiveResult is the archive result that the message brings, or nil.
func (m incoming) archiveResult() *xmlstream.Borrowed {
	if !m.has.any(withResult) {
		return nil
	}
	return archiveResultOf(m.el)
}

// unwrap returns the message in a carbon, or the message itself when there is none that its
// sender may send. Forged is what was claimed without the right to, on either level.
func (m incoming) unwrap() (_ incoming, forged string) {
	if !m.has.any(withCarbon) {
		return m, ""
	}
	el := m.el
	carbon, sent := carbonOf(el)
	if carbon == nil {
		return m, ""
	}
	inner := unwrapCarbon(el, carbon, sent, m.self)
	if inner == nil {
		return m, "carbon"
	}
	m.el, m.sent, m.has = inner, sent, payloadsOf(inner)
	m.around = append(envelope{carbon.Child(nsForward, "forwarded"), carbon, el}, m.around...)
	if m.archiveResult() != nil {
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
	el := m.el
	if el.Attr("type").Is("error") {
		return append(in, &perch.MessageError{ID: el.Attr("id").Copy(), From: sender(el, m.self), Error: *parseStanzaError(el)})
	}
	box, reason := m.content()
	if box == nil {
		if m.sent || !m.has.any(withReceipt|withState) || el.Attr("type").Is("groupchat") {
			return nil
		}
		box = &messageBox{}
		box.From = sender(el, m.self)
	} else if in = box.in[:0]; reason != "" {
		in = append(in, &perch.DroppedIn{Dropped: perch.Dropped{Reason: reason, From: box.From, StanzaID: box.StanzaID}, Of: box.Message})
	} else {
		box.Sent = m.sent
		in = append(in, &box.MessageIn)
	}
	if m.sent || el.Attr("type").Is("groupchat") {
		return in
	}
	return m.signals(in, box)
}

// signals appends the receipt and the chat state that a message has.
func (m incoming) signals(in []perch.Inbound, box *messageBox) []perch.Inbound {
	if m.has.any(withReceipt) {
		if r := receiptIn(m.el, box.From); r != nil {
			in = append(in, r)
		}
	}
	if m.has.any(withState) {
		if state := chatState(m.el); state != "" && !m.around.delayed(m.el) {
			box.state = perch.ChatStateIn{From: box.From, State: state}
			in = append(in, &box.state)
		}
	}
	return in
}

// messageBox is a message with the chat state beside it, in one piece of memory.
type messageBox struct {
	perch.MessageIn
	state perch.ChatStateIn
	in    [2]perch.Inbound
}

// content returns the message if people can read something in it: a body, what takes the place
// of one, or a subject alone (RFC 6121, 5.2.4; XEP-0045, 8.1). With a reason of event.dropped
// it is a message without text. Nil: there is nothing in it for a person. Live messages and
// archived ones both come this way, so that they cannot differ.
func (m incoming) content() (box *messageBox, reason string) {
	el := m.el
	body, subject := m.preferred(el, "body"), xmlstream.Text{}
	if m.has.any(withSubject) {
		subject = m.preferred(el, "subject")
	}
	var substitute, title string
	if body.Empty() {
		substitute, title = bodySubstitute(el)
		if substitute == "" && title == "" && subject.Empty() {
			if reason = droppedReason(el); reason == "" {
				return nil, ""
			}
		}
	}
	box = &messageBox{}
	box.Source, box.Kind = perch.SourceLive, messageKind(el.Attr("type").Peek())
	if m.has.any(withDelay) || m.around != nil {
		box.Delay = m.around.delay(el, m.now)
	}
	m.copyTexts(&box.Message, body, subject)
	box.Body, box.Subject = cmp.Or(box.Body, substitute), cmp.Or(box.Subject, title)
	box.ReceiptRequested = !m.sent && box.ID != "" && box.Kind != perch.GroupchatMessage &&
		m.has.any(withRequest) && el.Child(nsReceipts, "request") != nil
	return box, reason
}

// copyTexts copies the texts of a message, all of them at once.
func (m incoming) copyTexts(into *perch.Message, body, subject xmlstream.Text) {
	el := m.el
	from, to, id := el.Attr("from"), el.Attr("to"), el.Attr("id")
	var stanza, room, origin, thread xmlstream.Text
	if m.has.any(withStanzaID) {
		stanza = stanzaID(el, m.self.Bare())
		room = roomStanzaID(el, peekSender(el, m.self), into.Kind)
	}
	if m.has.any(withOriginID) {
		origin = originID(el)
	}
	if m.has.any(withThread) {
		thread = el.ChildText(nsClient, "thread")
	}
	var t texts
	t.grow(from, to, id, stanza, room, origin, thread, body, subject)
	into.From, into.To = t.sender(el, m.self), m.self
	if !to.Empty() && !to.Is(string(m.self)) {
		into.To = t.jid(to)
	}
	into.ID = t.copy(id)
	if into.OriginID = into.ID; !origin.Is(into.ID) {
		into.OriginID = t.copy(origin)
	}
	into.StanzaID, into.RoomStanzaID = t.copy(stanza), t.copy(room)
	into.Body, into.Subject, into.Thread = t.copy(body), t.copy(subject), t.copy(thread)
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
