// Package contacts keeps the roster of a session, with the presence of everybody in it, in little
// memory: about 70 bytes a contact instead of some structs with pointers in them, and a handful
// of objects for the garbage collector to look at, however large the roster is.
//
// # Table
//
// A [Table] is a list of contacts that is sorted by the keys of their JIDs ([perch.JID.Key]), so
// that every spelling finds the contact; the spelling in which it came is kept. It is made of
// chunks of at most 1 KiB, and a chunk is a string without pointers: a head with the domain and
// the groups that most of its contacts have, and then the contacts. A contact is decoded when it
// is asked for.
//
// A Table is a value that never changes: to change a contact makes another Table, which shares
// all chunks with the one before but the one that has the contact. So a snapshot of a roster costs
// nothing, may be read by any goroutine, and the memory Store keeps the very chunks that the
// session has.
//
// # Row
//
// A row ([AppendRow], [ParseRow]) is one contact for a Store that keeps bytes. It stands alone,
// apart from its key, and begins with the version of its format.
package contacts
