package sessions

import "github.com/perch-im/perch"

// How many readers a session has at most of each kind.
const (
	MaxWebhooks = 10
	MaxPush     = 20
)

// StoredReader is a reader as the Store keeps it. Who has committed a row changes it no more, nor what it
// points to.
//
// A part of the log is under way from the commit of Sending to the one that moves the cursor there. What
// it has follows from the row and the log alone, so an owner that comes after a crash sends the same again.
type StoredReader struct {
	Kind perch.ReaderKind `json:"kind"`
	ID   string           `json:"id"`
	Spec perch.ReaderSpec `json:"spec"`
	// Sealed has where the reader is and the secrets that its calls are signed with, see sealReader.
	Sealed  []byte     `json:"sealed"`
	Created perch.Time `json:"created"`

	By    string      `json:"by,omitempty"` // the TokenRecord.ID of the token that has put it, and with which it ends; "": a credential
	Grant perch.Grant `json:"grant,omitzero"`

	// Generation is raised when the reader is to get what it has got, or it is put anew: what is sent then
	// is not a repeat.
	Generation uint64         `json:"generation,omitempty"`
	Cursor     perch.Position `json:"cursor"`            // see perch.Reader
	Sending    uint64         `json:"sending,omitempty"` // offset of the last event of the part that is under way; 0: none is
	Reset      string         `json:"reset,omitempty"`   // that the next part says, see Delivery
	// Attached says that an event stream is open, of a reader for what comes while none is.
	Attached bool `json:"attached,omitempty"`

	Disabled string              `json:"disabled,omitempty"` // why, by perch.Reader.Why; "": it is not
	Failures int                 `json:"failures,omitempty"` // in a row
	Refusals int                 `json:"refusals,omitempty"` // of these, those at the end for which its address may not be dialled
	Since    perch.Time          `json:"since,omitzero"`
	Next     perch.Time          `json:"next,omitzero"`
	Last     perch.ReaderAttempt `json:"last,omitzero"`
}

// Key names the reader in its session.
func (r *StoredReader) Key() string { return readerName(r.Kind, r.ID) }

func readerName(kind perch.ReaderKind, id string) string { return string(kind) + "/" + id }
