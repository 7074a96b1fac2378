package today

import (
	"encoding/xml"

	"github.com/perch-im/perch/internal/xmppserver"
)

// maxRelays bounds the requests between occupants that wait for their answer: over it the oldest is
// forgotten.
const maxRelays = 500

// relays are requests that one occupant has sent to another one. They have ids of their own on the way,
// so that an answer finds the session that has asked: several may have one nick.
type relays struct{ list []relay }

type relay struct {
	id        string // on the way
	to, from  *session
	asked, of string // the id that the request had, and whom it was to
}

// ask hands a request to a session, from the occupant who asks.
func (l *relays) ask(q *request, r *room, by *occupant, to *session) {
	asked, of := q.iq.Get("id"), q.iq.Get("to")
	if len(asked) > maxText {
		q.fail("not-acceptable")
		return
	}
	if len(l.list) >= maxRelays {
		l.list = append(l.list[:0:0], l.list[1:]...)
	}
	l.list = append(l.list, relay{id: xmppserver.NewID(), to: to, from: q.from, asked: asked, of: of})
	b := xmppserver.AppendAttr([]byte("<iq"), "from", r.at(by))
	b = xmppserver.AppendAttr(b, "to", to.Full)
	b = xmppserver.AppendAttr(b, "id", l.list[len(l.list)-1].id)
	b = xmppserver.AppendAttr(b, "type", q.iq.Get("type"))
	b = q.iq.AppendKids(append(b, '>'))
	to.Send(append(b, "</iq>"...))
}

// answer hands an answer to the session that waits for it.
func (l *relays) answer(x *session, e *xmppserver.Element) {
	for i, w := range l.list {
		if w.to != x || w.id != e.Get("id") {
			continue
		}
		l.list = append(l.list[:i:i], l.list[i+1:]...)
		b := xmppserver.AppendAttr([]byte("<iq"), "from", w.of)
		b = xmppserver.AppendAttr(b, "to", w.from.Full)
		b = xmppserver.AppendAttr(b, "id", w.asked)
		b = xmppserver.AppendAttr(b, "type", e.Get("type"))
		b = e.AppendKids(append(b, '>'))
		w.from.Send(append(b, "</iq>"...))
		return
	}
}

// forget ends what a session waits for, and fails what waits for it.
func (l *relays) forget(x *session) {
	kept := l.list[:0:0]
	for _, w := range l.list {
		switch {
		case w.from == x:
		case w.to == x:
			e := xmppserver.NewElement(xmppserver.NSClient, "iq")
			e.Attr = []xml.Attr{{Name: xml.Name{Local: "id"}, Value: w.asked}}
			w.from.Send(xmppserver.StanzaError(e, w.of, w.from.Full, "item-not-found"))
		default:
			kept = append(kept, w)
		}
	}
	l.list = kept
}
