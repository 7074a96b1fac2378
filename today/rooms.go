package today

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/xmppserver"
)

// rooms is the component with the rooms, a host of its own (XEP-0045). What the XEP leaves open it does
// as Prosody.
type rooms struct {
	s      *Service
	secret []byte // of occupant ids
	list   map[string]*room
	in     map[*session][]*room // where a session is
	gone   map[string]successor // rooms that were destroyed for another one
	fled   []string             // their addresses, oldest first
	relays relays
}

// successor takes the place of a room that was destroyed.
type successor struct{ jid, reason string }

// roomsHost is what the host of the rooms has before the domain.
const roomsHost = "rooms."

// maxSuccessors bounds what is remembered of rooms that are no more: over it the oldest goes.
const maxSuccessors = 100

func newRooms(s *Service) *rooms {
	c := &rooms{
		s: s, secret: make([]byte, 32),
		list: make(map[string]*room), in: make(map[*session][]*room), gone: make(map[string]successor),
	}
	rand.Read(c.secret) // never fails
	if s.o.Seed != "" {
		sum := sha256.Sum256([]byte(s.o.Seed))
		c.secret = sum[:]
	}
	return c
}

// stanza is to the component, to a room, or to an occupant.
func (c *rooms) stanza(x *session, e *xmppserver.Element) {
	to, err := perch.ParseJID(e.Get("to"))
	if err != nil {
		if kind := e.Get("type"); e.Name.Local != "iq" || kind != "result" {
			x.bounce(e, "jid-malformed")
		}
		return
	}
	switch e.Name.Local {
	case "presence":
		c.presence(x, e, to)
	case "message":
		c.message(x, e, to)
	default:
		c.iq(x, e, to)
	}
}

// leave takes a session out of all of its rooms.
func (c *rooms) leave(x *session) {
	for _, r := range slices.Clone(c.in[x]) {
		if o, v := r.of(x); o != nil {
			r.depart(o, []*visit{v}, &happening{})
		}
	}
	c.relays.forget(x)
}

// left notes that a session is not in a room any more.
func (c *rooms) left(x *session, r *room) {
	rest := slices.DeleteFunc(c.in[x], func(other *room) bool { return other == r })
	if len(rest) == 0 {
		delete(c.in, x)
		return
	}
	c.in[x] = rest
}

// occupantID is the same for an account whenever it is in a room, and tells nobody which one it is
// (XEP-0421, 3).
func (c *rooms) occupantID(room, bare string) string {
	h := hmac.New(sha256.New, c.secret)
	h.Write([]byte(room + "\x00" + bare))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// moved remembers what has taken the place of a room.
func (c *rooms) moved(room string, next successor) {
	if _, again := c.gone[room]; !again {
		c.fled = append(c.fled, room)
	}
	c.gone[room] = next
	if len(c.fled) > maxSuccessors {
		delete(c.gone, c.fled[0])
		c.fled = c.fled[1:]
	}
}

// isGone refuses who wants to enter a room that was destroyed for another one, and names that (RFC
// 6120, 8.3.3.5).
func (c *rooms) isGone(x *session, e *xmppserver.Element, room string) bool {
	next, ok := c.gone[room]
	if !ok {
		return false
	}
	b := string(xmppserver.StanzaError(e, e.Get("to"), x.Full, "gone"))
	uri := "xmlns='" + xmppserver.NSStanzas + "'>" + string(xmppserver.AppendText(nil, "xmpp:"+next.jid+"?join")) + "</gone>"
	if next.reason != "" {
		uri += "<text xmlns='" + xmppserver.NSStanzas + "'>" + string(xmppserver.AppendText(nil, next.reason)) + "</text>"
	}
	x.Send([]byte(strings.Replace(b, "xmlns='"+xmppserver.NSStanzas+"'/>", uri, 1)))
	return true
}
