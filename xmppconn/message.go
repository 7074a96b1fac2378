package xmppconn

import "github.com/perch-im/perch"

// decodeMessage decodes a message (RFC 6121, 5) and what rides in it: archive results and
// carbons first, because their payload is another message.
func decodeMessage(el *element, self perch.JID, now perch.Time) decoded {
	var d decoded
	if result := el.child(nsMAM, "result"); result != nil {
		d.mam = parseMAMResult(el, result, self, now)
		return d
	}
	if carbon, sent := carbonOf(el); carbon != nil {
		if inner := unwrapCarbon(el, carbon, sent, self); inner != nil {
			d.in = appendMessage(nil, inner, self, now, sent)
			return d
		}
		d.forged = "carbon" // what stands beside it is an ordinary message
	}
	d.in = appendMessage(nil, el, self, now, false)
	return d
}

// appendMessage appends what a message says. Of a message that we sent elsewhere only the
// text counts: its states and receipts are our own.
func appendMessage(in []perch.Inbound, el *element, self perch.JID, now perch.Time, sent bool) []perch.Inbound {
	from := sender(el, self)
	if el.attr("type") == "error" {
		return append(in, &perch.MessageError{ID: keep(el.attr("id")), From: from, Error: *parseStanzaError(el)})
	}
	m := textMessage(el, from, self, now)
	if sent {
		if m != nil {
			m.Sent = true
			in = append(in, m)
		}
		return in
	}
	if m != nil {
		in = append(in, m)
	}
	if el.attr("type") == "groupchat" {
		return in
	}
	if r := receiptIn(el, from); r != nil {
		in = append(in, r)
	}
	if state := chatState(el); state != "" {
		in = append(in, &perch.ChatStateIn{From: from, State: state})
	}
	return in
}

// textMessage returns the message if people can read something in it, else nil: a body, or
// the subject of a room (XEP-0045, 8.1).
func textMessage(el *element, from, self perch.JID, now perch.Time) *perch.MessageIn {
	kind := messageKind(el.attr("type"))
	body, subject := preferredText(el, "body"), preferredText(el, "subject")
	if body == "" && (subject == "" || kind != perch.GroupchatMessage) {
		return nil
	}
	to := self
	if v := el.attr("to"); v != "" {
		to = keepJID(v)
	}
	id := keep(el.attr("id"))
	return &perch.MessageIn{Message: perch.Message{
		ID:               id,
		StanzaID:         stanzaID(el, self),
		From:             from,
		To:               to,
		Kind:             kind,
		Body:             keep(body),
		Thread:           keep(el.childText(nsClient, "thread")),
		Subject:          keep(subject),
		Delay:            delayOf(el, now),
		Source:           perch.SourceLive,
		ReceiptRequested: id != "" && kind != perch.GroupchatMessage && el.child(nsReceipts, "request") != nil,
	}}
}

// messageKind reads the type: normal is the default, also for types that nobody knows (RFC
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

// preferredText takes the body or subject without an xml:lang, else the first one (RFC
// 6121, 5.2.3): we are not told which language the reader prefers.
func preferredText(el *element, local string) string {
	first := ""
	for _, c := range el.children {
		if !c.is(nsClient, local) {
			continue
		}
		if _, lang := c.attrNS(nsXML, "lang"); !lang && c.text != "" {
			return c.text
		}
		if first == "" {
			first = c.text
		}
	}
	return first
}

// appendMessageOut writes a message. Its id is also its origin-id (XEP-0359), so that a copy
// in an archive can be told from another message with the same id.
func appendMessageOut(w *writer, m *perch.MessageOut) {
	kind := m.Kind
	if kind == "" {
		kind = perch.ChatMessage
	}
	w.raw("<message")
	w.to(m.To)
	w.attr("/id", "id", m.ID)
	w.attr("/kind", "type", string(kind))
	w.raw(">")
	w.element("/subject", "subject", m.Subject)
	w.element("/body", "body", m.Body)
	w.element("/thread", "thread", m.Thread)
	if m.ID != "" {
		w.raw("<origin-id xmlns='" + nsSID + "'")
		w.attr("/id", "id", m.ID)
		w.raw("/>")
	}
	if m.Receipt {
		w.raw("<request xmlns='" + nsReceipts + "'/>")
	}
	w.raw("</message>")
}
