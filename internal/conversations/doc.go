// Package conversations keeps the list of chats of a session in little memory: about 70 bytes a
// conversation, and a handful of objects for the garbage collector to look at.
//
// # Table
//
// A [Table] is a list of states that is sorted by the keys of their JIDs ([perch.JID.Key]). It is
// made of chunks of at most 1 KiB, and a chunk is a string without pointers. A Table is a value that
// never changes: to change a state makes another Table, which shares all chunks with the one before
// but the one that has the state. So any goroutine may read it, and the memory Store keeps the very
// chunks that the session has.
//
// # State and details
//
// A [State] has what counting needs: times, counters, and hashes in place of handles. What is only
// shown, which is the last message, the texts of positions and a draft, are [Details]: they are in
// the Store alone, and are read when the list is asked for.
//
// # Row
//
// A row ([AppendRow], [ParseRow]) is one state for a Store that keeps bytes. It stands alone, apart
// from its key, and begins with the version of its format.
package conversations
