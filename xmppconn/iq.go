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
// error b is returned as it was.
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
// failure or XEP-0198 failed: space is the namespace of the conditions. Some servers leave
// the namespace out, and the condition is then in that of the stream: it counts where there
// is none in its own, if it is one that RFC 6120 knows. Content is the text inside of the
// condition itself, as in see-other-host. Nil-safe.
func parseConditions(el *element, space string) (err perch.XMPPError, content string) {
	err.Condition = undefinedCondition
	if el == nil {
		return err, ""
	}
	conditions := func(fits func(*element) bool) {
		for _, c := range el.children {
			switch {
			case !fits(c):
			case c.local == "text":
				if err.Text == "" {
					err.Text = keep(c.innerText())
				}
			case err.Condition == undefinedCondition:
				err.Condition, content = keep(c.local), keep(c.innerText())
			}
		}
	}
	conditions(func(c *element) bool { return c.space == space })
	if err.Condition == undefinedCondition {
		conditions(func(c *element) bool {
			return (c.space == "" || c.space == nsClient || c.space == nsStream) && (c.local == "text" || knownConditions[c.local])
		})
	}
	return err, content
}

const undefinedCondition = "undefined-condition"

// knownConditions are those of RFC 6120: 4.9.3 (streams), 6.5 (SASL) and 8.3.3 (stanzas).
var knownConditions = setOf(
	"bad-format", "bad-namespace-prefix", "conflict", "connection-timeout", "host-gone", "host-unknown", "improper-addressing",
	"internal-server-error", "invalid-from", "invalid-namespace", "invalid-xml", "not-authorized", "not-well-formed",
	"policy-violation", "remote-connection-failed", "reset", "resource-constraint", "restricted-xml", "see-other-host",
	"system-shutdown", "unsupported-encoding", "unsupported-feature", "unsupported-stanza-type", "unsupported-version",
	"aborted", "account-disabled", "credentials-expired", "encryption-required", "incorrect-encoding", "invalid-authzid",
	"invalid-mechanism", "malformed-request", "mechanism-too-weak", "temporary-auth-failure",
	"bad-request", "feature-not-implemented", "forbidden", "gone", "item-not-found", "jid-malformed", "not-acceptable",
	"not-allowed", "recipient-unavailable", "redirect", "registration-required", "remote-server-not-found",
	"remote-server-timeout", "service-unavailable", "subscription-required", "unexpected-request",
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}
