package sessions

import (
	"strings"

	"github.com/perch-im/perch"
)

// Here what is no copy enters the log, from whatever way it came: a stream, a carbon, the archive, or
// the outbox. There are two doors, logMessage and logRelation, and no other. What keeps something for
// each message, as the list of chats, is told by eventLog.noted of the event that is made here: then
// what it changes is in the same commit as the event, and is done once for each message.

// logMessage logs a message that is no copy. What is changed of it here is not in its identity: it
// is known again by what its copies have.
func (cu *catchup) logMessage(typ perch.EventType, m *perch.Message, c identity) {
	now := cu.host.now()
	c.added = now
	c.timeOf(m, now)
	cu.name(typ, m)
	cu.log.durableAt(typ, now, m)
	cu.known.add(c)
	cu.trimLater()
}

// name gives a message its handle, names the message that it answers, and merges what was said of it
// before it came.
func (cu *catchup) name(typ perch.EventType, m *perch.Message) {
	sent := typ == perch.EventMessageSent
	conversation := conversationOf(m, sent)
	if m.Ref == "" {
		m.Ref = perch.RefOf(m, sent)
	}
	fillReply(m, cu.host.record().JID, conversation)
	cu.relations.overtaken(m, conversation)
}

// logRelation logs a control message that is no copy, as the event of what it changes.
func (cu *catchup) logRelation(in *perch.MessageIn, c identity) {
	now := cu.host.now()
	c.added, c.at, c.vague = now, now, false // as the log has it
	c.paths |= isRelation
	cu.relations.take(in, now, cu.comesLate(&in.Message))
	cu.known.add(c)
	cu.trimLater()
	if since := cu.relations.table.since(cu.log.next); cu.host.record().RelatedSince != since {
		cu.host.record().RelatedSince = since
		cu.host.saveRecord()
	}
}

// comesLate reports whether a message that is no copy may be older than what was logged before it: it
// was held back on its way, or is in the part of the archive that was compared with the log.
func (cu *catchup) comesLate(m *perch.Message) bool {
	if m.Source == perch.SourceArchive {
		l := cu.host.stream()
		return l != nil && l.window.until != ""
	}
	return m.Delay != nil
}

// moveTo makes the id of a stanza in the archive the place that the archive is read from after a gap.
// Of everything that the archive has, and that is logged, the id has to come here: else an archive
// of nothing else would be read from its beginning after each gap.
func (cu *catchup) moveTo(m *perch.Message, l *link) {
	if m.StanzaID == "" || l.buffering {
		return
	}
	rec := cu.host.record()
	rec.ArchiveID, rec.ArchiveAt = strings.Clone(m.StanzaID), cu.host.now() // not the whole stanza
	cu.host.saveRecord()
}
