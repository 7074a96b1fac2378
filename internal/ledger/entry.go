package ledger

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Op is what an entry of the history is about.
type Op string

// The operations. Who did it, and which fields are set, is said at each.
const (
	OpWorld    Op = "world"    // Text is the XMPP server of the run
	OpSend     Op = "send"     // a foreign sender (Who): message N to Account
	OpRecv     Op = "recv"     // a client (Who) of Account: message N of From as event ID; Text is its source
	OpRead     Op = "read"     // the same in the archive that a client read after a reset; ID is that of the message
	OpHello    Op = "hello"    // a client's stream was opened; Text is "resumed" or the reason of the reset
	OpState    Op = "state"    // a client (Who) of Account saw event ID: its stream to the XMPP server was lost, or is there
	OpCaughtUp Op = "caughtup" // a client has read the archive after a reset
	OpStop     Op = "stop"     // a client was refused for good, by status or close code (Text)
	OpPost     Op = "post"     // Account posted message N to To under Key; ok: accepted as ID
	OpArrive   Op = "arrive"   // message N of Account, with ID, arrived at the foreign receiver Who
	OpStatus   Op = "status"   // what GET /v1/messages/{ID} says of message N of Account: Text
	OpStored   Op = "stored"   // message N of From is in the server's archive of Who; ID is the stanza id
	OpAudited  Op = "audited"  // the server's archive of Who was read to the end; Text is "relations" where nothing else had to be known
	OpRelate   Op = "relate"   // Who says Text of the message with the id Key, in the conversation of Account with From; ID is that of the stanza, N counts what Who says
	OpKept     Op = "kept"     // the same in the server's archive of To
	OpShown    Op = "shown"    // a client (Who) of Account shows in the end that the message with the id ID, of the conversation with From, was corrected N times, to the text Key, and has the reactions Text, or was retracted; an entry without an ID ends its list
	OpReadUpTo Op = "readupto" // Account has read the conversation with From up to the message with the id ID; N are unread then
	OpUnread   Op = "unread"   // a node (Who) has in the end N unread messages of From for Account, which has read up to the message with the id ID; Text is "exact" or not
	OpOwner    Op = "owner"    // a node (Who) owns a session (ID) from fence N on; Text is the epoch of the log; Key is "unproved" when that is a new one because nothing proved the end of the old one
	OpLeft     Op = "left"     // a node (Who) holds N goroutines or descriptors (Text): invoke at its start, ok when no account is signed in any more
	OpRoster   Op = "roster"   // the gateway lists N buddies of Account: invoke before the first fault, ok after a fault of the kind Text, or in the end ("")
	OpRoom     Op = "room"     // room To, with N occupants; Text is "archive", or "none" where it has none
	OpSay      Op = "say"      // a foreign person, or another device of an account (Who): message N to room To, under ID
	OpHear     Op = "hear"     // a foreign person (Who) hears message N of From in room To; Key is its id there
	OpRoomRecv Op = "roomrecv" // a client (Who) of Account: message N of From to room To as event ID; Key is its id in the room, Text the type of the event and its source
	OpRoomRead Op = "roomread" // the same in the archive that a client read after a reset
	OpRoomGap  Op = "roomgap"  // a client (Who) of Account was told by event ID that messages of room To may be missing, from and to the times in Key; Text is the reason
	OpRoomIs   Op = "roomis"   // a client (Who) of Account was told by event ID of the state (Text) of room To, and its reason (Key)
	OpLeave    Op = "leave"    // Account leaves room To; Text is "forgotten" where the gateway is to forget it
	OpEnter    Op = "enter"    // Account is in room To again
	OpGone     Op = "gone"     // a foreign person (Who) saw Account leave room To
	OpFault    Op = "fault"    // a fault of the kind Text began (invoke) or was healed (ok) at Who
	OpQuiet    Op = "quiet"    // the time before the first fault, in which nothing is broken: invoke at its begin, ok at its end
	OpPresence Op = "presence" // a foreign client (Who) saw Account become Text
	OpDamaged  Op = "damaged"  // Who got a body that is not what was sent
	OpBroken   Op = "broken"   // a node (Who) said something that no gateway should (Text)
	OpNote     Op = "note"     // whatever helps to read the history
)

// auditedRelations is the Text of OpAudited where the senders could tell what the server had.
const auditedRelations = "relations"

// Phase is how far an operation has come, in the words of Jepsen. Info means that the
// outcome is not known.
type Phase string

// The phases.
const (
	Invoke Phase = "invoke"
	OK     Phase = "ok"
	Fail   Phase = "fail"
	Info   Phase = "info"
)

// Entry is a line of the history.
type Entry struct {
	At      int64  `json:"at"` // milliseconds since the beginning
	Op      Op     `json:"op"`
	Phase   Phase  `json:"phase"`
	Who     string `json:"who,omitempty"`
	Account string `json:"account,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	N       int    `json:"n,omitempty"`
	ID      string `json:"id,omitempty"`
	Key     string `json:"key,omitempty"`
	Text    string `json:"text,omitempty"`
}

// history writes entries to a file and shows them to those who watch. Its methods may be
// called from any goroutine; watchers are called one at a time.
type history struct {
	mu      sync.Mutex
	begun   time.Time
	file    *os.File
	out     *bufio.Writer
	err     error
	watches []func(Entry)
}

func newHistory(path string, watches ...func(Entry)) (*history, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return &history{begun: time.Now(), file: f, out: bufio.NewWriterSize(f, 1<<16), watches: watches}, nil
}

func (h *history) add(e Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.At = time.Since(h.begun).Milliseconds()
	if e.Phase == "" {
		e.Phase = OK
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = h.out.Write(append(line, '\n'))
	}
	if h.err == nil {
		h.err = err
	}
	for _, watch := range h.watches {
		watch(e)
	}
}

// close writes what is left. Entries that come later are lost.
func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.out.Flush(); h.err == nil {
		h.err = err
	}
	if err := h.file.Close(); h.err == nil {
		h.err = err
	}
	return h.err
}

// ReadHistory reads what a run has left.
func ReadHistory(r io.Reader) ([]Entry, error) {
	var list []Entry
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var e Entry
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("history, line %d: %w", len(list)+1, err)
		}
		list = append(list, e)
	}
	return list, scan.Err()
}
