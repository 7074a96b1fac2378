package today

import (
	"math"
	"strconv"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// History that a join brings (XEP-0045, 7.2.13): what nothing is asked of, and the most.
const (
	historyDefault = 20
	historyMax     = 200
)

// historyLimits are how much of the history one who joins wants.
type historyLimits struct {
	messages, bytes int
	since           time.Time
}

// parseHistory reads the limits; e may be nil. What is no number asks for nothing in particular.
func parseHistory(e *xmppserver.Element, now time.Time) historyLimits {
	l := historyLimits{messages: historyDefault, bytes: math.MaxInt}
	if e == nil {
		return l
	}
	number := func(name string, set func(int)) bool {
		n, err := strconv.ParseUint(e.Get(name), 10, 31)
		if err == nil {
			set(int(n))
		}
		return err == nil
	}
	limited := number("maxchars", func(n int) { l.bytes = n })
	if number("seconds", func(n int) { l.since = now.Add(-time.Duration(n) * time.Second) }) {
		limited = true
	}
	if t, ok := parseStamp(e.Get("since")); ok {
		limited = true
		if t.After(l.since) {
			l.since = t
		}
	}
	if limited { // the number of messages is not what they want to be limited by
		l.messages = historyMax
	}
	number("maxstanzas", func(n int) { l.messages = min(n, historyMax) })
	return l
}

// sendHistory sends the newest messages of the archive, the oldest of them first.
func (r *room) sendHistory(x *session, limits *xmppserver.Element) {
	l := parseHistory(limits, time.Now())
	list := r.archive.list
	first := len(list)
	for first > 0 && l.messages > 0 {
		m := &list[first-1]
		if l.bytes -= len(m.stanza); l.bytes < 0 || m.at.Before(l.since) {
			break
		}
		first--
		l.messages--
	}
	for i := first; i < len(list); i++ {
		x.Send(withStanzaID(r.past(x, list[i].stanza, list[i].at), r.jid, list[i].id))
	}
}

// past is a message of the room as one gets it who was not there.
func (r *room) past(x *session, stanza []byte, at time.Time) []byte {
	const begin, end = "<message", "</message>"
	b := make([]byte, 0, len(stanza)+192)
	b = xmppserver.AppendAttr(append(b, begin...), "to", x.Full)
	b = append(b, stanza[len(begin):len(stanza)-len(end)]...)
	b = xmppserver.AppendAttr(append(b, "<delay xmlns='"+xmppserver.NSDelay+"'"...), "from", r.jid)
	b = xmppserver.AppendAttr(b, "stamp", at.UTC().Format(xmppserver.StampLayout))
	return append(b, "/></message>"...)
}

// subjectTo ends a join (7.2.15): with an empty subject when there is none.
func (r *room) subjectTo(x *session) []byte {
	if r.subject.from == "" {
		b := xmppserver.AppendAttr([]byte("<message"), "from", r.jid)
		return append(xmppserver.AppendAttr(b, "to", x.Full), " type='groupchat'><subject/></message>"...)
	}
	b := xmppserver.AppendAttr([]byte("<message"), "from", r.subject.from)
	b = append(append(b, " type='groupchat'>"...), r.subject.inner...)
	return r.past(x, append(b, "</message>"...), r.subject.at)
}
