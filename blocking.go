package perch

import "slices"

// Blocked is one entry of the account's block list (XEP-0191). What it blocks is said by [BlockersOf].
type Blocked struct {
	JID JID `json:"jid"`
}

// BlockList is what an account blocks, as its server keeps it for all of its devices.
type BlockList struct {
	Items []Blocked `json:"items"` // sorted by the normal form of the JID
	// Complete is false when the server has more entries than the gateway keeps. They block all the same.
	Complete bool `json:"complete"`
}

// The reasons of a [Report].
const (
	ReportSpam  = "spam"
	ReportAbuse = "abuse"
)

// ReportReasons are all reasons.
func ReportReasons() []string { return []string{ReportAbuse, ReportSpam} }

// Report tells the server why somebody is blocked (XEP-0377). What becomes of it is for its operators; a
// server that takes no reports ignores it.
type Report struct {
	Reason    string
	Text      string
	StanzaIDs []string // of messages in the archive of the account (XEP-0359)
}

// Valid reports whether the server can take it.
func (r *Report) Valid() bool { return slices.Contains(ReportReasons(), r.Reason) }

// BlockListIn says what is blocked: with All these, and nothing else; else what was added to the list and
// what was taken off it, by this connection or by another device.
type BlockListIn struct {
	All     bool
	Added   []JID
	Removed []JID
	Partial bool // with All: there were more than are taken
}

func (*BlockListIn) inbound() {}

// ProbeOut asks for the presence of an account that was blocked until now (RFC 6121, 4.3).
type ProbeOut struct{ To JID }

func (*ProbeOut) outbound() {}

// BlockListChange is the data of blocked.changed. With Reset it is not known what has changed since the
// list was read last: it is to be read again.
type BlockListChange struct {
	Added   []JID `json:"added"`
	Removed []JID `json:"removed"`
	All     *bool `json:"all,omitempty"` // false: nobody is blocked any more
	Reset   bool  `json:"reset,omitempty"`
}

// BlockersOf are the entries of a block list that would block an address (XEP-0191, 3): itself, its account on
// whatever device, and everybody of its domain.
func BlockersOf(address JID) [3]JID {
	return [3]JID{address, address.Bare(), JID(address.Domain())}
}
