// Package readiness waits for sockets on which nothing arrives, without a goroutine for each. A
// reader that has heard nothing for a while registers itself, arms its socket and ends; when there
// is something to read, it is called and reads on. On Linux one epoll instance per [Poller], which
// lies in Go's own netpoller like any file, watches all of them; elsewhere, and with the build tag
// perch_blocking_reads, nothing is registered and readers block as usual.
//
// # Who reads
//
// At any time exactly one party may read from a connection: its reader goroutine, or who has its
// ticket. A ticket is in the table from Register until it is taken out, under one mutex, by the
// poller that saw its event or by one call of Cancel. Whoever took it out has the reader, and nobody
// else. All that follows rests on this.
//
// # What could go wrong, and why it does not
//
//   - A wake-up is lost between the last read and Arm. Epoll is level-triggered here: EPOLL_CTL_ADD
//     and EPOLL_CTL_MOD look at the socket, and bytes that came before them are an event at once.
//     The event may come before Arm returns; the ticket is in the table since Register, and known
//     to its owner, so nothing is missed. EPOLLONESHOT: there is one event for each Arm.
//   - Bytes are left in a buffer above the socket (TLS records, half a stanza), where epoll cannot
//     see them. A reader may register only after a read has failed with [os.ErrDeadlineExceeded],
//     without a byte. crypto/tls hands out what it has decrypted, and decrypts every whole record that
//     it holds, before it reads from the socket; so what it still holds is less than a record, of
//     which nothing can be read until more bytes arrive, and those are an event. The framer is asked
//     as well (it must hold no part of a stanza), which saves memory and is not needed for this.
//   - The connection is closed while it is parked. Closing a descriptor takes it out of the epoll
//     instance without an event, so nobody would be called: who closes calls Cancel, and ends what
//     the reader would have ended.
//   - The connection is closed while its reader is being woken. Cancel finds no ticket and leaves
//     all to the woken reader, whose read fails.
//   - The descriptor is closed and its number used again. Events carry tickets and not descriptors,
//     and no ticket is given twice: an event that was fetched before the close finds no ticket in
//     the table. Arm and Close of one socket exclude each other by the reference that
//     [syscall.RawConn] holds during Control, so Arm never names a descriptor that was given away.
//   - A write fails while the connection is parked, and the reader should look for what the server
//     has said before it hung up: who writes calls Cancel, and starts the reader when it has it.
//   - Timers of a parked connection run as ever: they need no reader, and what they make the server
//     answer is an event.
//   - The poller fails or cannot be made: Register or Arm reports it, and the reader blocks as usual.
//     Those that are in the table are called, read on, and stay awake.
package readiness
