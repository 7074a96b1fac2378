package xmppconn

import "github.com/perch-im/perch"

// Payloads of IQ requests, and readers of their answers (payload of the result, may be nil).

func encodeRosterGet(ver string) ([]byte, error) { panic("unreachable") }
func encodeRosterSet(jid perch.JID, name string, groups []string) ([]byte, error) {
	panic("unreachable")
}
func encodeRosterRemove(jid perch.JID) ([]byte, error)           { panic("unreachable") }
func parseRoster(payload *element) perch.RosterResult            { panic("unreachable") }
func parseRosterPush(payload *element) (*perch.RosterPush, bool) { panic("unreachable") }

func encodeVCardGet() []byte                                 { panic("unreachable") }
func encodeVCardSet(card perch.VCard) ([]byte, error)        { panic("unreachable") }
func parseVCard(payload *element, jid perch.JID) perch.VCard { panic("unreachable") }

func encodeArchive136(q perch.ArchiveQuery) ([]byte, error) { panic("unreachable") }
func parseArchive136(payload *element, self perch.JID, q perch.ArchiveQuery) perch.ArchivePage {
	panic("unreachable")
}

// mamResult is one archived message (XEP-0313, 4.2). From is the sender of the stanza around
// it: only the archive that was asked may send it, and only with the query id.
type mamResult struct {
	queryID string
	from    perch.JID
	item    perch.ArchiveItem
	message *perch.MessageIn // nil when the archived stanza has no text
}

type mamFin struct {
	complete    bool
	first, last string
	count       int // -1: not said
}

func encodeMAM(q perch.ArchiveQuery, queryID string) ([]byte, error) { panic("unreachable") }
func parseMAMFin(payload *element) (mamFin, bool)                    { panic("unreachable") }

func encodeLookup(space string) []byte               { panic("unreachable") }
func parseLookup(payload *element) (perch.JID, bool) { panic("unreachable") }

func encodePing() []byte           { panic("unreachable") }
func isPing(payload *element) bool { panic("unreachable") }

func encodeDiscoInfo(node string) ([]byte, error)                { panic("unreachable") }
func isDiscoInfo(payload *element) bool                          { panic("unreachable") }
func encodeDiscoInfoResult(node string) ([]byte, error)          { panic("unreachable") }
func parseDiscoInfo(payload *element) (features map[string]bool) { panic("unreachable") }

func encodeCarbonsEnable() []byte            { panic("unreachable") }
func appendCSI(b []byte, active bool) []byte { panic("unreachable") }

// XEP-0198. Whole elements, not IQ payloads.
func appendSMEnable(b []byte) []byte                                   { panic("unreachable") }
func appendSMResume(b []byte, previd string, h uint32) ([]byte, error) { panic("unreachable") }
func appendSMRequest(b []byte) []byte                                  { panic("unreachable") }
func appendSMAck(b []byte, h uint32) []byte                            { panic("unreachable") }

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
func parseSM(el *element) (in smIn, ok bool) { panic("unreachable") }
