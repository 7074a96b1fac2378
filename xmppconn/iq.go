package xmppconn

import "github.com/perch-im/perch"

// iqIn is an IQ stanza as it arrived (RFC 6120, 8.2.3). Payload is nil when it is empty.
type iqIn struct {
	id, typ  string
	from, to perch.JID
	payload  *element
	err      *perch.XMPPError // for typ "error", never nil then
}

// appendIQ writes an IQ around a payload that is XML already. To "" leaves it out. On an
// error b comes back as it was.
func appendIQ(b []byte, id, typ string, to perch.JID, payload []byte) ([]byte, error) {
	w := writer{b: b}
	w.raw("<iq")
	w.attr("/id", "id", id)
	w.raw(" type='" + typ + "'")
	w.attr("/to", "to", string(to))
	if len(payload) == 0 {
		w.raw("/>")
	} else {
		w.raw(">")
		w.b = append(w.b, payload...)
		w.raw("</iq>")
	}
	if w.err != nil {
		return b, w.err
	}
	return w.b, nil
}

// appendIQError answers a request with a stanza error: typ and condition are those of RFC
// 6120, 8.3.2 and 8.3.3.
func appendIQError(b []byte, id string, to perch.JID, typ, condition string) ([]byte, error) {
	payload := "<error type='" + typ + "'><" + condition + " xmlns='" + nsStanzas + "'/></error>"
	return appendIQ(b, id, "error", to, []byte(payload))
}

// parseIQ reads an iq element; ok is false for anything that is not a sound IQ.
func parseIQ(el *element) (q iqIn, ok bool) {
	if !el.is(nsClient, "iq") {
		return iqIn{}, false
	}
	q = iqIn{
		id: el.attr("id"), typ: el.attr("type"),
		from: perch.JID(el.attr("from")), to: perch.JID(el.attr("to")),
	}
	for _, c := range el.children {
		if !c.is(nsClient, "error") {
			q.payload = c
			break
		}
	}
	switch q.typ {
	case "get", "set":
		ok = q.payload != nil
	case "result":
		ok = true
	case "error":
		q.err, ok = parseStanzaError(el), true
	}
	return q, ok && q.id != ""
}

// parseStanzaError reads the <error/> child of a stanza (RFC 6120, 8.3). Without one it
// says undefined-condition.
func parseStanzaError(stanza *element) *perch.XMPPError {
	el := stanza.child(stanza.space, "error")
	err, _ := parseConditions(el, nsStanzas)
	err.Type, err.By = keep(el.attr("type")), keep(el.attr("by"))
	return &err
}

// parseConditions reads a condition and text out of a stanza error, stream error, SASL
// failure or XEP-0198 failed: space is the namespace of the conditions. Content is the
// text inside of the condition itself, as in see-other-host. Nil-safe.
func parseConditions(el *element, space string) (err perch.XMPPError, content string) {
	err.Condition = "undefined-condition"
	if el == nil {
		return err, ""
	}
	for _, c := range el.children {
		switch {
		case c.space != space:
		case c.local == "text":
			if err.Text == "" {
				err.Text = keep(c.innerText())
			}
		case err.Condition == "undefined-condition":
			err.Condition, content = keep(c.local), keep(c.innerText())
		}
	}
	return err, content
}
