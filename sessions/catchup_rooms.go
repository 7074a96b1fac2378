package sessions

import "github.com/perch-im/perch"

// The doors of rooms into the log, which know by the ids of a room what is a copy: nothing of it is
// among the identities here.

// logRoomMessage implements roomLog.
func (cu *catchup) logRoomMessage(typ perch.EventType, m *perch.Message) {
	cu.host.rememberAddress(m.From)
	cu.name(typ, m)
	cu.log.Durable(typ, m)
}

// noteRoomMessage implements roomLog.
func (cu *catchup) noteRoomMessage(typ perch.EventType, m *perch.Message) {
	cu.name(typ, m)
	cu.log.note(typ, cu.host.now(), m)
}

// logRoomRelation implements roomLog.
func (cu *catchup) logRoomRelation(in *perch.MessageIn, of knownMessage, late bool) {
	cu.host.rememberAddress(in.From)
	cu.relations.takeInRoom(in, of, cu.host.now(), late)
	cu.host.record().RelatedSince = cu.relations.table.since(cu.log.next)
}
