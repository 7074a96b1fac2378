package stanza

import (
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	nsBlocking  = "urn:xmpp:blocking"
	nsReporting = "urn:xmpp:reporting:1"
	nsPrivacy   = "jabber:iq:privacy"
)

// What is taken of one block list. The rest is counted as left out: the server blocks it all the same.
const (
	maxBlocked      = 2000
	maxBlockedBytes = 256 << 10
)

// EncodeBlockListGet asks for what is blocked (XEP-0191, 3.2). From then on the server reports changes.
func EncodeBlockListGet() []byte { return []byte("<blocklist xmlns='" + nsBlocking + "'/>") }

// EncodeBlock blocks an address (XEP-0191, 3.3); report, which may be nil, says why (XEP-0377, 3). Own is the
// bare JID of the account, whose archive has the messages that it is about.
func EncodeBlock(jid, own perch.JID, report *perch.Report) ([]byte, error) {
	var w writer
	w.Raw("<block xmlns='" + nsBlocking + "'><item")
	w.Attr("/jid", "jid", string(jid))
	if report == nil {
		w.Raw("/></block>")
		return w.Result()
	}
	if !report.Valid() {
		w.fail("/report/reason", "must be one of %s", strings.Join(perch.ReportReasons(), ", "))
	}
	w.Raw("><report xmlns='" + nsReporting + "' reason='urn:xmpp:reporting:" + report.Reason + "'>")
	for _, id := range report.StanzaIDs {
		w.Raw("<stanza-id xmlns='" + nsSID + "'")
		w.Attr("", "by", string(own))
		w.Attr("/report/stanza_ids", "id", id)
		w.Raw("/>")
	}
	w.Element("/report/text", "text", report.Text)
	w.Raw("</report></item></block>")
	return w.Result()
}

// EncodeUnblock takes addresses off the list (XEP-0191, 3.4), or without any all of them (3.5).
func EncodeUnblock(jids ...perch.JID) ([]byte, error) {
	var w writer
	w.Raw("<unblock xmlns='" + nsBlocking + "'>")
	for _, jid := range jids {
		w.Raw("<item")
		w.Attr("/jid", "jid", string(jid))
		w.Raw("/>")
	}
	w.Raw("</unblock>")
	return w.Result()
}

// BlockListCollector makes one list of the answer to EncodeBlockListGet, which may come in parts.
type BlockListCollector struct {
	list    []perch.JID
	bytes   int
	partial bool
}

// Add takes a payload, or a part of it, and keeps copies of its texts.
func (c *BlockListCollector) Add(payload *xmlstream.Borrowed) {
	if !payload.Is(nsBlocking, "blocklist") {
		return
	}
	for el := range payload.Children() {
		jid := el.Attr("jid")
		switch n := len(jid.Peek()); {
		case !el.Is(nsBlocking, "item") || n == 0:
		case len(c.list) >= maxBlocked || c.bytes+n > maxBlockedBytes:
			c.partial = true
		default:
			c.bytes += n
			c.list = append(c.list, copyJID(jid))
		}
	}
}

// Result is the whole list.
func (c *BlockListCollector) Result() *perch.BlockListIn {
	return &perch.BlockListIn{All: true, Added: c.list, Partial: c.partial}
}

// IsBlockPush reports whether a request tells of a change of the block list (XEP-0191, 3.3 and 3.4), or is
// the push of a privacy list (XEP-0016, 2.12) that some servers send beside it. Who may send them is checked by the
// connection.
func IsBlockPush(request IQ) bool {
	p := request.Payload
	return request.Type == "set" && (p.Is(nsBlocking, "block") || p.Is(nsBlocking, "unblock") || p.Is(nsPrivacy, "query"))
}

// ParseBlockPush reads a push; nil with ok says that it changes nothing here, and ok is false for what is
// none. To unblock nobody is to unblock all.
func ParseBlockPush(request IQ) (push *perch.BlockListIn, ok bool) {
	p := request.Payload
	if !IsBlockPush(request) {
		return nil, false
	}
	if p.Is(nsPrivacy, "query") {
		return nil, true
	}
	var list []perch.JID
	for _, el := range p.Children() {
		if jid := el.Attr("jid"); el.Is(nsBlocking, "item") && jid != "" && len(list) < maxBlocked {
			list = append(list, cloneJID(jid))
		}
	}
	switch {
	case p.Is(nsBlocking, "block"):
		return &perch.BlockListIn{Added: list}, len(list) > 0
	case len(p.Children()) == 0:
		return &perch.BlockListIn{All: true}, true
	default:
		return &perch.BlockListIn{Removed: list}, len(list) > 0
	}
}
