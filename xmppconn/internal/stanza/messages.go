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
		switch from := el.Attr("from"); {
		case result.Is(nsMAM, "result") && (from.Empty() || r.self.Bare().Equal(peekJID(from))):
			d.Archived = r.readResult(el, result)
		case result.Is(nsMAM, "result") && m.room() != "":
			d.Archived = r.readRoomResult(el, result)
		default:
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
	if m.unwanted() {
		return nil
	}
	box, reason, invited := m.content()
	if said := m.fromRoom(box, reason); said != nil {
		return append(in, said)
	}
	switch {
	case box == nil:
		return m.aside()
	case invited != nil:
		in = append(box.in[:0], &perch.RoomInvitedIn{RoomInvitation: *invited, Of: box.Message})
	case reason != "":
		in = append(box.in[:0], plain(box, reason))
	default:
		box.Sent = m.sent
		in = append(box.in[:0], plain(box, ""))
	}
	return m.signals(in, box)
}

// aside is what a message says in which there is nothing for a person.
func (m incoming) aside() []perch.Inbound {
	if in := m.readEvent(); in != nil {
		return in
	}
	if in := m.bookmarksEvent(); in != nil {
		return in
	}
	if in := m.nickEvent(); in != nil {
		return in
	}
	if !m.has.any(withReceipt | withState | withRoom) {
		return nil
	}
	box := &messageBox{}
	box.From = sender(m.el, m.self)
	return m.signals(nil, box)
}

// signals appends the receipt and the chat state that a message has, or how far the account has
// read. Receipts of a room would be of everybody.
func (m incoming) signals(in []perch.Inbound, box *messageBox) []perch.Inbound {
	if m.isGroupchat() || m.has.any(withRoom) {
		in = m.roomSignals(in)
	}
	if m.isGroupchat() {
		return in
	}
	if read := m.ownMarker(); read != nil {
		in = append(in, read)
	} else if m.has.any(withReceipt) && !m.sent {
		if r := receiptIn(m.el, box.From); r != nil {
			in = append(in, r)
		}
	}
	if m.has.any(withState) && !m.sent {
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
// of one, a subject alone (RFC 6121, 5.2.4; XEP-0045, 8.1), or what clients know that this gateway
// does not. A control message is one, too. With a reason of event.dropped it is a message without
// text; invited then says more of an invitation to a room. Nil: there is nothing in it for a person.
// Live messages and archived ones both come this way, so that they cannot differ.
func (m incoming) content() (box *messageBox, reason string, invited *perch.RoomInvitation) {
	el := m.el
	body, subject := m.preferred(el, "body"), xmlstream.Text{}
	if m.has.any(withSubject) {
		subject = m.preferred(el, "subject")
	}
	var x *extras
	var substitute, title string
	if m.has.any(withExtras) {
		x = m.extras(body)
		if body.Empty() {
			substitute, title = x.bodySubstitute()
		}
	}
	shown, reason := x.verdict(!body.Empty() || !subject.Empty() || substitute != "" || title != "")
	if !shown {
		return nil, "", nil
	}
	if reason != "" {
		body, subject, substitute, title = xmlstream.Text{}, xmlstream.Text{}, "", ""
		invited = x.invited
	}
	box = &messageBox{}
	box.Source, box.Kind = perch.SourceLive, messageKind(el.Attr("type").Peek())
	if m.has.any(withDelay) || m.around != nil {
		box.Delay = m.around.delay(el, m.now)
	}
	m.copyTexts(&box.Message, body, subject)
	box.Body, box.Subject = cmp.Or(box.Body, substitute), cmp.Or(box.Subject, title)
	m.placeInRoom(&box.MessageIn)
	box.ReceiptRequested = !m.sent && box.ID != "" && box.Kind != perch.GroupchatMessage &&
		m.has.any(withRequest) && el.Child(nsReceipts, "request") != nil
	if reason == "" {
		x.apply(&box.MessageIn)
	}
	return box, reason, invited
}

// isGroupchat reports whether it is a message of a room.
func (m incoming) isGroupchat() bool { return m.el.Attr("type").Is("groupchat") }

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
