package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// ArchiveResult is one archived message (XEP-0313, 4.2), of the own archive or of that of a room. From is
// the sender of the stanza around it: only the archive that was asked may send it, and only with the id
// of the query.
type ArchiveResult struct {
	QueryID string
	From    perch.JID
	Item    *perch.ArchiveItem // nil: there is nothing in the archived stanza for a person
	Broken  bool               // there is no message in it
}

// MAMFin ends the answer to a query. First and last are ids for paging.
type MAMFin struct {
	Complete    bool
	First, Last string
	Count       int // -1: not said
}

// EncodeMAM asks for a page of the own archive (XEP-0313, 4.1). With neither Before nor
// After it is the newest page, or with only a Start the oldest one from there on. SearchField is what
// ParseArchiveForm gave, by which Text is looked for.
func EncodeMAM(q perch.ArchiveQuery, queryID, searchField string) ([]byte, error) {
	var w writer
	w.Raw("<query xmlns='" + nsMAM + "'")
	w.Attr("/id", "queryid", queryID)
	w.Raw("><x xmlns='" + nsForms + "' type='submit'><field var='FORM_TYPE' type='hidden'><value>" +
		nsMAM + "</value></field>")
	w.formField("?with", "with", string(q.With))
	w.formField("?start", "start", formatTime(q.Start))
	w.formField("?end", "end", formatTime(q.End))
	w.formField("?ids", "ids", q.ID)
	w.formField("?q", searchField, q.Text)
	w.Raw("</x>")
	w.rsm(q.Limit, q.Before, q.Start == 0 || q.End != 0, q.After)
	w.Raw("</query>")
	return w.Result()
}

func (w *writer) formField(field, name, value string) {
	if value == "" {
		return
	}
	w.Raw("<field var='" + name + "'>")
	w.Element(field, "value", value)
	w.Raw("</field>")
}

// readResult reads a message that carries an archived one. Prosody puts the delay
// before the message and leaves out from, ejabberd does both the other way.
func (r decoder) readResult(outer, result *xmlstream.Borrowed) *ArchiveResult {
	a, archived := r.openResult(outer, result)
	if archived.el == nil {
		return a
	}
	archived, _ = archived.unwrap()
	inner := archived.el
	box, reason, invited := archived.content()
	if box == nil {
		return a
	}
	m := &box.MessageIn
	if to := inner.Attr("to"); to.Empty() {
		m.To = r.self.Bare()
	} else if m.Kind == perch.GroupchatMessage {
		m.To = copyJID(to)
	}
	if m.Kind == perch.GroupchatMessage {
		m.Room = nil // the own archive knows no rooms: it is as any other message in it
	}
	m.Sent = sentByOwn(m, r.self)
	m.StanzaID, m.Source, m.ReceiptRequested = result.Attr("id").Copy(), perch.SourceArchive, false
	a.Item = archivedAt(m, delayOf(result.Child(nsForward, "forwarded"), 0), r.now)
	a.Item.Dropped, a.Item.Invited = reason, invited
	return a
}

// openResult begins a result, with the message that is in it; no element: there is none to read.
func (r decoder) openResult(outer, result *xmlstream.Borrowed) (*ArchiveResult, incoming) {
	a := &ArchiveResult{QueryID: result.Attr("queryid").Copy(), From: sender(outer, r.self)}
	forwarded := result.Child(nsForward, "forwarded")
	inner := forwarded.Child(nsClient, "message")
	if a.Broken = inner == nil; a.Broken || inner.Attr("type").Is("error") {
		return a, incoming{}
	}
	return a, incoming{decoder: r, el: inner, has: payloadsOf(inner), around: envelope{forwarded, outer}}
}

// sentByOwn reports whether the own account sent an archived message, and not to itself.
func sentByOwn(m *perch.MessageIn, self perch.JID) bool {
	return m.From.Bare().Equal(self.Bare()) && !m.To.Bare().Equal(self.Bare())
}

// SkippedResult is the archived message that a skipped stanza brings, as far as its beginning
// says, with the reason in place of the text. Nil: it brings none.
func SkippedResult(s *xmlstream.Skipped, self perch.JID, now perch.Time) *ArchiveResult {
	if !s.Head.Is(nsClient, "message") {
		return nil
	}
	result := s.Head.Child(nsMAM, "result")
	if result == nil {
		return nil
	}
	m := &perch.MessageIn{Message: perch.Message{StanzaID: strings.Clone(result.Attr("id")), Source: perch.SourceArchive}}
	if inner := result.Child(nsForward, "forwarded").Child(nsClient, "message"); inner != nil {
		m.ID, m.Kind = strings.Clone(inner.Attr("id")), messageKind(inner.Attr("type"))
		m.From, m.To = cloneJID(inner.Attr("from")), cloneJID(inner.Attr("to"))
	}
	m.Sent = sentByOwn(m, self)
	if m.Kind == perch.GroupchatMessage && s.From.Local() != "" && !s.From.Bare().Equal(self.Bare()) {
		m.StanzaID, m.RoomStanzaID, m.To = "", m.StanzaID, m.From.Bare()
	}
	item := archivedAt(m, nil, now)
	item.Dropped = s.Reason
	return &ArchiveResult{QueryID: strings.Clone(result.Attr("queryid")), From: s.From, Item: item}
}

// archiveResultOf finds an archive result in a message, of any version of XEP-0313: only
// those of today's are taken, and the others are nothing that a server sends us.
func archiveResultOf(el *xmlstream.Borrowed) *xmlstream.Borrowed {
	for c := range el.Children() {
		if c.Local().Is("result") && strings.HasPrefix(c.Space().Peek(), "urn:xmpp:mam:") {
			return c
		}
	}
	return nil
}

// archivedAt gives an archived message its times. It keeps the delay that it was sent with,
// which a live copy of it has too; else it is as late as the archive says, or late since a
// time that is not known.
func archivedAt(m *perch.MessageIn, archived *perch.Delay, now perch.Time) *perch.ArchiveItem {
	item := &perch.ArchiveItem{MessageIn: *m}
	if archived == nil {
		archived = &perch.Delay{}
	}
	if item.Delay == nil {
		item.Delay = archived
	}
	if item.Time = archived.Stamp; item.Time == 0 {
		item.Time, item.TimeIsArrival = now, true
	}
	return item
}

// ParseMAMFin reads the answer that ends a query; ok is false for anything else.
func ParseMAMFin(payload *xmlstream.Element) (MAMFin, bool) {
	if !payload.Is(nsMAM, "fin") {
		return MAMFin{}, false
	}
	page := parseRSM(payload)
	complete := payload.Attr("complete")
	return MAMFin{
		Complete: complete == "true" || complete == "1",
		First:    page.first, Last: page.last, Count: page.count,
	}, true
}
