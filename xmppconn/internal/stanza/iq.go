package stanza

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// IQ is an IQ stanza as it arrived (RFC 6120, 8.2.3). Payload is nil when it is empty.
type IQ struct {
	ID, Type string
	From, To perch.JID
	Payload  *xmlstream.Element
	Err      *perch.XMPPError   // for typ "error", never nil then
	ErrFrom  *xmlstream.Element // the element that Err was read from; nil: there was none
	Cause    error              // what the application says beside Err (RFC 6120, 8.3.4), or nil: a *SlotRefusal
}

// Failure is the error of a request that q has answered with Err.
func (q IQ) Failure() error {
	kind := perch.KindXMPP
	if q.Err.Condition == "item-not-found" {
		kind = perch.KindItemNotFound
	}
	return &perch.Error{Kind: kind, Detail: "the server answered with an error", XMPP: q.Err, Err: q.Cause}
}

// NewID is an id that cannot be guessed: 128 bits, in 22 characters.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// AppendIQ writes an IQ around a payload that is XML already. To "" leaves it out. On an
// error b is returned as it was.
func AppendIQ(b []byte, id, typ string, to perch.JID, payload []byte) ([]byte, error) {
	w := newWriter(b)
	w.Raw("<iq")
	w.Attr("/id", "id", id)
	w.Raw(" type='" + typ + "'")
	w.Attr("/to", "to", string(to))
	if len(payload) == 0 {
		w.Raw("/>")
	} else {
		w.Raw(">")
		w.Bytes(payload)
		w.Raw("</iq>")
	}
	return w.Result()
}

// AppendIQError answers a request with a stanza error: typ and condition are those of RFC
// 6120, 8.3.2 and 8.3.3.
func AppendIQError(b []byte, id string, to perch.JID, typ, condition string) ([]byte, error) {
	payload := "<error type='" + typ + "'><" + condition + " xmlns='" + nsStanzas + "'/></error>"
	return AppendIQ(b, id, "error", to, []byte(payload))
}

// ParseIQ reads an iq element; ok is false for anything that is not a sound IQ.
func ParseIQ(el *xmlstream.Element) (q IQ, ok bool) {
	if !el.Is(nsClient, "iq") {
		return IQ{}, false
	}
	q = IQ{
		ID: el.Attr("id"), Type: el.Attr("type"),
		From: perch.JID(el.Attr("from")), To: perch.JID(el.Attr("to")),
	}
	for _, c := range el.Children() {
		if !c.Is(nsClient, "error") {
			q.Payload = c
			break
		}
	}
	switch q.Type {
	case "get", "set":
		ok = q.Payload != nil
	case "result":
		ok = true
	case "error":
		q.Err, q.Cause, ok = parseStanzaError(el.Borrowed()), parseSlotRefusal(el), true
		q.ErrFrom = el.Child(nsClient, "error")
	}
	return q, ok && q.ID != ""
}

// LentResult reads a result that lies in the buffer, and its payload; the IQ has a copy of its
// addresses and of nothing else. It is empty for anything else.
func LentResult(el *xmlstream.Borrowed) (q IQ, payload *xmlstream.Borrowed) {
	if !el.Is(nsClient, "iq") || !el.Attr("type").Is("result") {
		return IQ{}, nil
	}
	for c := range el.Children() {
		if !c.Is(nsClient, "error") {
			payload = c
			break
		}
	}
	return IQ{ID: el.Attr("id").Copy(), Type: "result", From: copyJID(el.Attr("from")), To: copyJID(el.Attr("to"))}, payload
}

// AnswersFor reports whether from may answer a request to to (RFC 6120, 8.1.2.1 and 10.3.3). The
// own account and its server can be named in four ways, and servers use all of them; any other
// entity answers from the address that was asked. Servers may spell an address in another way
// than the client does.
func AnswersFor(me, to, from perch.JID) bool {
	own := func(j perch.JID) bool {
		return j == "" || j.Equal(me.Bare()) || j.Equal(me) || j.Equal(perch.JID(me.Domain()))
	}
	if !own(to) {
		return from.Equal(to)
	}
	return own(from)
}

// parseStanzaError reads the <error/> child of a stanza (RFC 6120, 8.3). Without one it
// says undefined-condition.
func parseStanzaError(stanza *xmlstream.Borrowed) *perch.XMPPError {
	el := stanza.Child(stanza.Space().Peek(), "error")
	err, _ := parseConditions(el, nsStanzas)
	err.Type, err.By = el.Attr("type").Copy(), el.Attr("by").Copy()
	return &err
}

// ParseConditions reads a condition and text out of a stream error, SASL failure or XEP-0198
// failed: space is the namespace of the conditions. Some servers leave the namespace out, and
// the condition is then in that of the stream: it counts where there is none in its own, if it
// is one that RFC 6120 knows. Content is the text inside of the condition itself, as in
// see-other-host. El may be nil.
func ParseConditions(el *xmlstream.Element, space string) (err perch.XMPPError, content string) {
	return parseConditions(el.Borrowed(), space)
}

func parseConditions(el *xmlstream.Borrowed, space string) (err perch.XMPPError, content string) {
	err.Condition = undefinedCondition
	conditions := func(fits func(*xmlstream.Borrowed) bool) {
		for c := range el.Children() {
			switch {
			case !fits(c):
			case c.Local().Is("text"):
				if err.Text == "" {
					err.Text = c.InnerText().Copy()
				}
			case err.Condition == undefinedCondition:
				err.Condition, content = c.Local().Copy(), c.InnerText().Copy()
			}
		}
	}
	conditions(func(c *xmlstream.Borrowed) bool { return c.Space().Is(space) })
	if err.Condition == undefinedCondition {
		conditions(func(c *xmlstream.Borrowed) bool {
			s := c.Space()
			return (s.Empty() || s.Is(nsClient) || s.Is(xmlstream.NSStream)) && (c.Local().Is("text") || knownConditions[c.Local().Peek()])
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
