package cache

import (
	"github.com/perch-im/perch/internal/contacts"
	"github.com/perch-im/perch/internal/conversations"
)

// Format is the version of one kind of record that Redis keeps. A version is raised when a program
// that knows only those before would take a record for something else; a field that such a program
// may leave out raises none. docs/upgrade.md has what follows from a version that is not known.
type Format struct {
	Record string `json:"record"`
	Writes int    `json:"writes"`
	Reads  []int  `json:"reads"` // ascending, with the one that is written
}

// Formats lists the kinds whose records have a version, in the order of docs/upgrade.md. Version 0
// is what was written before there were versions.
func Formats() []Format {
	return []Format{
		{Record: "contact", Writes: contacts.Version, Reads: []int{0, contacts.Version}},
		{Record: "conversation", Writes: conversations.Version, Reads: []int{conversations.Version}},
		{Record: "room", Writes: roomRowVersion, Reads: []int{roomRowVersion}},
		{Record: "reader", Writes: readerRowVersion, Reads: []int{readerRowVersion}},
		{Record: "log", Writes: logVersion, Reads: []int{0, logVersion}},
		{Record: "keyspace", Writes: keyspaceVersion, Reads: []int{keyspaceVersion}},
	}
}

// logVersion is that of the log of a session: a list, which was a stream before. Its type tells.
const logVersion = 1

// keyspaceVersion is that of everything below the prefix. It is raised when a program that knows only the
// one before must not be there at all, whatever records it meets: it would do harm to what it does not
// know of.
const keyspaceVersion = 1
