package today

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/perch-im/perch/internal/xmppserver"
)

// Bounds of one archive: over them the oldest messages go.
const (
	maxArchived     = 5000
	maxArchiveBytes = 8 << 20
)

// archive is the history of an account or of a room (XEP-0313), oldest first; guarded by Service.mu.
// Its zero value is empty.
type archive struct {
	list  []archived
	bytes int // of the messages, as archived.size counts them
}

// archived is one message of an archive.
type archived struct {
	id     string    // of this archive (XEP-0359)
	at     time.Time // UTC, in milliseconds
	with   string    // the other side, a full or bare JID; in a room the occupant
	stanza []byte    // the whole message, without the id of this archive; shared, never changed
	text   string    // its bodies in lower case, for searches

	occupant string // in a room: the id of who has said it (XEP-0421); "": the room itself
}

// newArchived is a message of now as it goes into an archive. stanza is a whole element.
func newArchived(with string, e *xmppserver.Element, stanza []byte) archived {
	m := archived{id: xmppserver.NewID(), at: time.Now().UTC().Truncate(time.Millisecond), with: with, stanza: stanza}
	for _, k := range e.Elements() {
		if k.Name.Space == xmppserver.NSClient && k.Name.Local == "body" {
			m.text += strings.ToLower(k.Text()) + "\n"
		}
	}
	return m
}

func (m *archived) size() int {
	return 128 + len(m.id) + len(m.with) + len(m.stanza) + len(m.text) + len(m.occupant)
}

// add puts a message at its time, which is mostly the end: history that is made up may be older.
func (a *archive) add(m archived) {
	i := len(a.list)
	for i > 0 && a.list[i-1].at.After(m.at) {
		i--
	}
	a.list = slices.Insert(a.list, i, m)
	a.bytes += m.size()
	n := 0
	for n < len(a.list)-1 && (len(a.list)-n > maxArchived || a.bytes > maxArchiveBytes) {
		a.bytes -= a.list[n].size()
		n++
	}
	clear(a.list[:n])
	a.list = a.list[n:]
}

// index is where the message with an id is, or -1.
func (a *archive) index(id string) int {
	return slices.IndexFunc(a.list, func(m archived) bool { return m.id == id })
}

// get returns the message with an id, or nil. The pointer is valid until the archive changes.
func (a *archive) get(id string) *archived {
	if i := a.index(id); i >= 0 {
		return &a.list[i]
	}
	return nil
}

// replace puts another stanza in place of a message, such as a tombstone (XEP-0424, 5), which no search
// finds. It reports whether there is such a message.
func (a *archive) replace(id string, stanza []byte) bool {
	m := a.get(id)
	if m == nil {
		return false
	}
	a.bytes -= m.size()
	m.stanza, m.text = stanza, ""
	a.bytes += m.size()
	return true
}

const nsSID = "urn:xmpp:sid:0"

// withStanzaID is a whole message with the id that it has in the archive of by (XEP-0359, 3).
func withStanzaID(stanza []byte, by, id string) []byte {
	const end = "</message>"
	head := bytes.TrimSuffix(stanza, []byte(end))
	b := make([]byte, 0, len(stanza)+96)
	b = append(append(b, head...), "<stanza-id xmlns='"+nsSID+"'"...)
	b = xmppserver.AppendAttr(b, "by", by)
	return append(append(xmppserver.AppendAttr(b, "id", id), "/>"...), end...)
}
