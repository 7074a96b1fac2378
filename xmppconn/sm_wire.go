package xmppconn

import (
	"strconv"

	"github.com/perch-im/perch"
)

// The elements of stream management (XEP-0198). They are no stanzas and are not counted.

// appendSMEnable asks for stream management with resumption.
func appendSMEnable(b []byte) []byte {
	return append(b, "<enable xmlns='"+nsSM+"' resume='true'/>"...)
}

// appendSMResume asks to resume an earlier stream, of which h stanzas were handled.
func appendSMResume(b []byte, previd string, h uint32) ([]byte, error) {
	w := writer{b: b}
	w.raw("<resume xmlns='" + nsSM + "' h='")
	w.int(int64(h))
	w.raw("'")
	w.attr("/previd", "previd", previd)
	w.raw("/>")
	if w.err != nil {
		return b, w.err
	}
	return w.b, nil
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
func parseSM(el *element) (in smIn, ok bool) {
	if el == nil || el.space != nsSM {
		return smIn{}, false
	}
	if h, err := strconv.ParseUint(el.attr("h"), 10, 32); err == nil {
		in.h, in.hasH = uint32(h), true
	}
	switch el.local {
	case "enabled":
		in.kind, in.id, in.location = smEnabled, keep(el.attr("id")), keep(el.attr("location"))
		in.resume = in.id != "" && (el.attr("resume") == "true" || el.attr("resume") == "1")
		if n, err := strconv.ParseUint(el.attr("max"), 10, 31); err == nil {
			in.max = int(n)
		}
		return in, true
	case "resumed":
		in.kind, in.id = smResumed, keep(el.attr("previd"))
		return in, in.hasH
	case "failed":
		in.kind = smFailed
		in.err, _ = parseConditions(el, nsStanzas)
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
