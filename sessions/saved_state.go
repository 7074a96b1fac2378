package sessions

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/perch-im/perch"
)

// savedState is the record of a session, which all parts share, and how it is written. It
// belongs to the owner.
type savedState struct {
	Record
	journal journal
}

// record is the stored state of the session.
func (v *savedState) record() *Record { return &v.Record }

// saveRecord puts the record as it is now into the batch that gathers. It is copied: what
// changes later belongs to a later batch.
func (v *savedState) saveRecord() {
	rec := v.Record
	v.journal.Change().Record = &rec
}

// known reports whether the session was online before, in this process or an earlier one.
func (v *savedState) known() bool { return v.RosterKnown }

// ownJID is the own address, with the resource once there was a login.
func (v *savedState) ownJID() perch.JID { return v.JID }

// distrust takes out of what is stored what must not be used when it may be older than what was
// committed last (Saved.Stale): the upstream has seen more. It runs before the parts are
// restored.
//
// A stream must not be resumed: the server has dropped stanzas that a later commit acknowledged,
// so only the archive has them, and that is read after a new bind alone. Every entry of the
// outbox may have been sent since, and is decided about by outbox.reconcile. The place in the
// archive is older, which costs nothing but time. Roster, presence and invitations come again
// with the bind.
func (v *savedState) distrust(saved *Saved) {
	v.Stream, v.Handled = nil, 0
	if v.RosterKnown && saved.StaleSince != 0 && (v.OfflineSince == 0 || saved.StaleSince < v.OfflineSince) {
		v.OfflineSince = saved.StaleSince
	}
	outbox := make([]*OutboxEntry, len(saved.Outbox))
	for i, o := range saved.Outbox {
		entry := *o
		entry.Sent = true
		outbox[i] = &entry
	}
	saved.Outbox = outbox
}

// rememberAddress notes an address that the upstream gave us, if it is one that need be.
func (v *savedState) rememberAddress(jid perch.JID) {
	bare := jid.Bare()
	if bare == "" || len(bare) > maxForeignBytes || bare.Plain() || !utf8.ValidString(string(bare)) {
		return
	}
	if normal, err := perch.ParseJID(string(bare)); err == nil && normal == bare {
		return
	}
	list := foreignAddresses(v.Foreign)
	if i := list.find(bare); i >= 0 {
		return
	}
	v.Foreign = list.with(perch.JID(strings.Clone(string(bare)))) // not what it is a part of
	v.saveRecord()
}

// notable reports whether rememberAddress would look at any of these.
func notable(jids []perch.JID) bool {
	return slices.ContainsFunc(jids, func(j perch.JID) bool { return !j.Bare().Plain() })
}
