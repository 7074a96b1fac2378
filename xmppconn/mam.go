package xmppconn

import "github.com/perch-im/perch"

// mamResult is one archived message (XEP-0313, 4.2). From is the sender of the stanza around
// it: only the archive that was asked may send it, and only with the query id.
type mamResult struct {
	queryID string
	from    perch.JID
	item    *perch.ArchiveItem // nil: there is nothing in the archived stanza for a person
	broken  bool               // there is no message in it
}

// mamFin ends the answer to a query. First and last are ids for paging.
type mamFin struct {
	complete    bool
	first, last string
	count       int // -1: not said
}

// encodeMAM asks for a page of the own archive (XEP-0313, 4.1). With neither Before nor
// After it is the newest page, or with only a Start the oldest one from there on.
func encodeMAM(q perch.ArchiveQuery, queryID string) ([]byte, error) {
	var w writer
	w.raw("<query xmlns='" + nsMAM + "'")
	w.attr("/id", "queryid", queryID)
	w.raw("><x xmlns='" + nsForms + "' type='submit'><field var='FORM_TYPE' type='hidden'><value>" +
		nsMAM + "</value></field>")
	w.formField("?with", "with", string(q.With))
	w.formField("?start", "start", formatTime(q.Start))
	w.formField("?end", "end", formatTime(q.End))
	w.raw("</x>")
	w.rsm(q.Limit, q.Before, q.Start == 0 || q.End != 0, q.After)
	w.raw("</query>")
	return w.result()
}

func (w *writer) formField(field, name, value string) {
	if value == "" {
		return
	}
	w.raw("<field var='" + name + "'>")
	w.element(field, "value", value)
	w.raw("</field>")
}

// parseMAMResult reads a message that carries an archived one. Prosody puts the delay
// before the message and leaves out from, ejabberd does both the other way.
func parseMAMResult(outer, result *element, rd reading) *mamResult {
	self := rd.self
	r := &mamResult{queryID: keep(result.attr("queryid")), from: sender(outer, self)}
	forwarded := result.child(nsForward, "forwarded")
	inner := forwarded.child(nsClient, "message")
	if inner == nil {
		r.broken = true
		return r
	}
	if inner.attr("type") == "error" {
		return r
	}
	archived, _ := incoming{reading: rd, el: inner, around: envelope{forwarded, outer}}.unwrap()
	inner = archived.el
	from := sender(inner, self)
	m, reason := archived.content(from)
	if m == nil {
		return r
	}
	if inner.attr("to") == "" {
		m.To = self.Bare()
	}
	m.Sent = from.Bare().Equal(self.Bare()) && !m.To.Bare().Equal(self.Bare())
	m.StanzaID, m.Source, m.ReceiptRequested = keep(result.attr("id")), perch.SourceArchive, false
	r.item = archivedAt(m, delayOf(forwarded, 0), rd.now)
	r.item.Dropped = reason
	return r
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

// parseMAMFin reads the answer that ends a query; ok is false for anything else.
func parseMAMFin(payload *element) (mamFin, bool) {
	if !payload.is(nsMAM, "fin") {
		return mamFin{}, false
	}
	page := parseRSM(payload)
	complete := payload.attr("complete")
	return mamFin{
		complete: complete == "true" || complete == "1",
		first:    page.first, last: page.last, count: page.count,
	}, true
}
