package sessions

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync/atomic"

	"github.com/perch-im/perch"
	"github.com/perch-im/perch/internal/jsonappend"
)

// PresenceList is the presence of every buddy at one moment, sorted by JID. One goroutine at a time
// may use it.
type PresenceList struct {
	view *rosterView
	json []byte // nil until it was needed for a version
}

// Items returns the list.
func (l *PresenceList) Items() []perch.Presence {
	items := make([]perch.Presence, 0, l.view.Len())
	for p := range l.view.presences() {
		items = append(items, p)
	}
	slices.SortFunc(items, func(a, b perch.Presence) int { return cmp.Compare(a.JID, b.JID) })
	return items
}

// AppendJSON appends the list as encoding/json writes it.
func (l *PresenceList) AppendJSON(b []byte) []byte {
	if l.json != nil {
		return append(b, l.json...)
	}
	begin, last := len(b), perch.JID("")
	b = append(b, '[')
	for p := range l.view.presences() {
		if p.JID < last { // the order of the roster is that of the keys
			return jsonappend.List(b[:begin], l.Items())
		}
		if last != "" {
			b = append(b, ',')
		}
		b, last = p.AppendJSON(b), p.JID
	}
	return append(b, ']')
}

// Version says what is in the list: two lists with the same one are alike, also after a restart. It
// is made from the list once for each change, and costs nothing else.
func (l *PresenceList) Version() string {
	v := l.view
	if known := v.versions.known.Load(); known != nil && known.of == v.state {
		return known.version
	}
	if l.json == nil {
		l.json = l.AppendJSON(make([]byte, 0, 64+usualItem*v.Len()))
	}
	version := versionOf(l.json)
	v.versions.known.Store(&presenceVersion{v.state, version})
	return version
}

// versionOf is a hash of everything that a list says.
func versionOf(json []byte) string {
	sum := sha256.Sum256(json)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// presenceVersions remember the version of the last list whose version was asked for.
type presenceVersions struct {
	changes uint32 // of the table; the owner's
	known   atomic.Pointer[presenceVersion]
}

// changed says that the table is another one. Only the owner calls it.
func (v *presenceVersions) changed() { v.changes++ }

// presenceVersion is a version and what it belongs to.
type presenceVersion struct {
	of      presenceState
	version string
}

// presenceState counts the changes of what the presence of buddies is made of: as long as it is the
// same, so are they.
type presenceState struct {
	table, fresh uint32
	offline      bool
}
