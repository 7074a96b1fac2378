package xmppconn

import "github.com/perch-im/perch"

// mamResult is one archived message (XEP-0313, 4.2). From is the sender of the stanza around
// it: only the archive that was asked may send it, and only with the query id.
type mamResult struct {
	queryID string
	from    perch.JID
	item    perch.ArchiveItem
	message *perch.MessageIn // nil when the archived stanza has no text
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
	r.item.ID = keep(result.attr("id"))
	forwarded := result.child(nsForward, "forwarded")
	if d := delayOf(forwarded, 0); d != nil {
		r.item.Time = d.Stamp
	}
	inner := forwarded.child(nsClient, "message")
	if inner == nil {
		return r
	}
	from := sender(inner, self)
	r.item.MessageID = keep(inner.attr("id"))
	r.item.From, r.item.To, r.item.Direction = from, self.Bare(), "in"
	if to := inner.attr("to"); to != "" {
		r.item.To = keepJID(to)
	}
	sent := from.Bare().Equal(self.Bare()) && !r.item.To.Bare().Equal(self.Bare())
	if sent {
		r.item.Direction = "out"
	}
	if inner.attr("type") == "error" {
		return r
	}
	m := incoming{reading: rd, el: inner, around: envelope{forwarded, outer}}.text(from)
	if m == nil {
		return r
	}
	m.Sent, m.To, m.StanzaID, m.Source, m.ReceiptRequested = sent, r.item.To, r.item.ID, perch.SourceArchive, false
	r.item.Body, r.message = m.Body, m
	return r
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
