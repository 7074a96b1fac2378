// Package occupants keeps who is in the rooms (XEP-0045) of a node: one table for each room of an
// upstream, which all sessions share that are in it. A thousand sessions in a room of a thousand take
// one table of 160 KB, in place of a thousand of them.
//
// # Feeding
//
// A session that joins a room gets a [Handle], and tells it what its own stream says: Begin when it
// sends the join, Put and Remove and Rename for each presence, Listed at the end of the list. All
// sessions of a room feed one table, and what is reported last holds. That converges: a room tells each
// session the same changes in the same order, so the last report of the slowest session is the state
// of the room, whoever was ahead of it before.
//
// The end of a list removes who is not in it, unless a session has reported them since the list
// began: a list is the whole room, and who came after it began is told by presence.
//
// A session can go before it has said the rest: its stream is lost between an older report, which it
// brought after the others, and the newer one, which they have brought already. So when a session goes
// that has changed the table within the last moments (settle), or kept a row in it while another one read
// a list, the table is not complete any more, until a list says that it is. Any session may ask for one
// ([Handle.ClaimRefresh]).
//
// What is reported again costs a look under a read lock (Put of 1,000 sessions that join one room), and
// only a change takes the lock for itself. Nothing waits under a lock, and a page is read in pieces.
//
// # Reading
//
// A session reads only a room that it is in: after its own presence has come, and not while its stream
// is lost, when the room may have removed it unseen. Of an occupant it gets what the room tells all.
// Two things it gets by its own rights, as a table knows more than each of its sessions:
//
//   - the real address, which some sessions were told and others not, only if [Handle.SeeAddresses] says
//     that the room shows it to this session, or in its own row;
//   - its own row, which may be one that the room tells nobody else (a room can broadcast the presence of
//     some roles alone): others see it when the room has told one of them.
//
// # Contradictions
//
// A hostile room can tell two sessions different things about one nick, and the table of one would show
// what only the other was told. Two reports contradict each other when the affiliations differ, or the
// occupant ids (XEP-0421), or the bare real addresses, and both say something. A later change is no
// contradiction, and a session that lags behind says the older thing for a while. So a dispute about a
// nick begins when a session reports something else than the live session that fed the row last; each
// of the two, and who joins in, has one claim, which is its latest report. The dispute is over once no
// two claims contradict. When they still do after settle, without a change of claim meanwhile (or after
// ten times that, whatever changed), and the room has told both sessions something of its occupants
// after that moment, so that neither is just cut off or slow, then the room contradicts itself: it is
// shared no more on this node until its last session has left. Each session has its own rows then,
// which begin empty and incomplete.
//
// # Bounds
//
// A room has at most so many occupants and bytes, and all rooms so many bytes ([Options]). Who is too
// many is left out and counted; the table is not complete until a list has come without that.
package occupants
