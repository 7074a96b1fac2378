// Package smwire has the elements of stream management (XEP-0198) as they are written and read. They are
// no stanzas and are not counted.
package smwire

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

const (
	ns        = "urn:xmpp:sm:3"
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas" // of conditions
)

// AppendEnable asks for stream management with resumption.
func AppendEnable(b []byte) []byte {
	return append(b, "<enable xmlns='"+ns+"' resume='true'/>"...)
}

// AppendResume asks to resume an earlier stream, of which h stanzas were handled.
func AppendResume(b []byte, previd string, h uint32) ([]byte, error) {
	w := xmlstream.NewWriter(b)
	w.Raw("<resume xmlns='" + ns + "' h='")
	w.Int(int64(h))
	w.Raw("'")
	w.Attr("/previd", "previd", previd)
	w.Raw("/>")
	return w.Result()
}

// AppendRequest asks how many stanzas the server has handled.
func AppendRequest(b []byte) []byte { return append(b, "<r xmlns='"+ns+"'/>"...) }

// AppendAck says how many stanzas we have handled, modulo 2^32.
func AppendAck(b []byte, h uint32) []byte {
	b = append(b, "<a xmlns='"+ns+"' h='"...)
	b = strconv.AppendUint(b, uint64(h), 10)
	return append(b, "'/>"...)
}

// Kind is what an element is.
type Kind uint8

// The kinds.
const (
	Enabled Kind = iota + 1
	Resumed
	Failed
	Request
	Ack
)

// In is an element of XEP-0198 from the server.
type In struct {
	Kind     Kind
	ID       string // enabled: the id to resume; resumed: previd
	Resume   bool   // enabled: the server will resume
	Max      int    // enabled: seconds, 0 = not said
	Location string // enabled: preferred address for the resumption
	H        uint32 // resumed, ack, failed
	HasH     bool
	Err      perch.XMPPError // failed
}

// Parse reads an element of XEP-0198; ok is false for any other or a broken one.
func Parse(el *xmlstream.Element) (in In, ok bool) {
	if el == nil || el.Space() != ns {
		return In{}, false
	}
	if h, err := strconv.ParseUint(el.Attr("h"), 10, 32); err == nil {
		in.H, in.HasH = uint32(h), true
	}
	switch el.Local() {
	case "enabled":
		in.Kind, in.ID, in.Location = Enabled, strings.Clone(el.Attr("id")), strings.Clone(el.Attr("location"))
		in.Resume = in.ID != "" && (el.Attr("resume") == "true" || el.Attr("resume") == "1")
		if n, err := strconv.ParseUint(el.Attr("max"), 10, 31); err == nil {
			in.Max = int(n)
		}
		return in, true
	case "resumed":
		in.Kind, in.ID = Resumed, strings.Clone(el.Attr("previd"))
		return in, in.HasH
	case "failed":
		in.Kind = Failed
		in.Err, _ = stanza.ParseConditions(el, nsStanzas)
		return in, true
	case "r":
		in.Kind = Request
		return in, true
	case "a":
		in.Kind = Ack
		return in, in.HasH
	}
	return In{}, false
}
