package xmppconn

import (
	"strconv"
	"strings"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/xmppconn/internal/stanza"
	"github.com/perch-im/perch/xmppconn/internal/xmlstream"
)

// The elements of stream management (XEP-0198). They are no stanzas and are not counted.

// appendSMEnable asks for stream management with resumption.
func appendSMEnable(b []byte) []byte {
	return append(b, "<enable xmlns='"+nsSM+"' resume='true'/>"...)
}

// appendSMResume asks to resume an earlier stream, of which h stanzas were handled.
func appendSMResume(b []byte, previd string, h uint32) ([]byte, error) {
	w := xmlstream.NewWriter(b)
	w.Raw("<resume xmlns='" + nsSM + "' h='")
	w.Int(int64(h))
	w.Raw("'")
	w.Attr("/previd", "previd", previd)
	w.Raw("/>")
	return w.Result()
}

// appendSMRequest asks how many stanzas the server has handled.
func appendSMRequest(b []byte) []byte { return append(b, "<r xmlns='"+nsSM+"'/>"...) }

// appendSMAck says how many stanzas we have handled, modulo 2^32.
func appendSMAck(b []byte, h uint32) []byte {
	b = append(b, "<a xmlns='"+nsSM+"' h='"...)
	b = strconv.AppendUint(b, uint64(h), 10)
	return append(b, "'/>"...)
}

type smKind uint8

const (
	smEnabled smKind = iota + 1
	smResumed
	smFailed
	smRequest
	smAck
)

// smIn is an element of XEP-0198 from the server.
type smIn struct {
	kind     smKind
	id       string // enabled: the id to resume; resumed: previd
	resume   bool   // enabled: the server will resume
	max      int    // enabled: seconds, 0 = not said
	location string // enabled: preferred address for the resumption
	h        uint32 // resumed, ack, failed
	hasH     bool
	err      perch.XMPPError // failed
}

// parseSM reads an element of nsSM; ok is false for any other or a broken one.
func parseSM(el *xmlstream.Element) (in smIn, ok bool) {
	if el == nil || el.Space() != nsSM {
		return smIn{}, false
	}
	if h, err := strconv.ParseUint(el.Attr("h"), 10, 32); err == nil {
		in.h, in.hasH = uint32(h), true
	}
	switch el.Local() {
	case "enabled":
		in.kind, in.id, in.location = smEnabled, strings.Clone(el.Attr("id")), strings.Clone(el.Attr("location"))
		in.resume = in.id != "" && (el.Attr("resume") == "true" || el.Attr("resume") == "1")
		if n, err := strconv.ParseUint(el.Attr("max"), 10, 31); err == nil {
			in.max = int(n)
		}
		return in, true
	case "resumed":
		in.kind, in.id = smResumed, strings.Clone(el.Attr("previd"))
		return in, in.hasH
	case "failed":
		in.kind = smFailed
		in.err, _ = stanza.ParseConditions(el, nsStanzas)
		return in, true
	case "r":
		in.kind = smRequest
		return in, true
	case "a":
		in.kind = smAck
		return in, in.hasH
	}
	return smIn{}, false
}
