package today

import (
	"encoding/xml"
	"slices"
	"strconv"

	"github.com/perch-im/perch/internal/xmppserver"
)

const (
	nsMAM     = "urn:xmpp:mam:2"
	nsForward = "urn:xmpp:forward:0"
)

// mamFeature is the archive of an account (XEP-0313) with its preferences (XEP-0441), and the ids that
// messages have in it (XEP-0359).
var mamFeature = feature{iq: map[xml.Name]func(*request){
	{Space: nsMAM, Local: "query"}:    ownArchive,
	{Space: nsMAM, Local: "metadata"}: ownArchive,
	{Space: nsMAM, Local: "prefs"}:    archivePrefs,
}, account: archiveFeatures}

// archiveFeatures are what service discovery shows of an archive.
var archiveFeatures = []string{nsMAM, nsMAM + "#extended", nsMAM + "#flip-page", nsSID}

// ownArchive answers for the archive of the account that asks.
func ownArchive(r *request) {
	if !r.own() {
		r.denyArchive()
		return
	}
	r.answerArchive(&r.from.acct.archive)
}

// denyArchive refuses a request to the archive of another.
func (r *request) denyArchive() {
	if r.to.Account == nil {
		r.fail("service-unavailable") // the domain has none, and nobody learns of accounts
		return
	}
	r.fail("forbidden")
}

// answerArchive answers a query, a request for the form, or for the metadata, of an archive that its
// sender may read. Rooms use it, too: results come from where the request was sent to.
func (r *request) answerArchive(a *archive) {
	switch {
	case r.payload.Name.Local == "metadata" && r.set:
		r.fail("bad-request")
	case r.payload.Name.Local == "metadata":
		r.result(a.metadata())
	case !r.set:
		r.result(archiveForm())
	default:
		r.queryArchive(a)
	}
}

// queryArchive sends a page as messages, and then what page it was (XEP-0313, 4.2 and 4.3).
func (r *request) queryArchive(a *archive) {
	q, condition := parseArchiveQuery(r.payload)
	if condition != "" {
		r.fail(condition)
		return
	}
	// A page must fit into the queue of the connection beside what else is in it.
	p, ok := a.query(q, r.s.o.QueueBytes/8)
	if !ok {
		r.fail("item-not-found")
		return
	}
	order := slices.All(p.items)
	if q.flip {
		order = slices.Backward(p.items)
	}
	for _, m := range order {
		r.from.Send(r.archiveResult(&m))
	}
	r.result(p.fin())
}

// archiveResult is one message of a page.
func (r *request) archiveResult(m *archived) []byte {
	b := make([]byte, 0, 512+len(m.stanza))
	b = append(b, "<message"...)
	if from := r.iq.Get("to"); from != "" {
		b = xmppserver.AppendAttr(b, "from", from)
	} else {
		b = xmppserver.AppendAttr(b, "from", r.from.acct.Bare)
	}
	b = append(xmppserver.AppendAttr(b, "to", r.from.Full), "><result xmlns='"+nsMAM+"'"...)
	if id := r.payload.Get("queryid"); id != "" {
		b = xmppserver.AppendAttr(b, "queryid", id)
	}
	b = append(xmppserver.AppendAttr(b, "id", m.id), '>')
	b = appendForwarded(b, m)
	return append(b, "</result></message>"...)
}

// appendForwarded writes a message with its time (XEP-0297).
func appendForwarded(b []byte, m *archived) []byte {
	b = append(b, "<forwarded xmlns='"+nsForward+"'><delay xmlns='"+xmppserver.NSDelay+"'"...)
	b = xmppserver.AppendAttr(b, "stamp", m.at.Format(xmppserver.StampLayout))
	b = append(b, "/><message xmlns='"+xmppserver.NSClient+"'"...)
	return append(append(b, m.stanza[len("<message"):]...), "</forwarded>"...)
}

// fin ends a page. Its first and last are those of the set, however the page is turned (XEP-0313, 4.3.3).
func (p *archivePage) fin() []byte {
	b := []byte("<fin xmlns='" + nsMAM + "'")
	if p.complete {
		b = append(b, " complete='true'"...)
	}
	b = append(b, "><set xmlns='"+xmppserver.NSRSM+"'>"...)
	if n := len(p.items); n > 0 {
		b = xmppserver.AppendAttr(append(b, "<first"...), "index", strconv.Itoa(p.index))
		b = append(append(append(b, '>'), p.items[0].id...), "</first>"...)
		b = xmppserver.AppendTag(b, "last", p.items[n-1].id)
	}
	b = xmppserver.AppendTag(b, "count", strconv.Itoa(p.count))
	return append(b, "</set></fin>"...)
}

// metadata says where an archive begins and ends (XEP-0313, 4.4).
func (a *archive) metadata() []byte {
	b := []byte("<metadata xmlns='" + nsMAM + "'>")
	if n := len(a.list); n > 0 {
		b = appendEdge(b, "start", &a.list[0])
		b = appendEdge(b, "end", &a.list[n-1])
	}
	return append(b, "</metadata>"...)
}

func appendEdge(b []byte, name string, m *archived) []byte {
	b = xmppserver.AppendAttr(append(append(b, '<'), name...), "id", m.id)
	return append(xmppserver.AppendAttr(b, "timestamp", m.at.Format(xmppserver.StampLayout)), "/>"...)
}
